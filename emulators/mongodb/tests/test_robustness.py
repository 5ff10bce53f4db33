"""Thousands of random commands, most of them nonsense: each gets a reply, none an unforeseen exception."""

from __future__ import annotations

import datetime as dt
import math
import random

import pytest
from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from emulators.mongodb.dispatch import COMMANDS
from emulators.mongodb.expr.core import OPERATORS
from emulators.mongodb.pipeline.core import STAGES
from emulators.mongodb.update.operators import OPERATORS as UPDATES

QUERIES = [
    "$eq", "$gt", "$gte", "$lt", "$lte", "$ne", "$in", "$nin", "$not", "$exists", "$type", "$mod", "$size",
    "$all", "$elemMatch", "$regex", "$options", "$bitsAllSet", "$and", "$or", "$nor", "$expr", "$jsonSchema",
    "$where", "$text", "$search", "$comment", "$near", "$nearSphere", "$geoWithin", "$geoIntersects", "$geometry",
    "$box", "$center", "$centerSphere", "$polygon", "$maxDistance", "$minDistance", "$sampleRate", "$meta",
]  # fmt: skip
FIELDS = [
    "a", "b", "a.b", "a.0", "a.$", "a.$[]", "a.$[x]", "_id", "a.", "$a", "$$ROOT", "to", "input", "in", "as",
    "cond", "date", "unit", "format", "timezone", "startDate", "endDate", "amount", "if", "then", "else",
    "branches", "default", "vars", "$each", "$slice", "$sort", "$position", "from", "localField",
    "foreignField", "let", "pipeline", "groupBy", "boundaries", "buckets", "output", "path", "size", "coll",
    "into", "on", "whenMatched", "newRoot", "bsonType", "properties", "required", "items", "minimum", "pattern",
    "enum", "n", "sortBy", "inputs", "field", "value", "initialValue", "startWith", "connectFromField",
    "connectToField", "regex", "window", "documents", "range", "type", "coordinates", "near", "distanceField",
    "cosmosSearch", "vector", "k", "locale", "strength", "method", "p",
]  # fmt: skip
SCALARS = [
    None, True, False, 0, 1, -1, 3, 1.5, -0.0, float("nan"), float("inf"), Int64(2**62), 2**31, Decimal128("1.1"),
    Decimal128("NaN"), Decimal128("sNaN"), Decimal128("Infinity"), Decimal128("1E+6000"), "", "a",
    "$a", "$a.b", "$$ROOT", "$$x", "$",
    "int", "UTC", "day", "^a", "(", "%Y", "%Q", "2026-01-02", ObjectId(), dt.datetime(1, 1, 1),
    dt.datetime(9999, 12, 31), "Point", "Polygon", "2dsphere", "2d", "text", "cosmosSearch", "en", [1, 2], [200, 0.5],
    DatetimeMS(2**60), Regex("a", "i"), Regex("("), Timestamp(1, 1), MinKey(), MaxKey(), Binary(b"x"), Code("x"),
    Code("x", {}), DBRef("a", 1), Binary(b"1" * 16, 4),
]  # fmt: skip


class Nonsense:
    """Random values, filters, updates and commands from one seed."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def value(self, depth=0):
        kind = self.chance.random()
        if depth > 3 or kind < 0.5:
            return self.chance.choice(SCALARS)
        if kind < 0.65:
            return [self.value(depth + 1) for _ in range(self.chance.randrange(4))]
        if kind < 0.8:
            return {self.chance.choice(FIELDS): self.value(depth + 1) for _ in range(self.chance.randrange(4))}
        return {self.chance.choice([*OPERATORS, *QUERIES]): self.value(depth + 1)}

    def document(self):
        return {name: self.value(2) for name in self.chance.sample(["_id", "a", "b", "c"], self.chance.randrange(4))}

    def query(self):
        return {self.chance.choice(FIELDS + QUERIES): self.value() for _ in range(self.chance.randrange(3))}

    def stage(self):
        plausible = {name: self.value(1) for name in self.chance.sample(FIELDS, 5)}
        return {self.chance.choice(list(STAGES)): self.chance.choice([self.value(), plausible])}

    def area(self):
        shape = {"type": self.chance.choice(["Point", "LineString", "Polygon"]), "coordinates": self.value()}
        inner = self.chance.choice([{"$geometry": shape}, {"$box": self.value()}, {"$center": [[0, 0], self.value()]}])
        return {self.chance.choice(["$geoWithin", "$geoIntersects", "$near"]): inner}

    def option(self):
        return self.chance.choice(["weights", "collation", "cosmosSearchOptions", "min", "default_language", "sparse"])

    def update(self):
        operators = [*UPDATES, "$rename"]
        change = {self.chance.choice(operators): {self.chance.choice(FIELDS): self.value()} for _ in range(2)}
        return self.chance.choice([change, change, change, self.document(), [self.stage()]])

    def command(self):
        name = self.chance.choice(list(COMMANDS))
        expression = {self.chance.choice(list(OPERATORS)): self.value(1)}
        return self.chance.choice(
            [
                {
                    "find": "c",
                    "filter": self.query(),
                    "projection": self.value(),
                    "sort": {"a": 1},
                    "limit": self.value(),
                },
                {"find": "c", "filter": self.query(), "sort": self.value()},
                {"find": "c", "filter": {"a": self.area()}, "collation": {"locale": "en", "strength": self.value()}},
                {
                    "createIndexes": "c",
                    "indexes": [{"key": {"a": self.value()}, "name": "n", self.option(): self.value()}],
                },
                {"insert": "c", "documents": [self.document()]},
                {"update": "c", "updates": [{"q": self.query(), "u": self.update(), "multi": True}]},
                {"update": "c", "updates": [{"q": self.query(), "u": self.update(), "upsert": True}]},
                {"delete": "c", "deletes": [{"q": self.query(), "limit": 1}]},
                {"aggregate": "c", "pipeline": [self.stage(), self.stage()], "cursor": {}},
                {"aggregate": "c", "pipeline": [{"$project": {"r": expression}}], "cursor": {}},
                {"findAndModify": "c", "query": self.query(), "update": self.update(), "fields": self.query()},
                {"explain": {"find": "c", "filter": self.query(), "projection": self.value()}},
                {
                    name: self.value(),
                    **{field: self.value() for field in sorted(COMMANDS[name].fields)[:3] if field != "*"},
                },
            ]
        )


@pytest.mark.parametrize("seed", range(6))
def test_every_command_gets_a_reply(run, seed):
    nonsense = Nonsense(seed)
    for _ in range(15):
        run({"insert": "c", "documents": [nonsense.document()]})
    for _ in range(500):
        command = nonsense.command()
        reply = run({**command, "maxTimeMS": 5000})
        assert reply["ok"] == 1.0 or (reply["code"] != 1 and reply["errmsg"]), command


@pytest.mark.parametrize(
    "stage",
    [{"$project": {"x": {"$toDouble": "$v"}}}, {"$group": {"_id": None, "x": {"$stdDevPop": "$v"}}}],
    ids=lambda stage: next(iter(stage)),
)
def test_a_signaling_nan_is_nan(run, stage):
    """A decimal that a driver may send; Python's `float` takes none."""
    run({"insert": "c", "documents": [{"v": Decimal128("sNaN")}]})
    (row,) = run({"aggregate": "c", "pipeline": [stage], "cursor": {}})["cursor"]["firstBatch"]
    assert math.isnan(row["x"])


def test_a_signaling_nan_is_no_rate(run):
    assert run({"find": "c", "filter": {"$sampleRate": Decimal128("sNaN")}})["code"] == 2
