"""Aggregation stages. Expectations follow the manual's page of each stage; several examples are the manual's own."""

from __future__ import annotations

import datetime as dt

import pymongo.errors
import pytest
from bson import Decimal128, Int64

SALES = [
    {"_id": 1, "item": "abc", "price": Decimal128("10"), "quantity": 2, "date": dt.datetime(2014, 3, 1, 8)},
    {"_id": 2, "item": "jkl", "price": Decimal128("20"), "quantity": 1, "date": dt.datetime(2014, 3, 1, 9)},
    {"_id": 3, "item": "xyz", "price": Decimal128("5"), "quantity": 10, "date": dt.datetime(2014, 3, 15, 9)},
    {"_id": 4, "item": "xyz", "price": Decimal128("5"), "quantity": 20, "date": dt.datetime(2014, 4, 4, 11)},
    {"_id": 5, "item": "abc", "price": Decimal128("10"), "quantity": 10, "date": dt.datetime(2014, 4, 4, 21)},
    {"_id": 6, "item": "def", "price": Decimal128("7.5"), "quantity": 5, "date": dt.datetime(2015, 6, 4, 5)},
    {"_id": 7, "item": "def", "price": Decimal128("7.5"), "quantity": 10, "date": dt.datetime(2015, 9, 10, 8)},
    {"_id": 8, "item": "abc", "price": Decimal128("10"), "quantity": 5, "date": dt.datetime(2016, 2, 6, 20)},
]
AMOUNT = {"$multiply": ["$price", "$quantity"]}
BY_ID = {"$sort": {"_id": 1}}
ON_SALES = {
    "the manual's total by item": (
        [
            {"$group": {"_id": "$item", "total": {"$sum": AMOUNT}}},
            {"$match": {"total": {"$gte": 100}}},
            BY_ID,
        ],
        [
            {"_id": "abc", "total": Decimal128("170")},
            {"_id": "def", "total": Decimal128("112.5")},
            {"_id": "xyz", "total": Decimal128("150")},
        ],
    ),
    "the manual's totals by day of 2014": (
        [
            {"$match": {"date": {"$gte": dt.datetime(2014, 1, 1), "$lt": dt.datetime(2015, 1, 1)}}},
            {
                "$group": {
                    "_id": {"$dateToString": {"format": "%Y-%m-%d", "date": "$date"}},
                    "total": {"$sum": AMOUNT},
                    "average": {"$avg": "$quantity"},
                    "count": {"$sum": 1},
                }
            },
            {"$sort": {"total": -1}},
        ],
        [
            {"_id": "2014-04-04", "total": Decimal128("200"), "average": 15.0, "count": 2},
            {"_id": "2014-03-15", "total": Decimal128("50"), "average": 10.0, "count": 1},
            {"_id": "2014-03-01", "total": Decimal128("40"), "average": 1.5, "count": 2},
        ],
    ),
    "everything in one group": (
        [{"$group": {"_id": None, "n": {"$count": {}}, "most": {"$max": "$quantity"}, "least": {"$min": "$price"}}}],
        [{"_id": None, "n": 8, "most": 20, "least": Decimal128("5")}],
    ),
    "a compound group key": (
        [
            {"$group": {"_id": {"y": {"$year": "$date"}, "i": "$item"}, "n": {"$sum": 1}}},
            {"$match": {"_id.y": 2014}},
            {"$sort": {"_id.i": 1}},
        ],
        [
            {"_id": {"y": 2014, "i": "abc"}, "n": 2},
            {"_id": {"y": 2014, "i": "jkl"}, "n": 1},
            {"_id": {"y": 2014, "i": "xyz"}, "n": 2},
        ],
    ),
    "collecting values": (
        [
            BY_ID,
            {
                "$group": {
                    "_id": "$item",
                    "all": {"$push": "$quantity"},
                    "first": {"$first": "$quantity"},
                    "last": {"$last": "$quantity"},
                    "ids": {"$push": {"id": "$_id"}},
                }
            },
            {"$match": {"_id": "abc"}},
        ],
        [{"_id": "abc", "all": [2, 10, 5], "first": 2, "last": 5, "ids": [{"id": 1}, {"id": 5}, {"id": 8}]}],
    ),
    "the top two": (
        [
            {
                "$group": {
                    "_id": None,
                    "top": {"$topN": {"n": 2, "sortBy": {"quantity": -1, "_id": 1}, "output": "$_id"}},
                    "worst": {"$bottom": {"sortBy": {"quantity": -1}, "output": "$item"}},
                    "big": {"$maxN": {"n": 2, "input": "$quantity"}},
                }
            }
        ],
        [{"_id": None, "top": [4, 3], "worst": "jkl", "big": [20, 10]}],
    ),
    "deviation": (
        [
            {"$match": {"item": "def"}},
            {"$group": {"_id": 0, "p": {"$stdDevPop": "$quantity"}, "s": {"$stdDevSamp": "$_id"}}},
        ],
        [{"_id": 0, "p": 2.5, "s": 0.7071067811865476}],
    ),
    "counting": ([{"$match": {"quantity": {"$gt": 5}}}, {"$count": "many"}], [{"many": 4}]),
    "counting nothing": ([{"$match": {"item": "none"}}, {"$count": "many"}], []),
    "sort by count": (
        [{"$sortByCount": "$item"}, {"$limit": 1}],
        [{"_id": "abc", "count": 3}],
    ),
    "skip and limit": ([BY_ID, {"$skip": 2}, {"$limit": 2}, {"$project": {"_id": 1}}], [{"_id": 3}, {"_id": 4}]),
    "buckets": (
        [
            {
                "$bucket": {
                    "groupBy": "$quantity",
                    "boundaries": [0, 5, 15],
                    "default": "more",
                    "output": {"ids": {"$push": "$_id"}},
                }
            }
        ],
        [{"_id": 0, "ids": [1, 2]}, {"_id": 5, "ids": [3, 5, 6, 7, 8]}, {"_id": "more", "ids": [4]}],
    ),
    "automatic buckets": (
        [{"$match": {"_id": {"$lte": 4}}}, {"$bucketAuto": {"groupBy": "$quantity", "buckets": 2}}],
        [{"_id": {"min": 1, "max": 10}, "count": 2}, {"_id": {"min": 10, "max": 20}, "count": 2}],
    ),
    "facets": (
        [
            BY_ID,
            {
                "$facet": {
                    "cheap": [{"$match": {"price": {"$lt": 7}}}, {"$project": {"_id": 1}}],
                    "count": [{"$count": "n"}],
                    "none": [{"$match": {"item": "none"}}],
                }
            },
        ],
        [{"cheap": [{"_id": 3}, {"_id": 4}], "count": [{"n": 8}], "none": []}],
    ),
    "computed and removed fields": (
        [
            {"$match": {"_id": 1}},
            {"$set": {"price": "$$REMOVE", "total.net": AMOUNT, "half": {"$divide": ["$quantity", 2]}}},
            {"$unset": ["date", "item"]},
        ],
        [{"_id": 1, "quantity": 2, "total": {"net": Decimal128("20")}, "half": 1.0}],
    ),
    "a new root": (
        [
            {"$match": {"_id": 3}},
            {"$replaceRoot": {"newRoot": {"$mergeObjects": [{"kind": "sale"}, {"n": "$quantity"}]}}},
        ],
        [{"kind": "sale", "n": 10}],
    ),
    "union with itself": (
        [
            {"$match": {"_id": 1}},
            {"$unionWith": {"coll": "things", "pipeline": [{"$match": {"_id": 2}}]}},
            {"$project": {"item": 1}},
        ],
        [{"_id": 1, "item": "abc"}, {"_id": 2, "item": "jkl"}],
    ),
    "an expression in a match": (
        [{"$match": {"$expr": {"$gt": [{"$multiply": ["$price", "$quantity"]}, 75]}}}, BY_ID, {"$project": {"_id": 1}}],
        [{"_id": 4}, {"_id": 5}],
    ),
}


