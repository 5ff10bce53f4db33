"""`maxTimeMS`, sizes and names."""

from __future__ import annotations

import time

import pytest

from emulators.mongodb import deadline as clock


@pytest.fixture
def hours_pass(monkeypatch):
    """Every look at the clock finds it an hour later."""
    ticks = iter(range(0, 10**9, 3600))
    monkeypatch.setattr(clock.time, "monotonic", lambda: float(next(ticks)))


@pytest.mark.usefixtures("hours_pass")
@pytest.mark.parametrize(
    "command",
    [
        {"find": "things"},
        {"count": "things"},
        {"distinct": "things", "key": "a"},
        {"aggregate": "things", "pipeline": [], "cursor": {}},
        {"update": "things", "updates": [{"q": {}, "u": {"$set": {"a": 1}}}]},
        {"insert": "things", "documents": [{}]},
        {"listCollections": 1},
        {"ping": 1},
    ],
    ids=lambda command: next(iter(command)),
)
def test_every_command_stops_when_its_time_is_up(run, command):
    reply = run({**command, "maxTimeMS": 1000})
    assert (reply["code"], reply["codeName"]) == (50, "MaxTimeMSExpired")


@pytest.mark.usefixtures("hours_pass")
def test_without_a_limit_time_does_not_matter(run):
    assert run({"find": "things", "maxTimeMS": 0})["ok"] == 1.0


def test_a_scan_stops_between_documents(run, monkeypatch):
    run({"insert": "things", "documents": [{"a": n} for n in range(20_000)]})
    looks = 0

    def later():
        nonlocal looks
        looks += 1
        return looks * 0.1

    monkeypatch.setattr(clock.time, "monotonic", later)
    assert run({"find": "things", "filter": {"a": -1}, "maxTimeMS": 1000})["code"] == 50
    assert looks < 20


@pytest.mark.parametrize(("limit", "code"), [(-1, 2), (2**31, 2), ("soon", 14), (1.5, 9)])
def test_a_limit_that_is_no_limit_is_refused(run, limit, code):
    assert run({"find": "things", "maxTimeMS": limit})["code"] == code


_NUMBERS = {"$range": [0, 400]}
_NESTED_MAP = {"$map": {"input": _NUMBERS, "in": {"$map": {"input": _NUMBERS, "in": {"$size": {"$map": {
    "input": _NUMBERS, "in": {"$add": ["$$this", 1]}}}}}}}}  # fmt: skip


@pytest.mark.parametrize(
    "stages",
    [
        [{"$project": {name: {"$range": [0, 100]} for name in "abcd"}}, *({"$unwind": f"${name}"} for name in "abcd")],
        [{"$project": {"a": _NESTED_MAP}}],
        [{"$project": {"a": {"$filter": {"input": {"$range": [0, 20_000]}, "cond": {
            "$in": ["$$this", {"$range": [30_000, 50_000]}]}}}}}],
        [{"$project": {"a": {"$reduce": {"input": {"$range": [0, 900_000]}, "initialValue": 0, "in": {
            "$add": ["$$value", {"$size": {"$range": [0, 900]}}]}}}}}],
        [{"$project": {"a": {"$range": [0, 20_000]}}}, {"$unwind": "$a"},
         {"$setWindowFields": {"sortBy": {"a": 1}, "output": {"x": {"$push": "$a", "window": {
             "documents": ["unbounded", "current"]}}}}}],
    ],
    ids=["unwind", "map", "in", "reduce", "window"],
)  # fmt: skip
def test_work_inside_one_document_stops_when_its_time_is_up(run, stages):
    begun = time.process_time()
    pipeline = [{"$documents": [{}]}, *stages, {"$count": "n"}]
    reply = run({"aggregate": 1, "pipeline": pipeline, "cursor": {}, "maxTimeMS": 200})
    assert reply["code"] == 50
    assert time.process_time() - begun < 5


_EXPLODES = r"^(?<x>a|aa)+$"
_LONG = "a" * 60 + "!"


@pytest.mark.parametrize(
    "command",
    [
        {"find": "things", "filter": {"a": {"$regex": _EXPLODES}}},
        {"find": "things", "filter": {"a": {"$regex": _EXPLODES, "$options": "is"}}},
        {"find": "things", "filter": {"a": {"$not": {"$regex": _EXPLODES}}}},
        {"find": "things", "filter": {"$jsonSchema": {"properties": {"a": {"pattern": _EXPLODES}}}}},
        {"find": "things", "filter": {"$jsonSchema": {"properties": {"b": {"patternProperties": {_EXPLODES: {}}}}}}},
        {"find": "things", "filter": {"$expr": {"$regexMatch": {"input": "$a", "regex": _EXPLODES}}}},
        {"aggregate": "things", "cursor": {}, "pipeline": [
            {"$set": {"x": {"$regexFindAll": {"input": "$a", "regex": _EXPLODES}}}}]},
        {"update": "things", "updates": [{"q": {"a": {"$regex": _EXPLODES}}, "u": {"$set": {"b": 1}}}]},
        {"find": "things", "filter": {}, "projection": {"c": {"$elemMatch": {"$regex": _EXPLODES}}}},
    ],
    ids=["regex", "options", "not", "pattern", "patternProperties", "expr", "findAll", "update", "elemMatch"],
)  # fmt: skip
@pytest.mark.parametrize("limit", [None, 100])
def test_a_regular_expression_is_bounded_wherever_it_stands(run, command, limit):
    """PCRE2 gives up on its own; so does this, and before the command's time is up where that is sooner."""
    run({"insert": "things", "documents": [{"a": _LONG, "b": {_LONG: 1}, "c": [_LONG]}]})
    begun = time.process_time()
    reply = run({**command, **({} if limit is None else {"maxTimeMS": limit})})
    found = reply["writeErrors"][0] if "writeErrors" in reply else reply
    assert found["code"] in ((50, 51156) if limit else (51156,))
    assert time.process_time() - begun < 3


def test_a_validator_cannot_hold_a_write_up(run):
    run({"create": "checked", "validator": {"a": {"$regex": _EXPLODES}}})
    reply = run({"insert": "checked", "documents": [{"a": _LONG}]})
    assert reply["writeErrors"][0]["code"] == 51156


def test_facets_without_end_are_refused_by_size_and_not_by_memory(run):
    facets = {f"f{number}": [] for number in range(50_000)}
    run({"insert": "things", "documents": [{"text": "x" * 1000} for _ in range(20)]})
    reply = run({"aggregate": "things", "pipeline": [{"$facet": facets}], "cursor": {}, "maxTimeMS": 5000})
    assert reply["code"] in (50, 10334, 4031700)


def test_documents_are_at_most_16_mebibytes(run):
    reply = run({"insert": "things", "documents": [{"blob": "x" * (16 * 1024 * 1024)}]})
    assert reply["writeErrors"][0]["code"] == 10334


@pytest.mark.parametrize("name", ["", "a$b", ".a", "a.", "system.users", "x" * 300])
def test_collection_names_follow_the_manual(run, name):
    assert run({"create": name})["code"] == 73


@pytest.mark.parametrize("name", ["a b", "a.b", "a/b", "x" * 64])
def test_database_names_follow_the_manual(run, name):
    assert run({"create": "c"}, db=name)["code"] == 73


def test_a_deeply_nested_filter_is_an_error_and_not_a_crash(run):
    query: dict[str, object] = {"a": 1}
    for _ in range(90):
        query = {"$and": [query]}
    assert run({"find": "things", "filter": query})["ok"] == 1.0
