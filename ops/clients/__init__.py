"""How clients reach a deployed platform: its addresses, access tokens, configuration of MCP clients."""