@pytest.mark.parametrize(("pipeline", "expected"), ON_SALES.values(), ids=ON_SALES)
def test_pipelines_over_sales(collection, exactly, pipeline, expected):
    collection.insert_many(SALES)
    exactly(expected, list(collection.aggregate(pipeline)))


UNWINDS = {
    "an array": ("$sizes", [(1, "S"), (1, "M"), (4, "L")]),
    "kept when empty": (
        {"path": "$sizes", "preserveNullAndEmptyArrays": True},
        [(1, "S"), (1, "M"), (2, "-"), (3, "-"), (4, "L"), (5, None)],
    ),
}


@pytest.mark.parametrize(("stage", "expected"), UNWINDS.values(), ids=UNWINDS)
def test_unwinding(collection, stage, expected):
    documents = [{"sizes": ["S", "M"]}, {"sizes": []}, {}, {"sizes": "L"}, {"sizes": None}]
    collection.insert_many([{"_id": number, **document} for number, document in enumerate(documents, 1)])
    rows = collection.aggregate([BY_ID, {"$unwind": stage}])
    assert [(row["_id"], row.get("sizes", "-")) for row in rows] == expected


def test_unwinding_with_an_index(collection, exactly):
    collection.insert_many([{"_id": 1, "a": {"b": ["x", "y"]}}, {"_id": 2, "a": {"b": "z"}}])
    rows = list(collection.aggregate([BY_ID, {"$unwind": {"path": "$a.b", "includeArrayIndex": "at"}}]))
    expected = [
        {"_id": 1, "a": {"b": "x"}, "at": Int64(0)},
        {"_id": 1, "a": {"b": "y"}, "at": Int64(1)},
        {"_id": 2, "a": {"b": "z"}, "at": None},
    ]
    exactly(expected, rows)


def test_the_manuals_redaction(collection):
    collection.insert_one(
        {
            "_id": 1,
            "level": 1,
            "open": {"level": 1, "x": 1},
            "closed": {"level": 5},
            "list": [{"level": 5}, {"level": 0}],
        }
    )
    rule = {"$redact": {"$cond": [{"$gt": ["$level", 3]}, "$$PRUNE", "$$DESCEND"]}}
    (row,) = collection.aggregate([rule])
    assert row == {"_id": 1, "level": 1, "open": {"level": 1, "x": 1}, "list": [{"level": 0}]}


