"""What happens to a call before it reaches the database: no test here needs one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastmcp import Client
from gateway_auth import CALLER, Caller

ServerOf = Callable[[Any], Any]
SHOP = {"database": "shop", "collection": "orders"}
GENERATIONS = ["2026-07-28", "legacy"]


async def refusal(server: Any, name: str, **arguments: Any) -> str:
    async with Client(server) as client:
        result = await client.call_tool(name, arguments, raise_on_error=False)
    assert result.is_error
    return str(result.content[0].text)


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("find", {"database": "shop"}, "`collection` is required."),
        ("find", {**SHOP, "limt": 3}, "`limt` is not an argument of this tool."),
        ("find", {**SHOP, "limit": 0}, "`limit` is not valid: input should be greater than or equal to 1."),
        ("find", {**SHOP, "filter": [1]}, "`filter` is not valid: input should be a valid dictionary."),
        ("find", {**SHOP, "filter": {"_id": {"$oid": "x"}}}, "`filter` holds a malformed Extended JSON value"),
        ("find", {**SHOP, "projection": {"$ref": "a", "$id": 1}}, "`projection` must be an object"),
        ("find", {**SHOP, "database": "admin"}, "`admin` is a system database"),
        ("find", {**SHOP, "collection": "system.users"}, "`system.users` is a system collection"),
        ("count", {**SHOP, "filter": {"$where": "1"}}, "`$where` runs JavaScript"),
        ("find", {**SHOP, "projection": {"x": {"$function": {}}}}, "`$function` runs JavaScript"),
        ("aggregate", {**SHOP, "pipeline": [{}]}, "Stage 0 of `pipeline` must be an object with exactly one operator."),
        ("collection-schema", {**SHOP, "sample_size": -1}, "`sample_size` is not valid"),
        ("insert-many", {**SHOP, "documents": []}, "`documents` is not valid"),
        ("insert-many", {**SHOP, "documents": [{}] * 4}, "this server takes 3 (`MCP_WRITE_BATCH_CEILING`)"),
        ("insert-many", {**SHOP, "documents": [{"$oid": "0" * 24}]}, "`documents.0` must be an object."),
        ("update-many", {**SHOP, "filter": {"a": 1}, "update": {"a": 2}}, "`update` must hold update operators"),
        ("update-many", {**SHOP, "filter": {"a": 1}, "update": {}}, "`update` must hold update operators"),
        ("update-many", {**SHOP, "filter": {}, "update": {"$set": {"a": 1}}}, "say so with `all_documents=true`"),
        ("update-many", {**SHOP, "filter": {"a": 1}, "update": [{"$set": {"x": {"$function": {}}}}]}, "JavaScript"),
        ("create-index", {**SHOP, "keys": {"$minKey": 1}}, "`keys` must be an object of field names."),
        ("delete-many", {**SHOP, "filter": {}}, "say so with `all_documents=true`"),
        ("delete-many", {**SHOP}, "`filter` is required."),
    ],
)
async def test_bad_calls_are_refused_in_one_sentence(
    name: str, arguments: dict[str, Any], sentence: str, server_of: ServerOf
) -> None:
    """A refusal names the argument and the rule, and the database never hears of it."""
    assert sentence in await refusal(server_of("admin"), name, **arguments)


async def test_reader_refuses_to_write_by_aggregation(server_of: ServerOf) -> None:
    """The refusal names the setting that would allow it."""
    said = await refusal(server_of("reader"), "aggregate", **SHOP, pipeline=[{"$out": "copy"}])
    assert said == "`$out` writes; this tier only reads."


@pytest.mark.parametrize("mode", GENERATIONS)
async def test_every_call_leaves_one_line(mode: str, server_of: ServerOf, lines: list[dict[str, Any]]) -> None:
    """Who, what, where, how it ended and how long: never a value."""
    token = CALLER.set(Caller("caller-1", "client-1", 321))
    try:
        async with Client(server_of("admin"), mode=mode) as client:
            await client.call_tool("delete-many", {**SHOP, "filter": {}}, raise_on_error=False)
            await client.call_tool("find", {**SHOP, "filter": {"ssn": {"$oid": "078-05-1120"}}}, raise_on_error=False)
    finally:
        CALLER.reset(token)
    assert [(line["tool"], line["outcome"]) for line in lines] == [("delete-many", "refused"), ("find", "invalid")]
    assert lines[0].pop("duration_ms") >= 0
    assert lines[0] == {
        "event": "call",
        "caller": "caller-1",
        "client": "client-1",
        "tier": "admin",
        "tool": "delete-many",
        "operation": "delete",
        "namespace": "shop.orders",
        "request_bytes": 321,
        "outcome": "refused",
    }
    assert "078-05-1120" not in str(lines)


async def test_objects_may_come_as_text(server_of: ServerOf) -> None:
    """Models that send an object as JSON text are understood, and checked all the same."""
    assert "`$where` runs JavaScript" in await refusal(server_of("admin"), "count", **SHOP, filter='{"$where": "1"}')


async def test_official_argument_names_are_understood(server_of: ServerOf) -> None:
    """Prompts written for mongodb-mcp-server keep working."""
    assert "`$where`" in await refusal(server_of("admin"), "count", **SHOP, query={"$where": "1"})
    assert "`sampleSize` is not valid" in await refusal(server_of("admin"), "collection-schema", **SHOP, sampleSize=0)
