from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastmcp import Client
from mongo_db_server import ejson
from mongo_db_server.admission import Admission
from mongo_db_server.errors import BusyError, InvalidCallError
from mongo_db_server.rules import Rules


async def test_a_caller_has_so_many_calls_at_once() -> None:
    """More wait; other callers do not wait for them; whoever has waited longest comes first."""
    admission = Admission(total=3, per_caller=1)
    await admission.enter("ada", 1)
    waiting = [asyncio.ensure_future(admission.enter("ada", 5)) for _ in range(2)]
    await asyncio.sleep(0)
    await admission.enter("bob", 1)
    assert not any(turn.done() for turn in waiting)
    admission.leave("ada")
    await waiting[0]
    assert not waiting[1].done()
    admission.leave("ada")
    await waiting[1]


async def test_all_together_have_so_many() -> None:
    """The ceiling of all holds whoever calls."""
    admission = Admission(total=2, per_caller=2)
    await admission.enter("ada", 1)
    await admission.enter("bob", 1)
    with pytest.raises(BusyError, match="MCP_CONCURRENT_TOTAL"):
        await admission.enter("eve", 0.01)


async def test_the_queue_is_bounded() -> None:
    """Too many that wait are refused at once."""
    admission = Admission(total=1, per_caller=1, waiting=0)
    await admission.enter("ada", 1)
    with pytest.raises(BusyError, match="Too many calls wait"):
        await admission.enter("bob", 60)


async def test_who_gives_up_leaves_no_gap() -> None:
    """A cancelled or late call gives its place back."""
    admission = Admission(total=1, per_caller=1)
    await admission.enter("ada", 1)
    given_up = asyncio.ensure_future(admission.enter("bob", 60))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    admission.leave("ada")
    await admission.enter("eve", 0)
    handed = asyncio.ensure_future(admission.enter("bob", 60))
    await asyncio.sleep(0)
    admission.leave("eve")  # the turn is his already when he is cancelled
    handed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handed
    await admission.enter("ada", 0)


def test_nesting_is_limited() -> None:
    """What a caller sends may be nested so deeply and no deeper; the refusal names the setting."""
    nested: Any = 1
    for _ in range(5):
        nested = {"a": nested}
    assert ejson.decode(nested, "filter", 5) == nested
    with pytest.raises(InvalidCallError, match="MCP_NESTING_DEPTH_CEILING"):
        ejson.decode(nested, "filter", 4)


async def test_nesting_limit_reaches_the_tools(server_of: Callable[..., Any]) -> None:
    """The setting holds for filters, pipelines, updates and documents."""
    deep = {"a": {"b": {"c": {"d": 1}}}}
    place = {"database": "shop", "collection": "orders"}
    calls: dict[str, dict[str, Any]] = {
        "find": {"filter": deep},
        "aggregate": {"pipeline": [{"$match": deep}]},
        "update-many": {"filter": {"a": 1}, "update": {"$set": deep}},
        "insert-many": {"documents": [deep]},
        "create-collection": {"validator": deep},
    }
    async with Client(server_of("admin", rules=Rules(depth=3))) as client:
        for name, arguments in calls.items():
            result = await client.call_tool(name, {**place, **arguments}, raise_on_error=False)
            assert "MCP_NESTING_DEPTH_CEILING" in result.content[0].text, name
