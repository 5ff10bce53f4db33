"""Nothing is ignored in silence: what the server does not do is refused by name."""

from __future__ import annotations

import pytest


def test_unknown_command(run):
    reply = run({"frobnicate": 1})
    assert (reply["ok"], reply["code"], reply["codeName"]) == (0.0, 59, "CommandNotFound")
    assert reply["errmsg"] == "no such command: 'frobnicate'"


@pytest.mark.parametrize("name", ["mapReduce", "getLog", "currentOp", "eval", "replSetGetStatus"])
def test_commands_that_are_not_implemented_are_not_found(run, name):
    assert run({name: 1})["code"] == 59


def test_unknown_field_of_a_known_command(run):
    reply = run({"find": "things", "fliter": {}})
    assert (reply["code"], reply["errmsg"]) == (40415, "BSON field 'find.fliter' is an unknown field.")


@pytest.mark.parametrize(
    "option",
    [
        {"max": {"a": 1}},
        {"returnKey": True},
        {"tailable": True},
        {"collation": {"locale": "sv"}},
        {"showRecordId": True},
    ],
    ids=lambda option: next(iter(option)),
)
def test_known_options_that_are_not_implemented_are_named(run, option):
    reply = run({"find": "things", **option})
    assert reply["code"] == 238
    assert next(iter(option)) in reply["errmsg"]


def test_an_option_that_is_switched_off_is_accepted(run):
    assert run({"find": "things", "tailable": False, "collation": {"locale": "simple"}})["ok"] == 1.0


@pytest.mark.parametrize(
    "query",
    [
        {"$where": "true"},
        {"$and": [{"$or": [{"$where": "1"}]}]},
        {"a": {"$elemMatch": {"b": 1, "$where": "1"}}},
    ],
    ids=str,
)
def test_query_operators_that_are_not_implemented_are_named_wherever_they_hide(run, query):
    reply = run({"find": "things", "filter": query})
    assert reply["code"] == 238
    assert "stand-in" in reply["errmsg"]


@pytest.mark.parametrize(
    "stage",
    [{"$search": {}}, {"$changeStream": {}}, {"$densify": {}}, {"$fill": {}}, {"$vectorSearch": {}}],
    ids=lambda stage: next(iter(stage)),
)
def test_stages_that_are_not_implemented_are_named(run, stage):
    reply = run({"aggregate": "things", "pipeline": [stage], "cursor": {}})
    assert (reply["code"], next(iter(stage)) in reply["errmsg"]) == (238, True)


@pytest.mark.parametrize("wrapper", ["$facet", "$lookup", "$unionWith"])
def test_stages_inside_other_stages_are_looked_at_even_when_there_are_no_documents(run, wrapper):
    inner = [{"$geoNear": {}}]
    outer = {
        "$facet": {"one": [{"$densify": {}}]},
        "$lookup": {"from": "others", "pipeline": inner, "as": "x"},
        "$unionWith": {"coll": "others", "pipeline": inner},
    }[wrapper]
    reply = run({"aggregate": "things", "pipeline": [{wrapper: outer}], "cursor": {}})
    assert reply["ok"] == 0.0


@pytest.mark.parametrize("operator", ["$function", "$accumulator", "$toHashedIndexKey"])
def test_expressions_that_are_not_implemented_are_named(run, operator):
    reply = run({"aggregate": "things", "pipeline": [{"$set": {"x": {operator: {}}}}], "cursor": {}})
    assert (reply["code"], operator in reply["errmsg"]) == (238, True)


def test_expressions_that_do_not_exist_are_unrecognized(run):
    reply = run({"aggregate": "things", "pipeline": [{"$set": {"x": {"$frob": 1}}}], "cursor": {}})
    assert (reply["code"], reply["errmsg"]) == (168, "Unrecognized expression '$frob'")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"a": {"$frob": 1}}, 2),
        ({"$frob": 1}, 2),
        ({"a": {"$gt": 1, "b": 2}}, 2),
        ({"$or": []}, 2),
        ({"$and": {"a": 1}}, 2),
        ({"a": {"$in": 1}}, 2),
        ({"a": {"$size": -1}}, 2),
        ({"a": {"$mod": [0, 1]}}, 2),
        ({"a": {"$not": 1}}, 2),
        ({"a": {"$regex": "("}}, 51091),
        ({"a": {"$options": "i"}}, 2),
        ({"a": {"$type": "colour"}}, 2),
    ],
    ids=str,
)
def test_malformed_filters_fail_with_mongodbs_code(run, query, code):
    assert run({"find": "things", "filter": query})["code"] == code


@pytest.mark.parametrize("pattern", [r"(*CRLF)a", r"a(?i)b|c", r"[[:^alpha:]]"])
def test_regular_expressions_that_cannot_be_translated_are_refused(run, pattern):
    assert run({"find": "things", "filter": {"a": {"$regex": pattern}}})["code"] == 238


def test_transactions_and_retryable_writes_are_refused_as_a_standalone_server_does(run):
    reply = run({"insert": "things", "documents": [{}], "txnNumber": 1, "lsid": {"id": 1}})
    assert reply["code"] == 20


def test_linearizable_reads_and_replicated_writes_are_refused(run):
    assert run({"find": "things", "readConcern": {"level": "linearizable"}})["code"] == 123
    assert run({"insert": "things", "documents": [{}], "writeConcern": {"w": 2}})["code"] == 2


@pytest.mark.parametrize(
    "spec",
    [{"key": {"a": "geoHaystack"}}, {"key": {"a": "text"}, "default_language": "french"}],
    ids=lambda spec: str(next(iter(spec["key"].values()))),
)
def test_special_indexes_are_refused(run, spec):
    assert run({"createIndexes": "things", "indexes": [{**spec, "name": "x"}]})["code"] == 238


@pytest.mark.parametrize("option", ["capped", "timeseries", "clusteredIndex", "expireAfterSeconds"])
def test_special_collections_are_refused(run, option):
    assert run({"create": "things", option: {"x": 1}})["code"] == 238


def test_hello_says_standalone_without_sessions(run):
    reply = run({"hello": 1, "anythingNew": True})
    assert reply["isWritablePrimary"] is True
    assert "setName" not in reply
    assert "logicalSessionTimeoutMinutes" not in reply
