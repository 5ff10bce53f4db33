"""Finds the tool of a call, for both ways of answering: FastMCP's, which reaches it as middleware, and the fast path.

A middleware that does not call `call_next` answers in FastMCP's place ("Middleware", gofastmcp.com/servers/middleware):
so every call has its audit line, that of an unknown tool too, and the same answer either way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from gateway_auth import CALLER

from mongo_db_server.errors import CallError, InvalidCallError
from mongo_db_server.replies import Reply, render

if TYPE_CHECKING:
    from mcp_types import CallToolRequestParams

    from mongo_db_server.audit import Sink
    from mongo_db_server.toolkit import MongoTool

_NAME_CHARS = 64  # of a name that nobody here gave


class Dispatcher(Middleware):
    def __init__(self, tools: Iterable[MongoTool], *, tier: str, audit: Sink) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._tier = tier
        self._audit = audit

    async def on_call_tool(
        self,
        context: MiddlewareContext[CallToolRequestParams],
        call_next: CallNext[CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Answers `tools/call` for FastMCP."""
        message = context.message
        return ToolResult.from_mcp_result(render(await self.perform(message.name, message.arguments or {})))

    async def perform(self, name: str, arguments: dict[str, Any]) -> Reply | CallError:
        """An unknown tool is an answer the model can act on, not an error of the protocol."""
        tool = self._tools.get(name)
        return self._unknown(name) if tool is None else await tool.perform(arguments)

    def _unknown(self, name: str) -> CallError:
        caller = CALLER.get()
        self._audit(
            {
                "event": "call",
                "caller": caller.subject,
                "client": caller.client,
                "tier": self._tier,
                "tool": name[:_NAME_CHARS],
                "outcome": "unknown-tool",
            }
        )
        return InvalidCallError(f"Unknown tool: {name[:_NAME_CHARS]!r}")
