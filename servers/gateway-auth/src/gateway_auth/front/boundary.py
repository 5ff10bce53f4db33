"""What a tier may ask of the server behind, and a line for everything that was asked."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import mcp_types
from fastmcp.exceptions import NotFoundError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from mcp.shared.exceptions import MCPError

from gateway_auth.caller import CALLER
from gateway_auth.front.child import write_log
from gateway_auth.front.settings import items

if TYPE_CHECKING:
    from fastmcp.prompts import Prompt
    from fastmcp.resources import Resource, ResourceTemplate
    from fastmcp.tools import Tool

    from gateway_auth.front.settings import FrontSettings

_LONGEST_NAME = 256
_SILENT = frozenset({"initialize", "ping", "server/discover"})


class ToolLists:
    """Which tools are open: `deny` wins, then `allow`; without that, a reading tier has what says that it only reads.

    Patterns are those of `mcp_servers` (terraform/modules/apim/tools.tf): names with * for any part.
    """

    def __init__(self, allow: str | None, deny: str, *, reads: bool) -> None:
        self._allow = None if allow is None else _pattern(allow)
        self._deny = _pattern(deny)
        self._reads = reads
        self.is_there = allow is not None or bool(items(deny))

    def opens(self, tool: Tool) -> bool:
        if self._deny.fullmatch(tool.name):
            return False
        if self._allow is not None:
            return self._allow.fullmatch(tool.name) is not None
        return not self._reads or bool(tool.annotations and tool.annotations.read_only_hint)


def _pattern(patterns: str) -> re.Pattern[str]:
    parts = [re.escape(item).replace(r"\*", "[A-Za-z0-9_./-]*") for item in items(patterns)]
    return re.compile("|".join(parts) if parts else r"(?!)")


class Boundary(Middleware):
    """Shows and admits what the lists open, and refuses everything else as if it did not exist."""

    def __init__(self, settings: FrontSettings) -> None:
        self._lists = ToolLists(
            settings.mcp_front_tools_allow, settings.mcp_front_tools_deny, reads=settings.mcp_front_reads
        )
        # Both could give what a list forbids: where there is one, they are closed unless somebody opened them.
        self._resources = settings.mcp_front_resources or not self._lists.is_there
        self._prompts = settings.mcp_front_prompts or not self._lists.is_there

    async def on_list_tools(
        self, context: MiddlewareContext[mcp_types.ListToolsRequest], call_next: CallNext[Any, Sequence[Tool]]
    ) -> Sequence[Tool]:
        return [tool for tool in await call_next(context) if self._lists.opens(tool)]

    async def on_call_tool(
        self, context: MiddlewareContext[mcp_types.CallToolRequestParams], call_next: CallNext[Any, Any]
    ) -> Any:
        asked = context.fastmcp_context
        assert asked is not None
        tool = await asked.fastmcp.get_tool(context.message.name)
        if tool is None or not self._lists.opens(tool):
            raise MCPError(
                mcp_types.INVALID_PARAMS, "This tool is not open to your role: tools/list shows those that are."
            )
        return await call_next(context)

    async def on_list_resources(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Sequence[Resource]]
    ) -> Sequence[Resource]:
        return await call_next(context) if self._resources else ()

    async def on_list_resource_templates(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Sequence[ResourceTemplate]]
    ) -> Sequence[ResourceTemplate]:
        return await call_next(context) if self._resources else ()

    async def on_list_prompts(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Sequence[Prompt]]
    ) -> Sequence[Prompt]:
        return await call_next(context) if self._prompts else ()

    async def on_read_resource(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        _require(self._resources, "Resources")
        return await call_next(context)

    async def on_get_prompt(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        _require(self._prompts, "Prompts")
        return await call_next(context)


def _require(is_open: bool, what: str) -> None:
    if not is_open:
        raise MCPError(mcp_types.INVALID_PARAMS, f"{what} are not open to your role: its list names tools only.")


class Audit(Middleware):
    """One JSON line per request: who asked for what by name, how it ended and how long it took. Never a value."""

    def __init__(self, server: str, tier: str, write: Callable[[str], None] = write_log) -> None:
        self._where = {"server": server, "tier": tier}
        self._write = write

    async def on_request(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        started, outcome = time.monotonic(), "failed"
        try:
            result = await call_next(context)
            outcome = "error" if getattr(result, "is_error", False) else "ok"
        except (MCPError, NotFoundError):
            outcome = "refused"
            raise
        finally:
            if context.method not in _SILENT:
                self._line(context, outcome, time.monotonic() - started)
        return result

    def _line(self, context: MiddlewareContext[Any], outcome: str, seconds: float) -> None:
        caller = CALLER.get()
        record = {
            "time": context.timestamp.isoformat(timespec="milliseconds"),
            "correlation_id": caller.correlation_id,
            **self._where,
            "caller": caller.subject,
            "client": caller.client,
            "method": context.method,
            "name": _name(context.message),
            "outcome": outcome,
            "ms": round(seconds * 1000, 1),
            "request_bytes": caller.request_bytes,
        }
        self._write(json.dumps({key: value for key, value in record.items() if value is not None}))


def _name(message: Any) -> str | None:
    """The tool's or prompt's name, or the resource's address without its query."""
    given = getattr(message, "params", None) or message
    name = getattr(given, "name", None) or getattr(given, "uri", None)
    return None if name is None else str(name).partition("?")[0][:_LONGEST_NAME]
