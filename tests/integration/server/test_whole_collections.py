"""What touches a whole collection is confirmed by what it does, not by how it is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo.database import Database

Db = Database[dict[str, Any]]
CallTool = Callable[..., Awaitable[Any]]
SET = {"$set": {"x": 1}}


@pytest.fixture
def orders(database: Db) -> Db:
    """Four orders, n 0 to 3, with a text index on their words."""
    database.orders.insert_many([{"_id": n, "n": n, "at": [n, n]} for n in range(4)])
    return database


@pytest.fixture
def place(orders: Db) -> dict[str, str]:
    return {"database": orders.name, "collection": "orders"}


@pytest.mark.parametrize(
    "everything",
    [
        {"$comment": "x"},
        {"$and": [{}]},
        {"$or": [{"n": 1}, {"$comment": "x"}]},
        {"$expr": True},
        {"$expr": {"$literal": 1}},
        {"_id": {"$exists": True}},
    ],
    ids=str,
)
async def test_a_filter_without_a_condition_is_an_empty_one(everything: Any, place: Any, call: CallTool) -> None:
    """However it is spelt, `all_documents` must say that it is meant."""
    operations = [{"updateMany": {"filter": everything, "update": SET}}]
    for tool, arguments in (
        ("update-many", {"filter": everything, "update": SET}),
        ("delete-many", {"filter": everything}),
        ("bulk-write", {"operations": operations}),
    ):
        refused = await call(tool, **place, **arguments)
        assert refused.is_error
        assert "all_documents" in refused.content[0].text
        asked = await call(tool, **place, **arguments, all_documents=True)
        assert asked.structured_content["confirmation_required"] is True


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("update-many", {"filter": {"n": {"$gte": 0}}, "update": SET}),
        ("update-many", {"filter": {"$comment": "x", "nothing": None}, "update": SET}),
        ("update-many", {"filter": {"$expr": {"$lt": [1, 2]}}, "update": SET}),
        (
            "bulk-write",
            {
                "operations": [
                    {"updateMany": {"filter": {"n": {"$lt": 3}}, "update": SET}},
                    {"updateMany": {"filter": {"n": {"$gte": 3}}, "update": SET}},
                ]
            },
        ),
    ],
)
async def test_what_changes_everything_is_confirmed(
    tool: str, arguments: dict[str, Any], orders: Db, place: Any, call: CallTool
) -> None:
    """By one operation or by several together."""
    asked = (await call(tool, **place, **arguments)).structured_content
    assert asked["confirmation_required"] is True
    assert orders.orders.count_documents({"x": 1}) == 0
    await call(tool, **place, **arguments, confirmation=asked["confirmation"])
    assert orders.orders.count_documents({"x": 1}) == 4


async def test_what_leaves_a_document_out_is_not(orders: Db, place: Any, call: CallTool) -> None:
    """Nor the change of a single document, though it be the only one, nor an upsert into nothing."""
    done = await call("update-many", **place, filter={"n": {"$gt": 0}}, update=SET)
    assert done.structured_content["matched"] == 3
    for matched in (0, 1):
        arguments = {"filter": {"_id": "a"}, "update": SET, "upsert": True}
        made = await call("update-many", database=orders.name, collection="empty", **arguments)
        assert made.structured_content["matched"] == matched


async def test_a_preview_says_that_it_is_everything(place: Any, call: CallTool) -> None:
    """Whoever confirms reads it."""
    asked = await call("delete-many", **place, filter={"n": {"$gte": 0}})
    assert "These are all that the collection holds." in asked.content[0].text
    some = await call("delete-many", **place, filter={"n": 1})
    assert "These are all" not in some.content[0].text


async def test_out_says_what_it_drops(place: Any, call: CallTool) -> None:
    """The documents of its target, and that it writes over what it reads."""
    asked = await call("aggregate", **place, pipeline=[{"$match": {"n": 1}}, {"$out": "orders"}])
    assert (asked.structured_content["would_affect"], asked.structured_content["would_drop"]) == (1, 4)
    assert "It is the collection that the pipeline reads" in asked.content[0].text
    new = await call("aggregate", **place, pipeline=[{"$out": "new"}])
    assert new.structured_content["would_drop"] == 0


@pytest.mark.parametrize(
    "stage",
    [
        {"$out": "people"},
        {"$out": {"db": None, "coll": "people"}},
        {"$merge": {"into": "people", "whenMatched": "replace"}},
    ],
    ids=str,
)
async def test_no_stage_removes_redacted_fields_unseen(
    stage: dict[str, Any], database: Db, call_with: Callable[..., Awaitable[CallTool]]
) -> None:
    """What a replacement may not do, a pipeline may not either."""
    if isinstance(stage.get("$out"), dict):
        stage = {"$out": {"db": database.name, "coll": "people"}}
    database.people.insert_one({"_id": 1, "ssn": "078-05-1120"})
    call = await call_with(mcp_fields_deny="ssn")
    refused = await call("aggregate", database=database.name, collection="people", pipeline=[stage])
    assert refused.is_error
    assert "unseen" in refused.content[0].text
    assert database.people.find_one({}, {"ssn": 1}) == {"_id": 1, "ssn": "078-05-1120"}
    new = await call("aggregate", database=database.name, collection="people", pipeline=[{"$out": "shown"}])
    assert new.structured_content["confirmation_required"] is True
