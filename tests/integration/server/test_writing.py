from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo.database import Database

Db = Database[dict[str, Any]]
CallTool = Callable[..., Awaitable[Any]]
Confirmed = Callable[..., Awaitable[Any]]


@pytest.fixture
def orders(database: Db) -> Db:
    """Four orders, n 0 to 3."""
    database.orders.insert_many([{"_id": n, "n": n} for n in range(4)])
    return database


async def test_insert(database: Db, call: CallTool) -> None:
    """Documents arrive as sent; missing ids are generated and returned."""
    result = await call("insert-many", database=database.name, collection="new", documents=[{"_id": 1}, {"a": 2}])
    assert result.structured_content["inserted"] == 2
    assert result.structured_content["inserted_ids"][0] == 1
    assert "$oid" in result.structured_content["inserted_ids"][1]
    assert database.new.count_documents({}) == 2


async def test_insert_stops_at_a_duplicate(orders: Db, call: CallTool) -> None:
    """The caller learns which document was refused and how many went before it."""
    result = await call(
        "insert-many", database=orders.name, collection="orders", documents=[{"_id": 8}, {"_id": 1}, {"_id": 9}]
    )
    assert result.is_error
    assert "Document 1 was not written" in result.content[0].text
    assert "1 before it were inserted" in result.content[0].text
    assert orders.orders.count_documents({"_id": {"$in": [8, 9]}}) == 1


async def test_update(orders: Db, call: CallTool) -> None:
    """Matching documents change, others do not."""
    result = await call(
        "update-many", database=orders.name, collection="orders", filter={"n": {"$gt": 1}}, update={"$inc": {"n": 10}}
    )
    assert result.structured_content == {"matched": 2, "modified": 2, "upserted_id": None}
    assert sorted(document["n"] for document in orders.orders.find()) == [0, 1, 12, 13]


async def test_upsert(orders: Db, call: CallTool) -> None:
    """Upserting says what it created."""
    result = await call(
        "update-many",
        database=orders.name,
        collection="orders",
        filter={"_id": 99},
        update={"$set": {"n": 1}},
        upsert=True,
    )
    assert result.structured_content["upserted_id"] == 99


async def test_delete(orders: Db, call: CallTool, confirmed: Confirmed) -> None:
    """Matching documents go once that is confirmed; all go only when that is said."""
    some = await confirmed(call, "delete-many", database=orders.name, collection="orders", filter={"n": 0})
    refused = await call("delete-many", database=orders.name, collection="orders", filter={})
    assert (some.structured_content, refused.is_error) == ({"deleted": 1}, True)
    assert orders.orders.count_documents({}) == 3
    every = await confirmed(
        call, "delete-many", database=orders.name, collection="orders", filter={}, all_documents=True
    )
    assert every.structured_content == {"deleted": 3}


async def test_reader_cannot_write_by_any_tool(orders: Db, call_with: Callable[..., Awaitable[CallTool]]) -> None:
    """The reader tier leaves the database as it was."""
    call = await call_with(mcp_tier="reader")
    attempts: dict[str, dict[str, Any]] = {
        "insert-many": {"documents": [{}]},
        "update-many": {"filter": {}, "update": {"$set": {"n": 0}}, "all_documents": True},
        "delete-many": {"filter": {}, "all_documents": True},
        "aggregate": {"pipeline": [{"$out": "orders"}]},
    }
    for name, arguments in attempts.items():
        assert (await call(name, database=orders.name, collection="orders", **arguments)).is_error
    assert [document["n"] for document in orders.orders.find().sort("_id")] == [0, 1, 2, 3]


async def test_admin_writes_with_a_pipeline(orders: Db, call: CallTool, confirmed: Confirmed) -> None:
    """`$out` writes where it says, once that is confirmed."""
    pipeline = [{"$match": {"n": 1}}, {"$out": "copy"}]
    result = await confirmed(call, "aggregate", database=orders.name, collection="orders", pipeline=pipeline)
    assert not result.is_error, result.content
    assert list(orders["copy"].find()) == [{"_id": 1, "n": 1}]