def test_sampling(collection):
    collection.insert_many([{"_id": n} for n in range(50)])
    rows = [row["_id"] for row in collection.aggregate([{"$sample": {"size": 20}}])]
    assert (len(rows), len(set(rows))) == (20, 20)


def test_documents_of_its_own(collection):
    rows = collection.database.aggregate([{"$documents": [{"n": 1}, {"n": 2}]}, {"$match": {"n": 2}}])
    assert list(rows) == [{"n": 2}]


def test_out_replaces_a_collection_and_keeps_its_indexes(collection):
    collection.insert_many([{"_id": n, "a": n % 2} for n in range(4)])
    target = collection.database["target"]
    target.create_index("b")
    target.insert_one({"_id": "old"})
    assert list(collection.aggregate([{"$match": {"a": 1}}, {"$out": "target"}])) == []
    assert [row["_id"] for row in target.find().sort("_id")] == [1, 3]
    assert set(target.index_information()) == {"_id_", "b_1"}


MERGES = {
    "by default": ({}, [{"_id": 1, "a": 1, "kept": True}, {"_id": 2, "a": 2}, {"_id": 9, "b": 0}]),
    "replacing": ({"whenMatched": "replace"}, [{"_id": 1, "a": 1}, {"_id": 2, "a": 2}, {"_id": 9, "b": 0}]),
    "keeping": (
        {"whenMatched": "keepExisting"},
        [{"_id": 1, "a": 0, "kept": True}, {"_id": 2, "a": 2}, {"_id": 9, "b": 0}],
    ),
    "discarding": ({"whenNotMatched": "discard"}, [{"_id": 1, "a": 1, "kept": True}, {"_id": 9, "b": 0}]),
    "by a pipeline": (
        {"whenMatched": [{"$set": {"a": {"$add": ["$a", "$$new.a", 10]}}}], "whenNotMatched": "discard"},
        [{"_id": 1, "a": 11, "kept": True}, {"_id": 9, "b": 0}],
    ),
}


@pytest.mark.parametrize(("options", "expected"), MERGES.values(), ids=MERGES)
def test_merging(collection, options, expected):
    collection.insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 2}])
    target = collection.database["target"]
    target.insert_many([{"_id": 1, "a": 0, "kept": True}, {"_id": 9, "b": 0}])
    list(collection.aggregate([BY_ID, {"$merge": {"into": "target", **options}}]))
    assert list(target.find().sort("_id")) == expected


def test_views_are_pipelines_over_their_source(collection):
    collection.insert_many([{"_id": n, "a": n} for n in range(5)])
    database = collection.database
    database.command({"create": "big", "viewOn": "things", "pipeline": [{"$match": {"a": {"$gte": 3}}}]})
    assert [row["_id"] for row in database["big"].find().sort("_id")] == [3, 4]
    assert database["big"].count_documents({"a": 4}) == 1
    assert [row["_id"] for row in database["big"].aggregate([{"$match": {"a": {"$lt": 4}}}])] == [3]
    with pytest.raises(pymongo.errors.OperationFailure):
        database["big"].insert_one({})


FAILURES = [
    [{"$match": {"a": 1}, "$limit": 1}],
    [{"$limit": 0}],
    [{"$limit": -1}],
    [{"$skip": -1}],
    [{"$project": {}}],
    [{"$project": {"a": 1, "b": 0}}],
    [{"$group": {"n": {"$sum": 1}}}],
    [{"$group": {"_id": 1, "n": 1}}],
    [{"$group": {"_id": 1, "a.b": {"$sum": 1}}}],
    [{"$group": {"_id": 1, "n": {"$frob": 1}}}],
    [{"$sort": {}}],
    [{"$sort": {"a": 2}}],
    [{"$unwind": "a"}],
    [{"$count": "$a"}],
    [{"$bucket": {"groupBy": "$a", "boundaries": [2, 1]}}],
    [{"$bucket": {"groupBy": "$a", "boundaries": [5, 6]}}],
    [{"$facet": {"x": [{"$out": "y"}]}}],
    [{"$out": "x"}, {"$limit": 1}],
    [{"$lookup": {"from": "x", "as": "y"}}],
    [{"$lookup": {"from": "x", "localField": "a", "as": "y"}}],
    [{"$replaceRoot": {"newRoot": "$a"}}],
    [{"$sample": {"size": 0}}],
    [{"$frobnicate": {}}],
    [{"$redact": "nothing"}],
    ["$match"],
]


@pytest.mark.parametrize("pipeline", FAILURES, ids=str)
def test_pipelines_that_make_no_sense_fail(collection, pipeline):
    collection.insert_one({"_id": 1, "a": 1})
    with pytest.raises((pymongo.errors.OperationFailure, TypeError)):
        list(collection.aggregate(pipeline))
