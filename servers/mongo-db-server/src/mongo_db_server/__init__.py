"""A MongoDB MCP server for one tier (`admin` or `reader`) behind a gateway that signs callers in."""

__version__ = "0.2.0"
