"""Finds the tool of a call. Stands in for FastMCP's own dispatch, whose transforms, visibility rules and middleware
this server does not use, and which cost more than a small query does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolRequestParams, CallToolResult, TextContent

from mongo_db_server.caller import CALLER

if TYPE_CHECKING:
    from mongo_db_server.audit import Sink
    from mongo_db_server.settings import Tier
    from mongo_db_server.toolkit import MongoTool

_LOGGED_NAME_CHARS = 64


class Dispatcher:
    def __init__(self, tools: Iterable[MongoTool], *, tier: Tier, audit: Sink) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._tier = tier
        self._audit = audit

    async def call(self, context: Any, params: CallToolRequestParams) -> CallToolResult:
        """Handles `tools/call`. An unknown tool is an answer the model can act on, not a protocol error."""
        tool = self._tools.get(params.name)
        if tool is None:
            return self._unknown(params.name)
        return await tool.answer(params.arguments or {})

    def _unknown(self, name: str) -> CallToolResult:
        caller = CALLER.get()
        self._audit(
            {
                "event": "call",
                "caller": caller.subject,
                "client": caller.client,
                "tier": self._tier,
                "tool": name[:_LOGGED_NAME_CHARS],
                "outcome": "unknown-tool",
            }
        )
        return CallToolResult(content=[TextContent(text=f"Unknown tool: {name!r}")], is_error=True)
