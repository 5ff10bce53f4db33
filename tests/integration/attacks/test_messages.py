"""JSON-RPC and MCP messages meant to get a reader a writing tool, or to break the one who reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.platform_under_test import Answer, Platform, request

OLD, NEW = "2025-11-25", "2026-07-28"
WRITE: dict[str, Any] = {
    "name": "insert-many",
    "arguments": {"database": "platform", "collection": "services", "documents": [{"planted": "attack"}]},
}
META = {
    "io.modelcontextprotocol/protocolVersion": NEW,
    "io.modelcontextprotocol/clientInfo": {"name": "attack", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def send(platform: Platform, body: bytes, user: str = "reader", **headers: str) -> Answer:
    given = {
        "Authorization": f"Bearer {platform.token(user)}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": OLD,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return request(platform.endpoint, body, given)


def message(method: str, params: Any, **members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **members}


def planted(platform: Platform) -> int:
    """How many documents an attack left."""
    arguments = {"database": "platform", "collection": "services", "query": {"planted": "attack"}}
    return counted(platform.call("tools/call", {"name": "count", "arguments": arguments}, user="reader"))


def counted(answer: Answer) -> int:
    return int(answer.json["result"]["structuredContent"]["count"])


WRITES: dict[str, tuple[bytes, dict[str, str]]] = {
    "a tool of the other tier": (json.dumps(message("tools/call", WRITE)).encode(), {}),
    "in a batch": (json.dumps([message("tools/call", WRITE)]).encode(), {}),
    "behind a harmless one in a batch": (
        json.dumps([message("ping", {}), message("tools/call", WRITE, id=2)]).encode(),
        {},
    ),
    "as a notification": (json.dumps({"jsonrpc": "2.0", "method": "tools/call", "params": WRITE}).encode(), {}),
    "with a name given twice": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find","name":"insert-many","arguments":'
        + json.dumps(WRITE["arguments"]).encode()
        + b"}}",
        {},
    ),
    "with a method given twice": (
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":' + json.dumps(WRITE).encode() + b"}",
        {},
    ),
    "with capitals in the name": (json.dumps(message("tools/call", {**WRITE, "name": "Insert-Many"})).encode(), {}),
    "with spaces around the name": (json.dumps(message("tools/call", {**WRITE, "name": " insert-many "})).encode(), {}),
    "with escapes in the name": (
        json.dumps(message("tools/call", WRITE)).encode().replace(b"insert-many", b"\\u0069nsert-many"),
        {},
    ),
    "behind a byte order mark": (b"\xef\xbb\xbf" + json.dumps(message("tools/call", WRITE)).encode(), {}),
    "in UTF-16": (json.dumps(message("tools/call", WRITE)).encode("utf-16"), {}),
    "after the end of another document": (
        json.dumps(message("ping", {})).encode() + json.dumps(message("tools/call", WRITE)).encode(),
        {},
    ),
    "2026: a header that names another tool": (
        json.dumps(message("tools/call", {**WRITE, "_meta": META})).encode(),
        {"MCP-Protocol-Version": NEW, "Mcp-Method": "tools/call", "Mcp-Name": "find"},
    ),
    "2026: a header that names another method": (
        json.dumps(message("tools/call", {**WRITE, "_meta": META})).encode(),
        {"MCP-Protocol-Version": NEW, "Mcp-Method": "tools/list"},
    ),
    "2026: headers that agree": (
        json.dumps(message("tools/call", {**WRITE, "_meta": META})).encode(),
        {"MCP-Protocol-Version": NEW, "Mcp-Method": "tools/call", "Mcp-Name": "insert-many"},
    ),
    "two versions": (
        json.dumps(message("tools/call", {**WRITE, "_meta": META})).encode(),
        {"MCP-Protocol-Version": OLD, "Mcp-Method": "tools/call", "Mcp-Name": "find"},
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_reader_writes_nothing(platform: Platform, name: str) -> None:
    """However it is dressed up, no document appears, and no answer says that one did."""
    body, headers = WRITES[name]
    answer = send(platform, body, **headers)
    assert "insertedCount" not in answer.text
    assert "inserted_ids" not in answer.text
    assert planted(platform) == 0


def _deep(depth: int) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


NONSENSE: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"tools/list",
    "half of JSON": b'{"jsonrpc":"2.0",',
    "a number": b"7",
    "null": b"null",
    "an empty list": b"[]",
    "a list of numbers": b"[1,2,3]",
    "not UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}',
    "a lone surrogate": b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
    "no method": b'{"jsonrpc":"2.0","id":1}',
    "a method that is a number": b'{"jsonrpc":"2.0","id":1,"method":5}',
    "version 1": b'{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
    "an id that is an object": b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
    "an id of 10,000 digits": b'{"jsonrpc":"2.0","id":' + b"9" * 10_000 + b',"method":"tools/list"}',
    "params that are a list": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[1]}',
    "arguments that are text": json.dumps(message("tools/call", {"name": "find", "arguments": "x"})).encode(),
    "an infinite number": b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":Infinity}}',
    "100 levels": _deep(100),
    "100,000 levels": _deep(100_000),
    "a thousand messages": json.dumps([message("ping", {}, id=n) for n in range(1000)]).encode(),
    "a method that does not exist": b'{"jsonrpc":"2.0","id":1,"method":"__class__.__init__","params":{}}',
    "a tool name of a megabyte": json.dumps(message("tools/call", {"name": "x" * 2**20, "arguments": {}})).encode(),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_answered_not_obeyed(platform: Platform, name: str) -> None:
    """A short answer without a word about the inside."""
    answer = send(platform, NONSENSE[name])
    assert answer.status < 500 or answer.json["error"]["message"], answer.text
    assert len(answer.text) < 100_000  # the list of tools, which some of these rightly get, is a quarter of that
    for inside in ("Traceback", 'File "', "site-packages", "emulators.apim", "mongo_db_server.", "mongodb://"):
        assert inside not in answer.text


HIDDEN = [
    [{"$out": "stolen"}],
    [{"$merge": {"into": "services"}}],
    [{"$facet": {"a": [{"$out": "stolen"}]}}],
    [{"$lookup": {"from": "services", "as": "x", "pipeline": [{"$merge": {"into": "services"}}]}}],
    [{"$unionWith": {"coll": "services", "pipeline": [{"$out": "stolen"}]}}],
    [{"$match": {"$where": "sleep(10000)"}}],
    [{"$match": {"$expr": {"$function": {"body": "function(){}", "args": [], "lang": "js"}}}}],
    [{"$group": {"_id": None, "x": {"$accumulator": {"init": "function(){}", "lang": "js"}}}}],
]


@pytest.mark.parametrize("pipeline", HIDDEN, ids=[json.dumps(pipeline)[:50] for pipeline in HIDDEN])
def test_a_pipeline_neither_writes_nor_runs_code(platform: Platform, pipeline: list[dict[str, Any]]) -> None:
    arguments = {"database": "platform", "collection": "incidents", "pipeline": pipeline}
    answer = platform.call("tools/call", {"name": "aggregate", "arguments": arguments}, user="reader")
    assert answer.json["result"]["isError"] is True
