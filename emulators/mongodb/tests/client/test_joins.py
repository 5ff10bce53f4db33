"""`$lookup` and `$graphLookup`. Expectations follow the manual's pages."""

from __future__ import annotations

import pytest

BY_ID = {"$sort": {"_id": 1}}
ORDERS = [
    {"_id": 1, "item": "almonds", "price": 12, "ordered": 2},
    {"_id": 2, "item": "pecans", "price": 20, "ordered": 1},
    {"_id": 3},
]
INVENTORY = [
    {"_id": 1, "sku": "almonds", "warehouse": "A", "instock": 120},
    {"_id": 2, "sku": "bread", "warehouse": "A", "instock": 80},
    {"_id": 3, "sku": "almonds", "warehouse": "B", "instock": 1},
    {"_id": 4, "sku": "pecans", "warehouse": "A", "instock": 70},
    {"_id": 5, "sku": None, "warehouse": "C"},
    {"_id": 6},
]
ENOUGH = [
    {"$match": {"$expr": {"$and": [{"$eq": ["$sku", "$$item"]}, {"$gte": ["$instock", "$$needed"]}]}}},
    {"$project": {"_id": 0, "warehouse": 1}},
]
JOINS = {
    "by equality, null matching what is missing": (
        {"localField": "item", "foreignField": "sku"},
        [[1, 3], [4], [5, 6]],
    ),
    "with a pipeline after the equality": (
        {"localField": "item", "foreignField": "sku", "pipeline": [{"$match": {"warehouse": "A"}}]},
        [[1], [4], []],
    ),
    "with let": (
        {"let": {"item": "$item", "needed": "$ordered"}, "pipeline": [*ENOUGH]},
        [["A"], ["A"], [None]],  # what is missing equals what is missing
    ),
    "with a pipeline that refers to nothing": (
        {"pipeline": [{"$match": {"instock": {"$gt": 75}}}, {"$sort": {"instock": 1}}]},
        [[2, 1], [2, 1], [2, 1]],
    ),
}


@pytest.mark.parametrize(("options", "expected"), JOINS.values(), ids=JOINS)
def test_joining(collection, options, expected):
    collection.insert_many(ORDERS)
    collection.database["inventory"].insert_many(INVENTORY)
    rows = collection.aggregate([BY_ID, {"$lookup": {"from": "inventory", "as": "stock", **options}}])
    assert [[item.get("_id", item.get("warehouse")) for item in row["stock"]] for row in rows] == expected


def test_joining_by_the_elements_of_an_array(collection):
    collection.insert_one({"_id": 1, "members": ["giraffe", "panda"]})
    collection.database["people"].insert_many(
        [{"_id": n, "name": name} for n, name in enumerate(["artie", "giraffe", "panda"])]
    )
    join = {"from": "people", "localField": "members", "foreignField": "name", "as": "found"}
    (row,) = collection.aggregate([{"$lookup": join}])
    assert [person["_id"] for person in row["found"]] == [1, 2]


def test_joining_what_does_not_exist(collection):
    collection.insert_one({"_id": 1})
    join = {"from": "nothing", "localField": "a", "foreignField": "b", "as": "found"}
    assert list(collection.aggregate([{"$lookup": join}])) == [{"_id": 1, "found": []}]


def test_the_manuals_reporting_hierarchy(collection):
    names = [("Dev", None), ("Eliot", "Dev"), ("Ron", "Eliot"), ("Andrew", "Eliot"), ("Asya", "Ron"), ("Dan", "Andrew")]
    collection.insert_many(
        [{"_id": n, "name": name, **({"to": to} if to else {})} for n, (name, to) in enumerate(names)]
    )
    graph = {
        "from": "things",
        "startWith": "$to",
        "connectFromField": "to",
        "connectToField": "name",
        "as": "above",
        "depthField": "level",
    }
    (row,) = collection.aggregate([{"$match": {"name": "Dan"}}, {"$graphLookup": graph}])
    above = sorted((person["level"], person["name"]) for person in row["above"])
    assert above == [(0, "Andrew"), (1, "Eliot"), (2, "Dev")]
    (row,) = collection.aggregate([{"$match": {"name": "Dan"}}, {"$graphLookup": {**graph, "maxDepth": 0}}])
    assert [person["name"] for person in row["above"]] == ["Andrew"]
