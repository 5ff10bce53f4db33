"""Indexes that are used: the same answers as a scan, from fewer documents."""

from __future__ import annotations

import random

import pytest

_VALUES = [0, 1, 2, 2.5, "a", "b", None, True, [1, 2], [0, "b"], [], {"x": 1}, [[1]]]
_FILTERS = [
    {"a": 1}, {"a": {"$eq": 2}}, {"a": {"$in": [1, "b"]}}, {"a": {"$gt": 0}}, {"a": {"$gte": 1, "$lt": 2}},
    {"a": {"$lt": "b"}}, {"a": {"$gt": 0, "$lt": 1}}, {"a": None}, {"a": []}, {"a": [1, 2]}, {"a": {"$ne": 1}},
    {"a": {"$gt": 1}, "b": 1}, {"$and": [{"a": 1}, {"b": 0}]}, {"a": {"x": 1}}, {"a": True}, {"a": {"$type": "int"}},
    {"a": {"$gte": 0}, "$or": [{"b": 0}, {"b": 1}]}, {"a": {"$regex": "^a"}}, {"a": {"$gt": 0.5, "$lte": 2.5}},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("options", [{}, {"sparse": True}, {"partialFilterExpression": {"b": {"$gt": 0}}}])
def test_an_index_changes_no_answer(run, find, seed, options):
    chance = random.Random(seed)
    rows = [{"_id": n, "b": chance.randrange(3), **({"a": chance.choice(_VALUES)} if chance.random() < 0.9 else {})}
            for n in range(120)]  # fmt: skip
    run({"insert": "plain", "documents": rows})
    run({"insert": "indexed", "documents": rows})
    run({"createIndexes": "indexed", "indexes": [{"key": {"a": 1}, "name": "a", **options}]})
    for name in ("plain", "indexed"):
        run({"delete": name, "deletes": [{"q": {"_id": {"$in": [3, 7, 11]}}, "limit": 0}]})
        run({"update": name, "updates": [{"q": {"_id": {"$lt": 40}, "b": 1}, "u": {"$set": {"a": 2}}, "multi": True}]})
    for query in _FILTERS:
        assert find("indexed", query) == find("plain", query), query


@pytest.mark.parametrize(
    ("query", "examined"),
    [
        ({"a": 7}, 1),
        ({"a": {"$in": [1, 2]}}, 2),
        ({"a": {"$gte": 90}}, 10),
        ({"a": {"$gt": 10, "$lte": 12}}, 3),
        ({"b": 1}, 100),
    ],
)
def test_only_what_may_match_is_looked_at(run, query, examined):
    run({"insert": "things", "documents": [{"_id": n, "a": n, "b": n % 2} for n in range(100)]})
    run({"createIndexes": "things", "indexes": [{"key": {"a": 1}, "name": "a"}]})
    plan = run({"explain": {"find": "things", "filter": query}, "verbosity": "executionStats"})
    assert plan["executionStats"]["totalDocsExamined"] == examined


def test_index_statistics_count_uses(run):
    run({"insert": "things", "documents": [{"_id": 1, "a": 1}]})
    run({"createIndexes": "things", "indexes": [{"key": {"a": 1}, "name": "a"}]})
    for _ in range(3):
        run({"find": "things", "filter": {"a": 1}})
    rows = run({"aggregate": "things", "pipeline": [{"$indexStats": {}}], "cursor": {}})["cursor"]["firstBatch"]
    assert {row["name"]: row["accesses"]["ops"] for row in rows} == {"_id_": 0, "a": 3}


def test_a_hint_for_an_index_that_leaves_documents_out_hides_them(run, find):
    run({"insert": "things", "documents": [{"_id": 1, "a": 1}, {"_id": 2}]})
    run({"createIndexes": "things", "indexes": [{"key": {"a": 1}, "name": "a", "sparse": True}]})
    assert find("things", {}, hint="a") == [{"_id": 1, "a": 1}]
    assert len(find("things", {})) == 2


def test_a_number_in_a_path_picks_the_position(run, find):
    """Sorting and indexes do not look into the elements for a field of that name as well."""
    rows = [{"_id": 1, "a": [{"x": 1}]}, {"_id": 2, "a": [{"x": 0}]}, {"_id": 3}]
    run({"insert": "things", "documents": rows})
    assert [row["_id"] for row in find("things", {}, sort={"a.0.x": 1})] == [3, 2, 1]
    assert (
        run({"createIndexes": "things", "indexes": [{"key": {"a.0.x": 1}, "name": "x", "unique": True}]})["ok"] == 1.0
    )
    assert run({"insert": "things", "documents": [{"a": [{"x": 2}]}]})["n"] == 1
    run({"insert": "other", "documents": [{"a": [{"0": 1}]}]})
    assert run({"find": "other", "sort": {"a.0": 1}})["code"] == 16746
