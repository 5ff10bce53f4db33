"""Finds the tool of a call. Stands in for FastMCP's own dispatch, whose transforms, visibility rules and middleware
this server does not use, and which cost more than a small query does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolRequestParams, CallToolResult

from mongo_db_server.caller import CALLER
from mongo_db_server.errors import CallError, InvalidCallError
from mongo_db_server.replies import Reply, render

if TYPE_CHECKING:
    from mongo_db_server.audit import Sink
    from mongo_db_server.settings import Tier
    from mongo_db_server.toolkit import MongoTool

_NAME_CHARS = 64  # of a name that nobody here gave


class Dispatcher:
    def __init__(self, tools: Iterable[MongoTool], *, tier: Tier, audit: Sink) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._tier = tier
        self._audit = audit

    async def handle(self, context: Any, params: CallToolRequestParams) -> CallToolResult:
        """Answers `tools/call` for the SDK."""
        return render(await self.perform(params.name, params.arguments or {}))

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
