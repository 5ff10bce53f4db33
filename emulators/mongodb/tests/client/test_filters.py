"""Filters, and which documents they match. Expectations follow the manual's "Query and Projection Operators"."""

from __future__ import annotations

import datetime as dt

import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Regex, Timestamp

DAY = dt.datetime(2026, 3, 1)
# One document for each kind of value that `v` can have.
VALUES = [
    {"_id": "int", "v": 1},
    {"_id": "long", "v": Int64(1)},
    {"_id": "double", "v": 1.0},
    {"_id": "decimal", "v": Decimal128("1")},
    {"_id": "half", "v": 0.5},
    {"_id": "true", "v": True},
    {"_id": "false", "v": False},
    {"_id": "null", "v": None},
    {"_id": "absent"},
    {"_id": "text", "v": "1"},
    {"_id": "list", "v": [1, 2]},
    {"_id": "empty list", "v": []},
    {"_id": "nested list", "v": [[1, 2]]},
    {"_id": "object", "v": {"a": 1}},
    {"_id": "empty object", "v": {}},
    {"_id": "date", "v": DAY},
    {"_id": "bytes", "v": Binary(b"1")},
    {"_id": "id", "v": ObjectId("64b000000000000000000001")},
    {"_id": "timestamp", "v": Timestamp(1, 1)},
    {"_id": "nan", "v": float("nan")},
    {"_id": "regex", "v": Regex("^1")},
]
ONES = {"int", "long", "double", "decimal", "list"}

BY_VALUE = [
    ({"v": 1}, ONES),
    ({"v": 1.0}, ONES),
    ({"v": Decimal128("1.0")}, ONES),
    ({"v": True}, {"true"}),
    ({"v": False}, {"false"}),
    ({"v": None}, {"null", "absent"}),
    ({"v": "1"}, {"text"}),
    ({"v": [1, 2]}, {"list", "nested list"}),
    ({"v": [2, 1]}, set()),
    ({"v": []}, {"empty list"}),
    ({"v": {}}, {"empty object"}),
    ({"v": {"a": 1}}, {"object"}),
    ({"v": {"a": 1.0}}, {"object"}),
    ({"v": DAY}, {"date"}),
    ({"v": float("nan")}, {"nan"}),
    ({"v": {"$eq": Regex("^1")}}, {"regex"}),
    ({"v": Regex("^1")}, {"text", "regex"}),
    ({"v": {"$gt": 0}}, ONES | {"half"}),
    ({"v": {"$gt": 1}}, {"list"}),
    ({"v": {"$gte": 1}}, ONES),
    ({"v": {"$lt": 1}}, {"half"}),
    ({"v": {"$lte": Decimal128("0.5")}}, {"half"}),
    ({"v": {"$gt": "0"}}, {"text"}),
    ({"v": {"$gte": False}}, {"true", "false"}),
    ({"v": {"$gt": False}}, {"true"}),
    ({"v": {"$gte": DAY}}, {"date"}),
    ({"v": {"$lt": DAY}}, set()),
    ({"v": {"$gte": None}}, {"null", "absent"}),
    ({"v": {"$gt": None}}, set()),
    ({"v": {"$gte": float("nan")}}, {"nan"}),
    ({"v": {"$gt": [1]}}, {"list", "nested list"}),
    ({"v": {"$gt": {}}}, {"object"}),
    ({"v": {"$in": [True, None]}}, {"true", "null", "absent"}),
    ({"v": {"$in": [Regex("^1"), 0.5]}}, {"text", "regex", "half"}),
    ({"v": {"$in": []}}, set()),
    ({"v": {"$in": [[1, 2]]}}, {"list", "nested list"}),
    ({"v": {"$type": "number"}}, ONES | {"half", "nan"}),
    ({"v": {"$type": "int"}}, {"int", "list"}),
    ({"v": {"$type": "long"}}, {"long"}),
    ({"v": {"$type": "double"}}, {"double", "half", "nan"}),
    ({"v": {"$type": 19}}, {"decimal"}),
    ({"v": {"$type": "array"}}, {"list", "empty list", "nested list"}),
    ({"v": {"$type": ["bool", "null"]}}, {"true", "false", "null"}),
    ({"v": {"$type": "object"}}, {"object", "empty object"}),
    ({"v": {"$type": "binData"}}, {"bytes"}),
    ({"v": {"$type": "regex"}}, {"regex"}),
    ({"v": {"$exists": False}}, {"absent"}),
    ({"v": {"$exists": True, "$eq": None}}, {"null"}),
    ({"v": {"$size": 2}}, {"list"}),
    ({"v": {"$size": 0}}, {"empty list"}),
    ({"v": {"$mod": [2, 1]}}, ONES),
    ({"v": {"$mod": [2, 0]}}, {"half", "list"}),
    ({"v": {"$bitsAllSet": [0]}}, ONES | {"bytes"}),
    ({"v": {"$elemMatch": {"$gte": 2}}}, {"list"}),
    ({"v": {"$elemMatch": {"$gt": 1, "$lt": 2}}}, set()),
    ({"v": {"$elemMatch": {"$elemMatch": {"$eq": 1}}}}, {"nested list"}),
    ({"v": {"$all": [1, 2]}}, {"list"}),
    ({"v": {"$all": [1]}}, ONES),
    ({"v": {"$all": []}}, set()),
    ({"v": {"$all": [[1, 2]]}}, {"list", "nested list"}),
    ({"v.a": 1}, {"object"}),
    ({"v.0": 1}, {"list"}),
    ({"v.1": 2}, {"list"}),
    ({"v.a": {"$exists": True}}, {"object"}),
    ({"$expr": {"$eq": ["$v", 1]}}, {"int", "long", "double", "decimal"}),
    ({"$expr": {"$lte": ["$v", None]}}, {"null", "absent"}),
    ({"$expr": {"$eq": [{"$type": "$v"}, "missing"]}}, {"absent"}),
    ({"$or": [{"v": True}, {"v": "1"}]}, {"true", "text"}),
    ({"$and": [{"v": {"$gt": 0}}, {"v": {"$lt": 1}}]}, {"half"}),
    ({"v": {"$gt": 0, "$lt": 1}}, {"half"}),
    ({"_id": {"$regex": "^n"}}, {"null", "nested list", "nan"}),
    ({"_id": {"$regex": "LIST$", "$options": "i"}}, {"list", "empty list", "nested list"}),
    ({"_id": {"$in": ["int", "long", "nothing"]}}, {"int", "long"}),
    ({"_id": {"$gt": "text"}}, {"timestamp", "true"}),
    ({"_id": "int", "v": 2}, set()),
    ({"$comment": "why", "_id": "int"}, {"int"}),
    ({"$nor": [{"_id": {"$ne": "int"}}]}, {"int"}),
    ({"$jsonSchema": {"required": ["v"], "properties": {"v": {"bsonType": "bool"}}}}, {"true", "false"}),
]


