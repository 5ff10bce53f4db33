"""A front for an MCP server that knows nothing of the gateway: `python -m gateway_auth.front --help`.

The package's extra `front` brings what it needs beyond the gate: FastMCP and uvicorn.
"""
