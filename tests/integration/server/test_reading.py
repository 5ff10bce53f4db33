from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from pymongo.database import Database

Db = Database[dict[str, Any]]
CallTool = Callable[..., Awaitable[Any]]


@pytest.fixture
def orders(database: Db) -> Db:
    """Ten orders, n 0 to 9, half of them open."""
    database.orders.insert_many(
        [{"_id": n, "n": n, "status": "open" if n % 2 else "closed", "lines": [{"sku": f"s{n}"}]} for n in range(10)]
    )
    return database


async def test_list_databases_hides_system_ones(orders: Db, call: CallTool) -> None:
    """The test's database is there; `admin`, `local` and `config` are not."""
    result = await call("list-databases")
    names = {found["name"] for found in result.structured_content["databases"]}
    assert orders.name in names
    assert names.isdisjoint({"admin", "local", "config"})


async def test_list_collections(orders: Db, call: CallTool) -> None:
    """Collections are listed by name with their kind."""
    orders.people.insert_one({})
    result = await call("list-collections", database=orders.name)
    assert result.structured_content["collections"] == [
        {"name": "orders", "type": "collection"},
        {"name": "people", "type": "collection"},
    ]


async def test_find_filters_sorts_projects_and_limits(orders: Db, call: CallTool) -> None:
    """Each argument does what it says, together."""
    result = await call(
        "find",
        database=orders.name,
        collection="orders",
        filter={"n": {"$gte": 3}},
        projection={"n": 1},
        sort={"n": -1},
        skip=1,
        limit=2,
    )
    assert result.structured_content["documents"] == [{"_id": 8, "n": 8}, {"_id": 7, "n": 7}]
    assert "there are more" in result.structured_content["truncated"]


async def test_find_all_says_nothing_was_cut(orders: Db, call: CallTool) -> None:
    """Exactly as many as asked for is everything."""
    result = await call("find", database=orders.name, collection="orders", limit=10)
    assert result.structured_content["returned"] == 10
    assert "truncated" not in result.structured_content


async def test_ceiling_holds(orders: Db, call_with: Callable[..., Awaitable[CallTool]]) -> None:
    """Asking for more than the ceiling gives the ceiling and says so."""
    call = await call_with(mcp_documents_default=2, mcp_documents_ceiling=4)
    result = await call("find", database=orders.name, collection="orders", limit=1000)
    assert result.structured_content["returned"] == 4
    assert "MCP_DOCUMENTS_CEILING" in result.structured_content["truncated"]


async def test_find_in_nothing(database: Db, call: CallTool) -> None:
    """A collection that does not exist holds no documents."""
    result = await call("find", database=database.name, collection="nothing")
    assert result.structured_content["documents"] == []


async def test_bson_types_survive(database: Db, call: CallTool) -> None:
    """What was stored is what is read, and can be used as a filter again."""
    document = {
        "_id": ObjectId(),
        "at": datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.UTC),
        "long": Int64(2**60),
        "price": Decimal128("12.50"),
    }
    database.things.insert_one(document)
    found = await call("find", database=database.name, collection="things", ejson="canonical")
    (shown,) = found.structured_content["documents"]
    assert shown == {
        "_id": {"$oid": str(document["_id"])},
        "at": {"$date": {"$numberLong": "1767323045678"}},
        "long": {"$numberLong": str(2**60)},
        "price": {"$numberDecimal": "12.50"},
    }
    again = await call("count", database=database.name, collection="things", filter=shown)
    assert again.structured_content == {"count": 1}


async def test_count(orders: Db, call: CallTool) -> None:
    """With and without a filter."""
    some = await call("count", database=orders.name, collection="orders", filter={"status": "open"})
    every = await call("count", database=orders.name, collection="orders")
    assert (some.structured_content, every.structured_content) == ({"count": 5}, {"count": 10})


