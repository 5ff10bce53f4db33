from __future__ import annotations

import re
from typing import Any

import pytest
from bson.dbref import DBRef
from mongo_db_server import ejson, queries
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.rules import Rules
from mongo_db_server.settings import Tier
from mongo_db_server.stages import prepare

TIERS: list[Tier] = ["reader", "admin"]


def check(pipeline: Any, tier: Tier = "reader", max_stages: int = 20) -> None:
    decoded = ejson.decode(pipeline, "pipeline")
    prepare(decoded, database="shop", collection="orders", tier=tier, rules=Rules(), max_stages=max_stages)


WRITES: list[list[dict[str, Any]]] = [
    [{"$out": "copy"}],
    [{"$match": {}}, {"$merge": {"into": "copy"}}],
    [{"$facet": {"a": [{"$out": "copy"}]}}],
    [{"$lookup": {"from": "a", "pipeline": [{"$merge": "copy"}], "as": "b"}}],
    [{"$unionWith": {"coll": "a", "pipeline": [{"$facet": {"x": [{"$out": {"db": "d", "coll": "c"}}]}}]}}],
    [{"$match": {"a": {"$ref": "x", "$id": 1, "$out": "copy"}}}],
]


@pytest.mark.parametrize("pipeline", WRITES)
def test_reader_refuses_writing_stages_wherever_they_hide(pipeline: list[dict[str, Any]]) -> None:
    """No nesting turns a read into a write; the refusal names the setting."""
    with pytest.raises(RefusedError, match=re.escape("writes; this tier only reads.")):
        check(pipeline)


def test_refusal_reads_as_documented() -> None:
    """The sentence is the one the documentation shows."""
    with pytest.raises(RefusedError) as raised:
        check([{"$out": "copy"}])
    assert str(raised.value) == "`$out` writes; this tier only reads."


@pytest.mark.parametrize("pipeline", WRITES[:2])
def test_admin_may_write_with_a_pipeline(pipeline: list[dict[str, Any]]) -> None:
    """In the admin tier `$out` and `$merge` are ordinary stages."""
    assert check(pipeline, "admin") is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    "pipeline",
    [
        [{"$match": {"$where": "true"}}],
        [{"$match": {"$and": [{"$or": [{"$where": {"$code": "true"}}]}]}}],
        [{"$match": {"$expr": {"$function": {"body": "f", "args": [], "lang": "js"}}}}],
        [{"$group": {"_id": None, "x": {"$accumulator": {}}}}],
        [{"$project": {"x": {"$cond": [{"$function": {}}, 1, 2]}}}],
        [{"$lookup": {"from": "a", "let": {"x": {"$function": {}}}, "pipeline": [], "as": "b"}}],
    ],
)
def test_no_tier_runs_javascript(pipeline: list[dict[str, Any]], tier: Tier) -> None:
    """Code sent by a caller never runs in the database."""
    with pytest.raises(RefusedError, match="runs JavaScript in the database"):
        check(pipeline, tier)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("condition", [{"$where": "1"}, {"a": [{"b": {"$where": "1"}}]}, {"$nor": [{"$where": "1"}]}])
def test_filters_are_walked_too(condition: dict[str, Any], tier: Tier) -> None:
    """A filter is as dangerous as a pipeline."""
    with pytest.raises(RefusedError):
        queries.check_filter(condition, tier)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    "stage",
    [
        {"$out": {"db": "admin", "coll": "x"}},
        {"$merge": {"into": {"db": "config", "coll": "x"}}},
        {"$merge": {"into": "system.js"}},
        {"$out": "system.views"},
        {"$lookup": {"from": "system.users", "pipeline": [], "as": "x"}},
        {"$lookup": {"from": {"db": "local", "coll": "oplog"}, "pipeline": [], "as": "x"}},
        {"$graphLookup": {"from": "system.profile"}},
        {"$unionWith": "system.profile"},
        {"$facet": {"a": [{"$unionWith": {"coll": "system.profile"}}]}},
        {"$unionWith": {"db": "Admin", "coll": "x"}},
        {"$currentOp": {}},
        {"$listSessions": {}},
    ],
)
def test_no_way_into_system_namespaces(stage: dict[str, Any], tier: Tier) -> None:
    """Other callers' work and the database's own collections stay out of reach of any stage."""
    with pytest.raises(RefusedError):
        check([stage], tier)


@pytest.mark.parametrize(
    "pipeline",
    [{}, "x", None, [1], [{}], [{"$match": {}, "$limit": 1}], [{"match": {}}], [{"$ref": "a", "$id": 1}]],
)
def test_what_is_no_pipeline_is_refused(pipeline: Any) -> None:
    """A pipeline is an array of objects with one operator each."""
    with pytest.raises(InvalidCallError):
        check(pipeline)


def test_filter_must_be_an_object() -> None:
    """Extended JSON can turn an object into a value; that is no filter."""
    with pytest.raises(InvalidCallError, match="must be an object"):
        queries.check_filter(DBRef("a", 1), "reader")


def test_stages_are_limited() -> None:
    """Nested pipelines count, and the refusal names the setting."""
    assert check([{"$match": {}}] * 3, max_stages=3) is None  # type: ignore[func-returns-value]
    with pytest.raises(RefusedError, match="MCP_PIPELINE_STAGES_CEILING"):
        check([{"$match": {}}] * 4, max_stages=3)
    with pytest.raises(RefusedError, match="MCP_PIPELINE_STAGES_CEILING"):
        check([{"$facet": {"a": [{"$match": {}}] * 4}}], max_stages=3)


@pytest.mark.parametrize(
    "pipeline",
    [
        [],
        [{"$match": {"a": {"$gt": 1}}}, {"$sort": {"a": 1}}],
        [{"$lookup": {"from": "systems", "localField": "a", "foreignField": "b", "as": "c"}}],
        [{"$match": {"note": "$out of stock"}}],
        [{"$unionWith": "archive"}],
    ],
)
def test_ordinary_pipelines_pass(pipeline: list[dict[str, Any]]) -> None:
    """Text that only looks like an operator is text."""
    assert check(pipeline) is None  # type: ignore[func-returns-value]