@pytest.fixture
def values(collection):
    collection.insert_many(VALUES)
    return collection


@pytest.mark.parametrize(("query", "expected"), BY_VALUE, ids=[str(query) for query, _ in BY_VALUE])
def test_what_a_filter_matches(values, query, expected):
    assert {found["_id"] for found in values.find(query)} == expected


@pytest.mark.parametrize(
    "query",
    [{"v": {"$gt": 0}}, {"v": 1}, {"v": None}, {"v": {"$in": [1, None]}}, {"v": Regex("^1")}, {"v": {"$size": 2}}],
    ids=str,
)
def test_negation_is_everything_else(values, query):
    every = {found["_id"] for found in VALUES}
    positive = {found["_id"] for found in values.find(query)}
    assert {found["_id"] for found in values.find({"$nor": [query]})} == every - positive
    ((field, condition),) = query.items()
    negative = {field: {"$not": condition}} if isinstance(condition, dict | Regex) else {field: {"$ne": condition}}
    assert {found["_id"] for found in values.find(negative)} == every - positive


# The manual, "Query an Array of Embedded Documents" and "Query on Embedded/Nested Documents".
STOCK = [
    {
        "_id": "journal",
        "instock": [{"warehouse": "A", "qty": 5}, {"warehouse": "C", "qty": 15}],
        "size": {"h": 14, "uom": "cm"},
    },
    {"_id": "notebook", "instock": [{"warehouse": "C", "qty": 5}], "size": {"h": 8.5, "uom": "in"}},
    {
        "_id": "paper",
        "instock": [{"warehouse": "A", "qty": 60}, {"warehouse": "B", "qty": 15}],
        "size": {"h": 8.5, "uom": "in"},
    },
    {
        "_id": "planner",
        "instock": [{"warehouse": "A", "qty": 40}, {"warehouse": "B", "qty": 5}],
        "size": {"h": 22.85, "uom": "cm"},
    },
    {
        "_id": "postcard",
        "instock": [{"warehouse": "B", "qty": 15}, {"warehouse": "C", "qty": 35}],
        "size": {"h": 10, "uom": "cm"},
    },
]
IN_STOCK = [
    ({"instock": {"warehouse": "A", "qty": 5}}, ["journal"]),
    ({"instock": {"qty": 5, "warehouse": "A"}}, []),
    ({"instock.qty": {"$lte": 20}}, ["journal", "notebook", "paper", "planner", "postcard"]),
    ({"instock.0.qty": {"$lte": 20}}, ["journal", "notebook", "postcard"]),
    ({"instock": {"$elemMatch": {"qty": 5, "warehouse": "A"}}}, ["journal"]),
    ({"instock": {"$elemMatch": {"qty": {"$gt": 10, "$lte": 20}}}}, ["journal", "paper", "postcard"]),
    ({"instock.qty": {"$gt": 10, "$lte": 20}}, ["journal", "paper", "planner", "postcard"]),
    ({"instock.qty": 5, "instock.warehouse": "A"}, ["journal", "planner"]),
    ({"size.h": {"$lt": 15}, "size.uom": "in"}, ["notebook", "paper"]),
    ({"size": {"h": 14, "uom": "cm"}}, ["journal"]),
    ({"size": {"uom": "cm", "h": 14}}, []),
    ({"instock.colour": None}, ["journal", "notebook", "paper", "planner", "postcard"]),
    ({"instock.warehouse": {"$ne": "A"}}, ["notebook", "postcard"]),
    ({"instock.warehouse": {"$nin": ["A", "B"]}}, ["notebook"]),
    ({"instock": {"$not": {"$elemMatch": {"warehouse": "A"}}}}, ["notebook", "postcard"]),
    ({"instock": {"$size": 1}}, ["notebook"]),
    ({"instock.1": {"$exists": False}}, ["notebook"]),
]