async def test_aggregate(orders: Db, call: CallTool) -> None:
    """A pipeline groups, and its result is limited like any other."""
    result = await call(
        "aggregate",
        database=orders.name,
        collection="orders",
        pipeline=[{"$group": {"_id": "$status", "total": {"$sum": "$n"}}}, {"$sort": {"_id": 1}}],
    )
    assert result.structured_content["documents"] == [{"_id": "closed", "total": 20}, {"_id": "open", "total": 25}]
    limited = await call("aggregate", database=orders.name, collection="orders", pipeline=[], limit=3)
    assert limited.structured_content["returned"] == 3
    assert "there are more" in limited.structured_content["truncated"]


async def test_schema(orders: Db, call: CallTool) -> None:
    """Paths, types and presence of what is stored."""
    result = await call("collection-schema", database=orders.name, collection="orders", sample_size=100)
    assert result.structured_content["sampled"] == 10
    assert {field["path"]: field["types"] for field in result.structured_content["fields"]} == {
        "_id": {"int": 10},
        "lines": {"array": 10},
        "lines[]": {"object": 10},
        "lines[].sku": {"string": 10},
        "n": {"int": 10},
        "status": {"string": 10},
    }


async def test_database_errors_are_explained(orders: Db, call: CallTool) -> None:
    """The database's reason reaches the caller without an address."""
    result = await call("find", database=orders.name, collection="orders", filter={"$nonsense": 1})
    assert result.is_error
    assert "BadValue (2)" in result.content[0].text
    assert "$nonsense" in result.content[1].text
    assert "127.0.0.1" not in result.content[0].text


async def test_unreachable_database(call_with: Callable[..., Awaitable[CallTool]]) -> None:
    """A database that does not answer ends the call at its time limit, and the answer says what is wrong."""
    call = await call_with(mongodb_uri="mongodb://account:s3cret@127.0.0.1:1/")
    result = await call("count", database="shop", collection="orders", max_time_ms=200)
    assert result.is_error
    assert "cannot be reached" in result.content[0].text
    assert "s3cret" not in result.content[0].text


async def test_a_value_that_is_no_uuid_hides_nothing(call: CallTool, database: Db) -> None:
    """Binaries of subtype 4 with another length, as old drivers stored them: shown, and the other documents too."""
    where = {"database": database.name, "collection": "old"}
    wrong = {"$binary": {"base64": "YWJj", "subType": "04"}}
    await call("insert-many", **where, documents=[{"_id": "p", "a": wrong}, {"_id": "q"}])
    assert (await call("find", **where)).structured_content["documents"] == [{"_id": "p", "a": wrong}, {"_id": "q"}]
    assert (await call("distinct", **where, field="a")).structured_content["values"] == [wrong]
    assert (await call("collection-schema", **where)).structured_content["sampled"] == 2
    changed = await call("find-and-modify", **where, filter={"_id": "p"}, update={"$set": {"n": 1}})
    assert changed.structured_content["documents"] == [{"_id": "p", "a": wrong, "n": 1}]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("find", {}), ("count", {}), ("sample", {}), ("distinct", {"field": "n"}), ("export", {}), ("delete-many", {})],
)
async def test_nothing_found_says_why(tool: str, arguments: dict[str, Any], orders: Db, call: CallTool) -> None:
    """A collection that does not exist is not an empty one, and a text is not an object id."""
    missing = await call(tool, database=orders.name, collection="ordrs", **arguments, filter={"n": 1})
    assert f"{orders.name}.ordrs does not exist" in missing.content[0].text
    text = {"$in": [str(ObjectId())]}
    wrong = await call(tool, database=orders.name, collection="orders", **arguments, filter={"_id": text})
    assert "is not an object id" in wrong.content[0].text
    none = await call(tool, database=orders.name, collection="orders", **arguments, filter={"n": 99})
    assert "does not exist" not in none.content[0].text
    assert "object id" not in none.content[0].text


async def test_a_view_is_measured_by_its_collection(orders: Db, call: CallTool) -> None:
    """MongoDB does not measure views, and the answer says what to name instead."""
    orders.command({"create": "open", "viewOn": "orders", "pipeline": [{"$match": {"status": "open"}}]})
    indexes = await call("collection-indexes", database=orders.name, collection="open")
    assert indexes.is_error
    assert "Name the collection that it shows" in indexes.content[0].text
