"""Redacted fields: what is named, what is refused, and that every way into stored documents begins without them."""

from __future__ import annotations

from typing import Any

import pytest
from mongo_db_server import ejson
from mongo_db_server.errors import RefusedError, SettingsError
from mongo_db_server.fields import FieldRules
from mongo_db_server.filters import check_fields, check_update
from mongo_db_server.rules import Rules
from mongo_db_server.stages import prepare

DENY = FieldRules.of(None, "ssn, customer.card, *_token")
MASK = list(DENY.mask)


def prepared(pipeline: list[dict[str, Any]], fields: FieldRules = DENY) -> list[dict[str, Any]]:
    decoded = ejson.decode(pipeline, "pipeline")
    return prepare(
        decoded, database="shop", collection="orders", tier="admin", rules=Rules(fields=fields), max_stages=20
    ).stages


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        *(("ssn", True), ("ssn.part", True), ("ssn.0", True), ("customer.card.number", True)),
        *(("customer.0.card", True), ("api_token", True), ("items.$[].x", False), ("0.ssn", True)),
        *(("customer", False), ("customer.name", False), ("name", False), ("a.ssn", False), ("ssns", False)),
    ],
)
def test_a_denied_field_takes_what_lies_in_it_along(path: str, hidden: bool) -> None:
    """Array indexes change nothing; longer names are other names."""
    assert DENY.hides(path) is hidden


def test_deny_wins_over_allow() -> None:
    """A field on both lists is hidden."""
    rules = FieldRules.of("name, ssn", "ssn")
    assert (rules.hides("name"), rules.hides("ssn"), rules.hides("other")) == (False, True, True)


def test_empty_allow_list_means_nothing() -> None:
    """Nobody opens everything by emptying a list."""
    assert FieldRules.of("", "").hides("_id")
    assert list(FieldRules.of("", "").mask) == [{"$replaceWith": {"$literal": {}}}]


def test_any_depth() -> None:
    """`**.name` denies the name wherever it is, so every field may hold it."""
    rules = FieldRules.of(None, "**.ssn")
    assert rules.hides("a.b.ssn.c")
    assert rules.covers("anything")


@pytest.mark.parametrize("deny", ["a..b", "$a", "**", "a.**.b", "**.a.b"])
def test_patterns_that_cannot_be_carried_out_stop_the_start(deny: str) -> None:
    """A rule that would not hold is no rule."""
    with pytest.raises(SettingsError, match="MCP_FIELDS"):
        FieldRules.of(None, deny)


def test_mixed_allow_patterns_stop_the_start() -> None:
    """Wildcards and dotted paths cannot both be allowed."""
    with pytest.raises(SettingsError, match="MCP_FIELDS_ALLOW"):
        FieldRules.of("a*, b.c", "")


def test_plain_rules_become_a_projection() -> None:
    """Outer paths take inner ones along, because MongoDB refuses both in one projection."""
    assert list(FieldRules.of(None, "a.b, a, c").mask) == [{"$project": {"a": 0, "c": 0}}]
    assert list(FieldRules.of("a, b.c", "").mask) == [{"$project": {"_id": 0, "a": 1, "b.c": 1}}]


PROBES: list[list[dict[str, Any]]] = [
    [{"$group": {"_id": "$$ROOT"}}],
    [{"$project": {"x": {"$objectToArray": "$$ROOT"}}}],
    [{"$project": {"x": {"$objectToArray": "$$CURRENT"}}}],
    [{"$project": {"x": {"$getField": {"field": {"$concat": ["s", "sn"]}, "input": "$$ROOT"}}}}],
    [{"$replaceWith": {"$mergeObjects": ["$$ROOT", {"a": 1}]}}],
    [{"$sort": {"customer": 1}}],
    [{"$match": {"$expr": {"$eq": [{"$toString": "$customer"}, "x"]}}}],
    [{"$facet": {"a": [{"$group": {"_id": "$customer"}}]}}],
    [{"$setWindowFields": {"output": {"all": {"$push": "$$ROOT"}}}}],
    [{"$redact": {"$cond": [{"$eq": ["$$ROOT", 1]}, "$$KEEP", "$$PRUNE"]}}],
]


@pytest.mark.parametrize("pipeline", PROBES)
def test_nothing_is_read_before_the_fields_are_gone(pipeline: list[dict[str, Any]]) -> None:
    """Computed names and whole documents find nothing, because the fields leave first."""
    assert prepared(pipeline) == [*MASK, *pipeline]