@pytest.mark.parametrize(("query", "expected"), IN_STOCK, ids=[str(query) for query, _ in IN_STOCK])
def test_arrays_of_documents(collection, query, expected):
    collection.insert_many(STOCK)
    assert [found["_id"] for found in collection.find(query).sort("_id")] == expected


NULLS = [
    {"_id": "b null", "a": {"b": None}},
    {"_id": "b absent", "a": {}},
    {"_id": "a number", "a": 4},
    {"_id": "a null", "a": None},
    {"_id": "a absent"},
    {"_id": "a empty", "a": []},
    {"_id": "some absent", "a": [{"b": 1}, {}]},
    {"_id": "none absent", "a": [{"b": 1}]},
    {"_id": "numbers", "a": [1, 2]},
]


def test_null_matches_what_is_not_there_but_not_an_empty_array(collection):
    collection.insert_many(NULLS)
    matched = {found["_id"] for found in collection.find({"a.b": None})}
    assert matched == {"b null", "b absent", "a number", "a null", "a absent", "some absent"}
    absent = {found["_id"] for found in collection.find({"a.b": {"$exists": False}})}
    assert absent == {"b absent", "a number", "a null", "a absent", "a empty", "numbers"}


# The manual, "Comparison/Sort Order".
IN_ORDER = [
    {"_id": 1, "v": None},
    {"_id": 2, "v": float("nan")},
    {"_id": 3, "v": float("-inf")},
    {"_id": 4, "v": -1},
    {"_id": 5, "v": Decimal128("0.5")},
    {"_id": 6, "v": 1.5},
    {"_id": 7, "v": Int64(2**40)},
    {"_id": 8, "v": ""},
    {"_id": 9, "v": "B"},
    {"_id": 10, "v": "a"},
    {"_id": 11, "v": "é"},
    {"_id": 12, "v": {"a": 1}},
    {"_id": 13, "v": {"a": 2}},
    {"_id": 14, "v": {"b": 1}},
    {"_id": 15, "v": {"a": "x"}},
    {"_id": 16, "v": Binary(b"z")},
    {"_id": 17, "v": Binary(b"aa")},
    {"_id": 18, "v": ObjectId("64b000000000000000000001")},
    {"_id": 19, "v": False},
    {"_id": 20, "v": True},
    {"_id": 21, "v": DAY},
    {"_id": 22, "v": Timestamp(1, 1)},
    {"_id": 23, "v": Regex("a")},
]


@pytest.mark.parametrize("direction", [1, -1])
def test_the_order_of_types(collection, direction):
    collection.insert_many(IN_ORDER[::-direction])
    found = [row["_id"] for row in collection.find().sort("v", direction)]
    assert found == list(range(1, 24))[::direction]


def test_arrays_sort_by_their_smallest_or_largest_element(collection):
    collection.insert_many(
        [
            {"_id": "low-high", "v": [1, 9]},
            {"_id": "middle", "v": 5},
            {"_id": "mid", "v": [4, 6]},
            {"_id": "none", "v": []},
        ]
    )
    assert [row["_id"] for row in collection.find().sort("v", 1)] == ["none", "low-high", "mid", "middle"]
    assert [row["_id"] for row in collection.find().sort("v", -1)] == ["low-high", "mid", "middle", "none"]


