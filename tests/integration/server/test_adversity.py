"""A database that throttles, stalls or drops connections. Needs fail points, which the stand-in has, and MongoDB with
test commands enabled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pymongo
import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure

Db = Database[dict[str, Any]]
CallTool = Callable[..., Awaitable[Any]]
Fail = Callable[..., None]


@pytest.fixture
def fail(mongodb_uri: str) -> Iterator[Fail]:
    """Makes the next commands of the given names fail; afterwards nothing does."""
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:

        def configure(mode: Any, **data: Any) -> None:
            try:
                client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})
            except OperationFailure as error:
                pytest.skip(f"this database has no fail points: {error.code}")

        yield lambda *commands, times, **data: configure({"times": times}, failCommands=list(commands), **data)
        configure("off")


@pytest.fixture
def orders(database: Db) -> Db:
    database.orders.insert_many([{"_id": n} for n in range(3)])
    return database


async def test_reads_wait_out_throttling(orders: Db, call: CallTool, fail: Fail) -> None:
    """A short throttling costs a caller time, not an error."""
    fail("find", "aggregate", times=3, errorCode=16500, RetryAfterMs=50)
    began = time.monotonic()
    result = await call("find", database=orders.name, collection="orders")
    assert result.structured_content["returned"] == 3
    assert time.monotonic() - began >= 0.15


async def test_lasting_throttling_is_reported_within_the_time_limit(orders: Db, call: CallTool, fail: Fail) -> None:
    """The wait ends at the time limit, and the answer names throttling."""
    fail("aggregate", times=1000, errorCode=16500, RetryAfterMs=100)
    began = time.monotonic()
    result = await call("count", database=orders.name, collection="orders", max_time_ms=500)
    assert result.is_error
    assert "throttling" in result.content[0].text
    assert time.monotonic() - began < 2


async def test_throttled_writes_are_not_repeated(orders: Db, call: CallTool, fail: Fail) -> None:
    """One attempt, one answer: what a repetition would do is the caller's to decide."""
    fail("update", times=1, errorCode=16500, RetryAfterMs=1)
    result = await call(
        "update-many", database=orders.name, collection="orders", filter={"_id": 1}, update={"$inc": {"n": 1}}
    )
    assert result.is_error
    assert "throttling" in result.content[0].text
    assert orders.orders.count_documents({"n": {"$exists": True}}) == 0


async def test_time_limit_reaches_the_database(orders: Db, call: CallTool, fail: Fail) -> None:
    """A stalled database ends the call at the time limit."""
    fail("find", times=1, blockConnection=True, blockTimeMS=3000)
    began = time.monotonic()
    result = await call("find", database=orders.name, collection="orders", max_time_ms=300)
    assert result.is_error
    assert "time limit" in result.content[0].text
    assert time.monotonic() - began < 2


async def test_lost_connection_is_survived(orders: Db, call: CallTool, fail: Fail) -> None:
    """A write on a lost connection is reported, and the next call works without a restart."""
    fail("insert", times=1, closeConnection=True)
    lost = await call("insert-many", database=orders.name, collection="orders", documents=[{"_id": 9}])
    assert lost.is_error
    assert "127.0.0.1" not in lost.content[0].text
    found = await call("find", database=orders.name, collection="orders", limit=1)
    assert not found.is_error


async def test_calls_do_not_wait_for_each_other(orders: Db, call: CallTool, fail: Fail) -> None:
    """One stalled call does not hold up another."""
    fail("find", times=1, blockConnection=True, blockTimeMS=1000)
    stalled = asyncio.ensure_future(call("find", database=orders.name, collection="orders"))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    assert not (await call("count", database=orders.name, collection="orders")).is_error
    assert time.monotonic() - began < 0.8
    assert not (await stalled).is_error
