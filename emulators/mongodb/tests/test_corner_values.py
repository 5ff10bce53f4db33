"""Values at the corners of operators: each as MongoDB 8.2 answers, says the suite of `nox -s judge`."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from bson import Decimal128, Int64, ObjectId, Timestamp

_DATE = dt.datetime(1970, 1, 1)
_SPRING = {"startDate": dt.datetime(2021, 3, 14, 6, 30), "timezone": "America/New_York"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"$dateDiff": {**_SPRING, "endDate": dt.datetime(2021, 3, 14, 8, 30), "unit": "hour"}}, Int64(2)),
        ({"$dateDiff": {**_SPRING, "startDate": dt.datetime(2021, 3, 14, 6, 59), "endDate": dt.datetime(2021, 3, 14, 7),
                        "unit": "minute"}}, Int64(1)),
        ({"$dateAdd": {"startDate": _DATE, "unit": "day", "amount": 1, "timezone": "$gone"}}, None),
        ({"$dateFromParts": {"year": 2020, "month": "$gone"}}, None),
        ({"$dateTrunc": {"date": _DATE, "unit": "day", "binSize": "$gone"}}, None),
        ({"$trim": {"input": " a ", "chars": "$gone"}}, None),
        ({"$add": [1.7976931348623157e308, 1.7976931348623157e308]}, math.inf),
        ({"$avg": [1.7976931348623157e308, 1.7976931348623157e308]}, math.inf),
        ({"$stdDevPop": [1e308, 1e308, 1e308]}, 0.0),
        ({"$let": {"vars": {"v": {"a": [[1], [2]]}}, "in": "$$v.a.x"}}, []),
        ({"$sortArray": {"input": [{"a": [3, 1]}, {"a": [2]}], "sortBy": {"a": 1}}}, [{"a": [2]}, {"a": [3, 1]}]),
        ({"$add": [_DATE, 0.5]}, dt.datetime(1970, 1, 1, 0, 0, 0, 1000)),
        ({"$add": [_DATE, -0.5]}, dt.datetime(1969, 12, 31, 23, 59, 59, 999000)),
        ({"$subtract": [dt.datetime(1970, 1, 1, 0, 0, 1), 2.5]}, dt.datetime(1970, 1, 1, 0, 0, 0, 997000)),
        ({"$hour": {"date": _DATE, "timezone": "+25:00"}}, 1),
        ({"$year": ObjectId("ffffffff0000000000000000")}, 1969),
        ({"$dateToString": {"date": _DATE, "format": "%Z", "timezone": "+04:30"}}, "270"),
        ({"$multiply": [Decimal128("-0"), 1]}, Decimal128("-0")),
        ({"$toDecimal": 0.0}, Decimal128("0")),
        ({"$sum": [Decimal128("1"), 1.5]}, Decimal128("2.5")),
        ({"$trunc": [Decimal128("1.1"), 2]}, Decimal128("1.10")),
        ({"$mod": [Decimal128("9.999999999999999999999999999999999E+6144"), 3]}, Decimal128("0")),
        ({"$floor": Decimal128("Infinity")}, Decimal128("NaN")),
        ({"$pow": [1, -1]}, 1),
        ({"$pow": [-1, -1]}, -1),
        ({"$pow": [Decimal128("2"), 3]}, Decimal128("8.000000000000000000000000000000000")),
        ({"$toUpper": Timestamp(1, 1)}, "JAN  1 00:00:01:1"),
        ({"$toString": 1e16}, "1e+16"),
        ({"$toString": {"$add": [0.1, 0.2]}}, "0.30000000000000004"),
        ({"$toLower": 123456.789}, "123457"),
        ({"$toInt": "0" * 4400 + "1"}, 1),
        ({"$replaceAll": {"input": "ab", "find": "", "replacement": "-"}}, "-a-b-"),
        ({"$dateFromString": {"dateString": "2017-02-08T12:10:40+05:00", "timezone": "UTC"}},
         dt.datetime(2017, 2, 8, 7, 10, 40)),
        ({"$toDate": "  1970-01-01 "}, _DATE),
    ],
    ids=lambda item: next(iter(item)) if isinstance(item, dict) else "",
)  # fmt: skip
def test_an_expression_has_the_value(run, expression, value):
    pipeline = [{"$documents": [{}]}, {"$project": {"x": expression}}]
    reply = run({"aggregate": 1, "pipeline": pipeline, "cursor": {}})
    assert reply["ok"] == 1.0, reply
    found = reply["cursor"]["firstBatch"][0]["x"]
    assert (type(found), found) == (type(value), value) or repr(found) == repr(value)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ({"$concat": [1, None]}, 16702),
        ({"$mod": ["a", 1]}, 16611),
        ({"$abs": "a"}, 28765),
        ({"$round": [1, "a"]}, 16004),
        ({"$indexOfArray": [[1], 1, 2**40]}, 9711600),
        ({"$range": [0, 2**40]}, 34446),
        ({"$setField": {"field": "a", "input": 1, "value": 1}}, 4161105),
        ({"$getField": 1}, 3041704),
        ({"$dateAdd": {"startDate": 1, "unit": "day", "amount": 1}}, 5166403),
        ({"$regexMatch": {"input": None, "regex": "a", "options": 1}}, 51106),
        ({"$add": [_DATE, math.nan]}, 15),
        ({"$switch": {"branches": []}}, 40068),
        ({"$cond": {"if": 1, "then": 1}}, 17082),
        ({"$ifNull": [1]}, 1257300),
        ("$$", 9),
        ("$a..b", 15998),
    ],
    ids=str,
)
def test_an_expression_is_refused_with_its_own_code(run, expression, code):
    pipeline = [{"$documents": [{}]}, {"$project": {"x": expression}}]
    assert run({"aggregate": 1, "pipeline": pipeline, "cursor": {}})["code"] == code


def test_merging_by_a_pipeline_keeps_the_identity(run, find):
    run({"insert": "target", "documents": [{"_id": 1, "y": 2}]})
    run({"insert": "source", "documents": [{"_id": 1, "z": 1, "a": 7}]})

    def merge(**options):
        return run({"aggregate": "source", "pipeline": [{"$merge": {"into": "target", **options}}], "cursor": {}})

    assert merge(whenMatched=[{"$replaceWith": {"z": "$$new.z"}}])["ok"] == 1.0
    assert find("target") == [{"_id": 1, "z": 1}]
    assert merge(let={"v": "$a"}, whenMatched=[{"$set": {"v": "$$v", "n": "$$new.z"}}])["ok"] == 1.0
    assert find("target") == [{"_id": 1, "z": 1, "v": 7, "n": 1}]
    assert merge(whenMatched=[{"$match": {}}])["code"] == 72
    assert merge(whenMatched=[{"$set": {"_id": 2}}])["code"] == 66
    assert merge(whenMatched=5)["code"] == 51191
    assert merge(on=5)["code"] == 51186


def test_a_merge_writes_what_it_can(run, find):
    run({"insert": "target", "documents": [{"_id": 1, "x": 1}]})
    run({"insert": "source", "documents": [{"_id": 1}, {"_id": 2}]})
    pipeline = [{"$merge": {"into": "target", "whenMatched": "fail"}}]
    assert run({"aggregate": "source", "pipeline": pipeline, "cursor": {}})["code"] == 11000
    assert find("target") == [{"_id": 1, "x": 1}, {"_id": 2}]
    assert run({"aggregate": "nothing", "pipeline": [{"$merge": "fresh"}], "cursor": {}})["ok"] == 1.0
    assert run({"listCollections": 1, "filter": {"name": "fresh"}})["cursor"]["firstBatch"] == []


def test_a_lookup_by_an_empty_array_finds_null(run):
    run({"insert": "local", "documents": [{"_id": 1, "lf": []}]})
    run({"insert": "foreign", "documents": [{"_id": 10, "ff": None}, {"_id": 11}, {"_id": 12, "ff": 1}]})
    stage = {"$lookup": {"from": "foreign", "localField": "lf", "foreignField": "ff", "as": "found"}}
    rows = run({"aggregate": "local", "pipeline": [stage], "cursor": {}})["cursor"]["firstBatch"]
    assert [row["_id"] for row in rows[0]["found"]] == [10, 11]


def test_projections_of_find(run, find):
    run({"insert": "things", "documents": [{"_id": 1, "d": {"c": ["r", "g", "b"], "size": "L"}, "a": [1, 5], "c": 1}]})
    assert find("things", {}, projection={"_id": 1, "d.c": {"$slice": 2}}) == [{"_id": 1, "d": {"c": ["r", "g"]}}]
    assert find("things", {}, projection={"a": {"$elemMatch": {"$gt": 3}}, "c": 0, "d": 0}) == [{"_id": 1, "a": [5]}]
    assert find("things", {}, projection={"a": {"$slice": 1.5}})[0]["a"] == [1]


def test_the_positional_operator_needs_a_condition_that_an_element_fulfils(run, find):
    run({"insert": "things", "documents": [{"_id": 1, "a": [1, 2]}]})
    update = {"q": {"a": {"$ne": 7}}, "u": {"$set": {"a.$": 5}}}
    assert run({"update": "things", "updates": [update]})["writeErrors"][0]["code"] == 2
    assert find("things") == [{"_id": 1, "a": [1, 2]}]


def test_distinct_values_come_in_order(run):
    run({"insert": "things", "documents": [{"a": 3}, {"a": 1}, {"a": "x"}, {"a": None}]})
    assert run({"distinct": "things", "key": "a"})["values"] == [None, 1, 3, "x"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"findAndModify": "things", "remove": "x"}, 14),
        ({"insert": "things", "documents": [{}], "ordered": "x"}, 14),
        ({"killCursors": "things", "cursors": [1.5]}, 14),
        ({"aggregate": "things", "pipeline": [], "cursor": {}, "allowDiskUse": 1}, 14),
        ({"aggregate": "things", "pipeline": [], "cursor": {}, "hint": 5}, 9),
        ({"aggregate": "things", "cursor": {}}, 40414),
        ({"find": "things", "filter": {}, "skip": "x"}, 14),
        ({"find": "things", "filter": {}, "skip": -1}, 2),
        ({"find": "things", "readConcern": {"level": 5}}, 14),
        ({"insert": "things", "documents": [{}], "writeConcern": {"j": []}}, 14),
        ({"aggregate": "things", "pipeline": [{"$merge": {"into": "admin", "let": 5}}], "cursor": {}}, 14),
        ({"aggregate": "things", "pipeline": [{"$lookup": {"from": "x", "as": 5, "pipeline": []}}], "cursor": {}}, 14),
        ({"find": "things", "filter": {"$jsonSchema": {"title": 5}}}, 14),
        ({"find": "things", "filter": {"$jsonSchema": {"items": 5}}}, 14),
        ({"aggregate": "things", "pipeline": [{"$bucket": {"groupBy": "$a", "boundaries": 5}}], "cursor": {}}, 40200),
        ({"aggregate": "things", "pipeline": [{"$facet": {"a.b": []}}], "cursor": {}}, 16412),
    ],
    ids=str,
)
def test_options_of_a_wrong_type_are_refused(run, command, code):
    assert run(command)["code"] == code


def test_numbers_with_a_fraction_are_made_whole_where_a_command_counts(run, find):
    run({"insert": "things", "documents": [{"_id": n} for n in range(5)]})
    assert len(find("things", {}, limit=2.9)) == 2
    assert len(find("things", {}, skip=Decimal128("2.5"))) == 3
    assert find("things", {}, sort={"_id": -1.0}, limit=1) == [{"_id": 4}]


def test_a_deviation_takes_doubles_by_all_their_digits(run):
    """Not by the 15 that a double has as a decimal: these two differ in the seventeenth (`AccumulatorStdDev`)."""
    run({"insert": "c", "documents": [{"v": 0.1}, {"v": math.nextafter(0.1, 1)}]})
    group = {"_id": None, "x": {"$stdDevPop": "$v"}}
    (row,) = run({"aggregate": "c", "pipeline": [{"$group": group}], "cursor": {}})["cursor"]["firstBatch"]
    assert row["x"] > 0