@pytest.mark.parametrize(
    ("pipeline", "sent"),
    [
        (
            [{"$lookup": {"from": "people", "localField": "a", "foreignField": "b", "as": "c"}}],
            {"$lookup": {"from": "people", "localField": "a", "foreignField": "b", "as": "c", "pipeline": MASK}},
        ),
        (
            [{"$lookup": {"from": "people", "pipeline": [{"$limit": 1}], "as": "c"}}],
            {"$lookup": {"from": "people", "pipeline": [*MASK, {"$limit": 1}], "as": "c"}},
        ),
        ([{"$unionWith": "people"}], {"$unionWith": {"coll": "people", "pipeline": MASK}}),
        (
            [{"$unionWith": {"coll": "people", "pipeline": [{"$limit": 1}]}}],
            {"$unionWith": {"coll": "people", "pipeline": [*MASK, {"$limit": 1}]}},
        ),
        (
            [{"$facet": {"a": [{"$unionWith": "people"}]}}],
            {"$facet": {"a": [{"$unionWith": {"coll": "people", "pipeline": MASK}}]}},
        ),
    ],
)
def test_other_collections_are_masked_too(pipeline: list[dict[str, Any]], sent: dict[str, Any]) -> None:
    """Every pipeline that starts from stored documents starts with the mask, however deep it lies."""
    assert prepared(pipeline) == [*MASK, sent]


@pytest.mark.parametrize(
    "stage",
    [
        {
            "$graphLookup": {
                "from": "people",
                "startWith": "$a",
                "connectFromField": "a",
                "connectToField": "b",
                "as": "c",
            }
        },
        {"$geoNear": {"near": [0, 0], "distanceField": "d"}},
        {"$search": {"text": {"query": "x", "path": "ssn"}}},
        {"$indexStats": {}},
        {"$lookup": {"from": "people", "localField": "a", "foreignField": "ssn", "as": "c"}},
        {"$lookup": {"from": "people", "localField": "a", "foreignField": "customer", "as": "c"}},
        {"$match": {"ssn": "1"}},
        {"$match": {"$or": [{"a": 1}, {"customer.card": {"$exists": True}}]}},
        {"$match": {"$text": {"$search": "x"}}},
        {"$group": {"_id": "$ssn"}},
        {"$project": {"x": "$$ROOT.ssn"}},
        {"$sortByCount": "$customer.card.number"},
        {"$merge": {"into": "x", "on": "ssn"}},
        {"$merge": {"into": "x", "whenMatched": [{"$set": {"a": "$other"}}]}},
    ],
)
def test_what_cannot_be_masked_or_names_a_field_is_refused(stage: dict[str, Any]) -> None:
    """Refused where the mask cannot stand, and where the caller asks for the field by name."""
    with pytest.raises(RefusedError):
        prepared([stage])


@pytest.mark.parametrize(
    "condition",
    [
        {"ssn": "1"},
        {"ssn": {"$gt": ""}},
        {"customer.card": None},
        {"customer": {"card": "1"}},
        {"customer": {"$gt": {"card": "1"}}},
        {"customer": {"$in": [{"card": "1"}]}},
        {"customer": {"$not": {"$lt": {"card": "5"}}}},
        {"customer": {"$elemMatch": {"card": "1"}}},
        {"customer": {"$elemMatch": {"$or": [{"card": "1"}]}}},
        {"$nor": [{"$and": [{"api_token": {"$regex": "^a"}}]}]},
        {"$expr": {"$gt": ["$$ROOT", {}]}},
        {"$jsonSchema": {"properties": {"ssn": {"minLength": 3}}}},
    ],
)
def test_writes_cannot_probe_by_what_they_match(condition: dict[str, Any]) -> None:
    """Where nothing can be removed first, a filter may only compare what holds nothing redacted."""
    with pytest.raises(RefusedError):
        check_fields(condition, DENY, strict=True)


@pytest.mark.parametrize(
    "condition",
    [
        {"name": "x"},
        {"customer.name": {"$in": ["a", "b"]}},
        {"customer": None},
        {"place": {"lat": 1, "lon": 2}},
        {"$or": [{"a": {"$elemMatch": {"b": 1}}}, {"n": {"$gte": 1}}], "$comment": "x"},
    ],
)
def test_other_conditions_pass(condition: dict[str, Any]) -> None:
    """Rules for one field do not close the others."""
    assert check_fields(condition, DENY, strict=True) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "update",
    [
        {"$set": {"ssn": "1"}},
        {"$set": {"customer": {"name": "x"}}},
        {"$rename": {"ssn": "x"}},
        {"$rename": {"x": "ssn"}},
        {"$rename": {"customer": "x"}},
        {"$pull": {"customer": {"card": "1"}}},
        {"$set": {"a": {"b": 1}, "my_token": 2}},
        [{"$set": {"x": "$ssn"}}],
    ],
)
def test_updates_neither_move_nor_change_redacted_fields(update: Any) -> None:
    """What cannot be seen cannot be copied to where it can."""
    with pytest.raises(RefusedError):
        check_update(update, DENY)


def test_other_updates_pass() -> None:
    """Fields without rules are ordinary."""
    assert check_update({"$set": {"name": "x", "customer.name": {"first": "a"}}}, DENY) is None  # type: ignore[func-returns-value]
