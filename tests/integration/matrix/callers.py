"""The clients of the matrix: each lists the tools with a token, or says which status it was refused with."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from fastmcp import Client as FastMcpClient
from mcp import Client as SdkClient
from mcp.client.streamable_http import streamable_http_client

from tests.support.platform_under_test import request

# The names of the tools that a caller sees, or the HTTP status of the refusal.
Seen = set[str] | int
List = Callable[[str, str, str], Awaitable[Seen]]

INFO = {"name": "matrix", "version": "1"}


def _statuses() -> tuple[list[int], Callable[[httpx2.Response], Awaitable[None]]]:
    """A list of every status that a client gets, and the hook that fills it."""
    seen: list[int] = []

    async def note(response: httpx2.Response) -> None:
        seen.append(response.status_code)

    return seen, note


async def _listed(client: Any, statuses: list[int]) -> Seen:
    try:
        async with client:
            listed = await client.list_tools()
    except Exception:
        refused = [status for status in statuses if status in (401, 403)]
        if not refused:
            raise
        return refused[-1]
    return {tool.name for tool in getattr(listed, "tools", listed)}


async def fastmcp(url: str, token: str, version: str) -> Seen:
    from fastmcp.client.transports import StreamableHttpTransport

    statuses, note = _statuses()

    def http(**options: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(**{**options, "event_hooks": {"response": [note]}, "trust_env": False})

    transport = StreamableHttpTransport(url, auth=token, httpx_client_factory=http)
    return await _listed(FastMcpClient(transport, mode=_mode(version)), statuses)


async def sdk(url: str, token: str, version: str) -> Seen:
    statuses, note = _statuses()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, trust_env=False, event_hooks={"response": [note]}) as http:
        client = SdkClient(streamable_http_client(url, http_client=http), mode=_mode(version))
        return await _listed(client, statuses)


def _mode(version: str) -> str:
    return {"2025-11-25": "legacy"}.get(version, version)


async def raw(url: str, token: str, version: str) -> Seen:
    """What the protocol's text asks of a client, and no more."""
    modern = version >= "2026"
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": version,
        **({"Mcp-Method": "tools/list"} if modern else {}),
    }
    if not modern:
        hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": INFO}
        begun = request(url, _message("initialize", hello), headers)
        if begun.status != 200:
            return begun.status
        assert begun.json["result"]["protocolVersion"] == version
    meta = {f"io.modelcontextprotocol/{key}": value for key, value in _META.items()} if modern else None
    answer = request(url, _message("tools/list", {"_meta": meta} if meta else {}), headers)
    return {tool["name"] for tool in answer.json["result"]["tools"]} if answer.status == 200 else answer.status


_META = {"protocolVersion": "2026-07-28", "clientInfo": INFO, "clientCapabilities": {}}


def _message(method: str, params: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
