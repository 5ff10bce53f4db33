"""`$setWindowFields`. Expectations follow the manual's page, on whose data they are."""

from __future__ import annotations

import datetime as dt

import pytest

CAKES = [
    {"_id": 0, "type": "almond", "date": dt.datetime(2020, 5, 18), "state": "CA", "quantity": 120},
    {"_id": 1, "type": "almond", "date": dt.datetime(2021, 1, 11), "state": "WA", "quantity": 140},
    {"_id": 2, "type": "orange", "date": dt.datetime(2021, 3, 20), "state": "WA", "quantity": 104},
    {"_id": 3, "type": "orange", "date": dt.datetime(2020, 10, 13), "state": "CA", "quantity": 162},
    {"_id": 4, "type": "lemon", "date": dt.datetime(2019, 5, 18), "state": "CA", "quantity": 162},
    {"_id": 5, "type": "lemon", "date": dt.datetime(2019, 1, 8), "state": "WA", "quantity": 134},
]
WINDOWS = {
    "the manual's cumulative quantity for each state": (
        {"v": {"$sum": "$quantity", "window": {"documents": ["unbounded", "current"]}}},
        {"date": 1},
        [(4, 162), (0, 282), (3, 444), (5, 134), (1, 274), (2, 378)],
    ),
    "a moving average": (
        {"v": {"$avg": "$quantity", "window": {"documents": [-1, 0]}}},
        {"date": 1},
        [(4, 162.0), (0, 141.0), (3, 141.0), (5, 134.0), (1, 137.0), (2, 122.0)],
    ),
    "the manual's maximum for each state": (
        {"v": {"$max": "$quantity", "window": {"documents": ["unbounded", "unbounded"]}}},
        {"date": 1},
        [(4, 162), (0, 162), (3, 162), (5, 140), (1, 140), (2, 140)],
    ),
    "a range of values": (
        {"v": {"$push": "$_id", "window": {"range": [-10, 10]}}},
        {"quantity": 1},
        [(0, [0]), (3, [3, 4]), (4, [3, 4]), (2, [2]), (5, [5, 1]), (1, [5, 1])],
    ),
    "a range of months": (
        {"v": {"$push": "$_id", "window": {"range": ["unbounded", -10], "unit": "month"}}},
        {"date": 1},
        [(4, []), (0, [4]), (3, [4]), (5, []), (1, [5]), (2, [5])],
    ),
    "ranks with ties": (
        {"v": {"$rank": {}}},
        {"quantity": -1},
        [(3, 1), (4, 1), (0, 3), (1, 1), (5, 2), (2, 3)],
    ),
    "dense ranks": ({"v": {"$denseRank": {}}}, {"quantity": -1}, [(3, 1), (4, 1), (0, 2), (1, 1), (5, 2), (2, 3)]),
    "numbers": ({"v": {"$documentNumber": {}}}, {"date": 1}, [(4, 1), (0, 2), (3, 3), (5, 1), (1, 2), (2, 3)]),
    "the manual's shift": (
        {"v": {"$shift": {"output": "$quantity", "by": 1, "default": "none"}}},
        {"quantity": -1},
        [(3, 162), (4, 120), (0, "none"), (1, 134), (5, 104), (2, "none")],
    ),
}


@pytest.mark.parametrize(("output", "order", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_windows(collection, output, order, expected):
    collection.insert_many(CAKES)
    rows = collection.aggregate([{"$setWindowFields": {"partitionBy": "$state", "sortBy": order, "output": output}}])
    assert [(row["_id"], row["v"]) for row in rows] == expected
