"""What a call costs, counted in calls of Python functions: times would depend on the machine."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mongo_db_server import server
from mongo_db_server.limits import Limits
from mongo_db_server.shortcut import Shortcut
from mongo_db_server.tools import ALL
from pymongo.asynchronous.mongo_client import AsyncMongoClient

MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
Ask = Callable[[str], Awaitable[dict[str, Any]]]


async def asker(limits: Limits, tools: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Ask, list[Any]]:
    """Asks a server that has so many tools, for `whoami` or for its list; and what its SDK's way was asked."""
    more = [dataclasses.replace(ALL[number % len(ALL)], name=f"more-{number}") for number in range(tools - len(ALL))]
    monkeypatch.setattr(server, "ALL", (*ALL, *more))
    client: AsyncMongoClient[Any] = AsyncMongoClient("mongodb://database.invalid", connect=False)
    built = server.build(client, name="mongodb", tier="admin", limits=limits, audit=lambda line: None)
    listed = [tool.to_mcp_tool().model_dump(mode="json") for tool in await built.mcp.list_tools()]
    assert len(listed) == tools
    asked: list[Any] = []

    async def sdk(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": listed}}).encode()
        await send({"type": "http.response.body", "body": body})

    short = Shortcut(sdk, path="/mcp", dispatcher=built.dispatcher, server_info=built.info)

    async def ask(name: str) -> dict[str, Any]:
        method = "tools/call" if name else "tools/list"
        params: dict[str, Any] = {"name": name, "arguments": {}} if name else {}
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": ENVELOPE}}
        headers = {"accept": "application/json", "content-type": "application/json", "mcp-protocol-version": MODERN}
        headers |= {"mcp-method": method, **({"mcp-name": name} if name else {})}
        sent: list[bytes] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": json.dumps(request).encode(), "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))

        named = [(header.encode(), value.encode()) for header, value in headers.items()]
        await short({"type": "http", "method": "POST", "path": "/mcp", "headers": named}, receive, send)
        result: dict[str, Any] = json.loads(b"".join(sent))["result"]
        return result

    return ask, asked


async def counted(ask: Ask, name: str) -> int:
    """Calls of Python functions in an answer, once everything is remembered."""
    for _ in range(3):
        await ask(name)
    calls = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(note)
    try:
        await ask(name)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("name", ["whoami", ""], ids=["a call", "the list of tools"])
async def test_the_cost_of_a_call_does_not_grow_with_the_number_of_tools(
    name: str, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice as many tools: not one function call more; and the list is written by the SDK once."""
    costs, lists = [], []
    for tools in (len(ALL), 2 * len(ALL)):
        ask, asked = await asker(limits, tools, monkeypatch)
        costs.append(await counted(ask, name))
        lists.append(len(asked))
        monkeypatch.undo()
    assert costs[0] == costs[1]
    assert costs[0] > 5
    assert lists == ([0, 0] if name else [1, 1])
