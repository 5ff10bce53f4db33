"""Filters that match everything, and those that MongoDB does not take negated. What the database answers is in
`tests/integration/server/test_whole_collections.py`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from mongo_db_server.call import Call
from mongo_db_server.filters import matches_all
from mongo_db_server.tools._filters import touches_every


@pytest.mark.parametrize(
    ("condition", "everything"),
    [
        ({}, True),
        ({"$comment": "x", "$and": [{}, {"$or": [{"a": 1}, {}]}]}, True),
        ({"$expr": 1}, True),
        ({"$expr": 0}, False),
        ({"$expr": "$a"}, False),
        ({"$and": []}, False),
        ({"$nor": [{}]}, False),
        ({"_id": {"$exists": True}}, True),
        ({"_id": {"$exists": False}}, False),
        ({"a": {"$exists": True}}, False),
    ],
    ids=str,
)
def test_a_filter_without_a_condition_is_seen(condition: dict[str, Any], *, everything: bool) -> None:
    """Only what matches whatever the collection holds."""
    assert matches_all(condition) is everything


class Cursor:
    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    async def __aenter__(self) -> Cursor:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[RawBSONDocument]:
        for identifier in self._ids:
            yield RawBSONDocument(bson.encode({"_id": identifier}))


class Collection:
    """A collection of three documents, of which a text search finds some; it refuses to negate one, as MongoDB does."""

    database = SimpleNamespace(name="shop")
    name = "orders"

    def __init__(self, found: dict[str, list[int]]) -> None:
        self._found = found

    def with_options(self, **_: Any) -> Collection:
        return self

    async def estimated_document_count(self) -> int:
        return 3

    async def count_documents(self, *_: Any, **__: Any) -> int:
        raise AssertionError("$text cannot stand below $nor")

    def find(self, condition: Any, projection: Any, limit: int) -> Cursor:
        assert (projection, limit) == ({"_id": 1}, 3)
        return Cursor(self._found[condition["$text"]["$search"]])


@pytest.mark.parametrize(
    ("searches", "every"), [(["some"], False), (["all"], True), (["some", "others"], True), (["some", "some"], False)]
)
async def test_what_cannot_be_negated_is_counted(searches: list[str], *, every: bool) -> None:
    """Documents that several operations find count once."""
    collection: Any = Collection({"some": [1, 2], "others": [2, 3], "all": [1, 2, 3]})
    runtime: Any = SimpleNamespace(client=None, tier="admin", limits=None, rules=None)
    runtime.views = SimpleNamespace(plain=lambda *_: True)
    call = Call(runtime, "update-many", time.monotonic() + 5)
    conditions = [{"$text": {"$search": search}} for search in searches]
    assert await touches_every(collection, conditions, call) is every