def test_sorting_by_several_fields_skipping_and_limiting(collection):
    collection.insert_many([{"_id": n, "a": n % 3, "b": -n} for n in range(9)])
    found = collection.find().sort([("a", -1), ("b", 1)]).skip(1).limit(4)
    assert [row["_id"] for row in found] == [5, 2, 7, 4]


PROJECTIONS = [
    ({"a": 1}, {"_id": 1, "a": 1}),
    ({"a": 1, "_id": 0}, {"a": 1}),
    ({"a": 0, "o": 0, "l": 0}, {"_id": 1, "docs": [{"x": 1, "y": 2}, {"y": 4}, 5]}),
    ({"o.p": 1}, {"_id": 1, "o": {"p": 1}}),
    ({"o": {"q": 1}}, {"_id": 1, "o": {"q": {"r": 2}}}),
    ({"o.q.s": 1}, {"_id": 1, "o": {"q": {}}}),
    ({"docs.x": 1}, {"_id": 1, "docs": [{"x": 1}, {}]}),
    ({"docs.x": 0, "a": 0, "l": 0, "o": 0}, {"_id": 1, "docs": [{"y": 2}, {"y": 4}, 5]}),
    ({"nothing": 1}, {"_id": 1}),
    ({"_id": 0, "l": {"$slice": 2}, "a": 1}, {"a": 1, "l": [1, 2]}),
    ({"_id": 0, "l": {"$slice": [-2, 1]}, "a": 1}, {"a": 1, "l": [2]}),
    ({"_id": 1, "docs": {"$elemMatch": {"y": {"$gt": 2}}}}, {"_id": 1, "docs": [{"y": 4}]}),
    ({"_id": 1, "docs": {"$elemMatch": {"y": 9}}}, {"_id": 1}),
    ({"_id": 0, "sum": {"$add": ["$a", "$o.p"]}}, {"sum": 2}),
    ({"_id": 0, "copy": "$o.q.r"}, {"copy": 2}),
    ({"_id": 0, "a": 1, "label": "fixed"}, {"a": 1, "label": "fixed"}),
]


@pytest.mark.parametrize(("projection", "expected"), PROJECTIONS, ids=[str(item) for item, _ in PROJECTIONS])
def test_projections(collection, exactly, projection, expected):
    document = {"_id": 1, "a": 1, "l": [1, 2, 3], "o": {"p": 1, "q": {"r": 2}}, "docs": [{"x": 1, "y": 2}, {"y": 4}, 5]}
    collection.insert_one(document)
    exactly([expected], list(collection.find({}, projection)))


def test_the_positional_projection(collection):
    collection.insert_one({"_id": 1, "grades": [{"g": 80, "m": 75}, {"g": 85, "m": 90}, {"g": 90, "m": 85}]})
    assert collection.find_one({"grades.m": {"$gt": 80}}, {"grades.$": 1})["grades"] == [{"g": 85, "m": 90}]
    matched = collection.find_one({"grades": {"$elemMatch": {"g": {"$gt": 85}}}}, {"grades.$": 1})
    assert matched == {"_id": 1, "grades": [{"g": 90, "m": 85}]}


@pytest.mark.parametrize("projection", [{"a": 1, "b": 0}, {"a": 0, "b": 1}, {"a": 1, "a.b": 1}], ids=str)
def test_contradictory_projections_fail(collection, projection):
    collection.insert_one({"a": {"b": 1}, "b": 1})
    with pytest.raises(Exception, match=r"(?i)projection|collision"):
        collection.find_one({}, projection)


def test_distinct_values(collection):
    collection.insert_many([{"a": [1, 2]}, {"a": 2.0}, {"a": None}, {"a": "x"}, {}, {"a": [[3]]}, {"a": {"b": 1}}])
    assert sorted(map(str, collection.distinct("a"))) == sorted(map(str, [1, 2, None, "x", [3], {"b": 1}]))
    assert collection.distinct("a.b") == [1]
    assert collection.distinct("a", {"a": {"$gt": 1}}) == [1, 2]


def test_counting(collection):
    collection.insert_many([{"a": n} for n in range(10)])
    assert collection.count_documents({"a": {"$gte": 4}}) == 6
    assert collection.count_documents({"a": {"$gte": 4}}, skip=1, limit=3) == 3
    assert collection.estimated_document_count() == 10
