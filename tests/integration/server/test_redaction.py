"""Redacted fields on a real database: no tool shows, counts, orders or names by them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo.database import Database

Db = Database[dict[str, Any]]
CallTool = Callable[..., Awaitable[Any]]
SECRET = "078-05-1120"


@pytest.fixture
def people(database: Db) -> Db:
    database.people.insert_many(
        [
            {"_id": n, "name": f"p{n}", "ssn": SECRET, "card": {"number": SECRET, "kind": "x"}, "a_token": SECRET}
            for n in range(3)
        ]
    )
    database.people.create_index("ssn")
    database.visits.insert_many([{"_id": n, "who": f"p{n}", "note": n} for n in range(3)])
    return database


@pytest.fixture
async def call(call_with: Callable[..., Awaitable[CallTool]]) -> CallTool:
    return await call_with(mcp_fields_deny="ssn, card.number, *_token")


ANSWERED: list[tuple[str, dict[str, Any]]] = [
    ("find", {}),
    ("find", {"projection": {"everything": "$$ROOT"}}),
    ("find", {"sort": {"card": 1}, "projection": {"card": 1}}),
    ("sample", {}),
    ("aggregate", {"pipeline": []}),
    ("aggregate", {"pipeline": [{"$project": {"x": {"$objectToArray": "$$ROOT"}}}]}),
    ("aggregate", {"pipeline": [{"$group": {"_id": None, "all": {"$push": "$$ROOT"}}}]}),
    ("aggregate", {"pipeline": [{"$unionWith": "people"}]}),
    ("aggregate", {"pipeline": [{"$facet": {"a": [{"$replaceWith": {"x": "$$ROOT"}}]}}]}),
    (
        "aggregate",
        {
            "collection": "visits",
            "pipeline": [{"$lookup": {"from": "people", "localField": "who", "foreignField": "name", "as": "p"}}],
        },
    ),
    ("delete-many", {"filter": {"name": "p1"}}),
    ("distinct", {"field": "name"}),
    ("collection-schema", {}),
    ("collection-indexes", {}),
]


@pytest.mark.parametrize(("tool", "arguments"), ANSWERED)
async def test_no_answer_holds_a_redacted_value(
    tool: str, arguments: dict[str, Any], people: Db, call: CallTool
) -> None:
    """Documents, previews, groups and descriptions come without the fields."""
    result = await call(tool, **{"database": people.name, "collection": "people", **arguments})
    assert not result.is_error, result.content
    said = str(result.content) + str(result.structured_content)
    assert SECRET not in said
    assert "ssn" not in said
    assert "a_token" not in said


@pytest.mark.parametrize("deny", ["**.ssn, **.number, **.a_token", "*s?, c*.num*, *_token"])
async def test_wildcards(deny: str, people: Db, call_with: Callable[..., Awaitable[CallTool]]) -> None:
    """Patterns hold at the depth they name, in arrays too; the rest stays."""
    people.people.insert_one({"_id": 9, "card": [{"number": SECRET, "kind": "y"}], "n": {"m": [{"o": 1}]}})
    call = await call_with(mcp_fields_deny=deny)
    result = await call("find", database=people.name, collection="people", filter={"_id": {"$in": [1, 9]}})
    documents = result.structured_content["documents"]
    assert documents[-1] == {"_id": 9, "card": [{"kind": "y"}], "n": {"m": [{"o": 1}]}}
    assert SECRET not in str(documents)


async def test_allow_list(people: Db, call_with: Callable[..., Awaitable[CallTool]]) -> None:
    """Only what is named is there."""
    call = await call_with(mcp_fields_allow="name, card.kind")
    result = await call("find", database=people.name, collection="people", sort={"name": 1}, limit=1)
    assert result.structured_content["documents"] == [{"name": "p0", "card": {"kind": "x"}}]
    nothing = await call_with(mcp_fields_allow="")
    result = await nothing("find", database=people.name, collection="people", limit=1)
    assert result.structured_content["documents"] == [{}]


async def test_counting_does_not_probe(people: Db, call: CallTool) -> None:
    """Whole-document conditions count documents without the fields, and conditions on the fields are refused."""
    place = {"database": people.name, "collection": "people"}
    exact = {"$expr": {"$eq": ["$card", {"number": SECRET, "kind": "x"}]}}
    assert (await call("count", **place, filter=exact)).structured_content == {"count": 0}
    assert (await call("count", **place, filter={"card": {"number": SECRET, "kind": "x"}})).is_error is False
    for tool in ("find", "count", "delete-many", "sample"):
        refused = await call(tool, **place, filter={"ssn": {"$regex": "^0"}})
        assert "redacted field" in refused.content[0].text


async def test_errors_do_not_tell(people: Db, call: CallTool) -> None:
    """The database's words may quote a value, so they are not passed on."""
    place = {"database": people.name, "collection": "people"}
    for pipeline in ([{"$project": {"x": {"$toInt": "$name"}}}], [{"$project": {"x": {"$nonsense": 1}}}]):
        failed = await call("aggregate", **place, pipeline=pipeline)
        assert failed.is_error
        assert "its words are not shown" in failed.content[0].text
    assert (await call("create-index", **place, keys={"ssn": 1}, unique=True)).is_error


async def test_views_cannot_show_them_under_another_name(people: Db, call: CallTool) -> None:
    """A view that renames is closed; one that filters is open and masked."""
    people.command({"create": "renamed", "viewOn": "people", "pipeline": [{"$project": {"x": "$ssn"}}]})
    people.command({"create": "filtered", "viewOn": "people", "pipeline": [{"$match": {"_id": 1}}]})
    closed = await call("find", database=people.name, collection="renamed")
    opened = await call("find", database=people.name, collection="filtered")
    assert closed.is_error
    assert opened.structured_content["returned"] == 1
    assert SECRET not in str(opened)
