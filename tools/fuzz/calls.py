"""Calls that nobody would think of: from every tool's input schema, fitting it, almost fitting it, or not at all."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.fuzz import seeded

VERSIONS = ("2026-07-28", "2025-11-25")
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, -(2**63) - 1, 1.5, -0.0, 1e308, 10**40),
    *("", " ", ".", "$", "$$ROOT", "a.b", "a..b", "\x00", "\ud800", "é" * 40, "x" * 5000, "{", "[]", "{}", "null"),
    *([], {}, [[]], [None], {"": 1}, {"$": 1}, {"a": {"a": {"a": []}}}, {"$oid": "x"}, {"$date": "now"}),
    *({"$numberLong": "9" * 30}, {"$binary": {"base64": "!", "subType": "zz"}}, {"$timestamp": {"t": -1, "i": 0}}),
    *({"$regularExpression": {"pattern": "(a+)+$", "options": "q"}}, {"$dbPointer": {}}, {"$code": "x", "$scope": {}}),
    *({"$minKey": 1}, {"$maxKey": 1}, {"$numberDecimal": "NaN"}, {"$uuid": "no"}, {"$ref": "x", "$id": 1, "$where": 1}),
)
NAMES = (*seeded.DATABASES, *seeded.COLLECTIONS, "admin", "local", "config", "system.users", "system.views", "none")
FIELDS = (
    "_id",
    "a",
    "b",
    "city",
    "tags",
    "sub.a",
    "sub",
    *seeded.HIDDEN_PATHS,
    *(f"${path}" for path in seeded.HIDDEN_PATHS),
)
OPERATORS = (
    *("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$type", "$regex", "$not", "$elemMatch"),
    *("$size", "$all", "$mod", "$expr", "$jsonSchema", "$where", "$text", "$near", "$geoWithin", "$bitsAllSet"),
    *("$and", "$or", "$nor", "$comment"),
)
EXPRESSIONS = (
    *("$concat", "$toString", "$add", "$ifNull", "$cond", "$objectToArray", "$mergeObjects", "$getField", "$strLenCP"),
    *("$map", "$filter", "$reduce", "$let", "$arrayElemAt", "$type", "$cmp", "$function", "$literal", "$setField"),
)
STAGES = (
    *("$match", "$project", "$group", "$sort", "$limit", "$skip", "$unwind", "$lookup", "$facet", "$unionWith"),
    *("$addFields", "$set", "$unset", "$replaceRoot", "$replaceWith", "$count", "$sortByCount", "$bucket", "$out"),
    *("$merge", "$graphLookup", "$redact", "$setWindowFields", "$documents", "$sample", "$collStats", "$indexStats"),
    *("$currentOp", "$listSessions", "$changeStream", "$geoNear", "$search", "$bucketAuto", "$planCacheStats", "$no"),
)
UPDATES = ("$set", "$unset", "$inc", "$push", "$pull", "$rename", "$min", "$mul", "$addToSet", "$currentDate", "$bit")


@dataclass(frozen=True)
class Request:
    """What is sent to `/mcp`."""

    version: str
    method: str
    params: Any
    body: bytes

    def headers(self) -> dict[str, str]:
        headers = {"MCP-Protocol-Version": self.version}
        if self.version.startswith("2026"):
            headers["Mcp-Method"] = self.method
            name = self.params.get("name", self.params.get("uri")) if isinstance(self.params, dict) else None
            if isinstance(name, str) and name.isascii() and name.isprintable() and name:
                headers["Mcp-Name"] = name
        return headers


class Calls:
    """`schemas` are the tools' input schemas by name. The same seed makes the same calls."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]], seed: int) -> None:
        self._schemas = schemas
        self._random = random.Random(seed)
        self._by_name: dict[str, Callable[[], Any]] = {
            "database": lambda: self._pick(seeded.DATABASES),
            "collection": lambda: self._pick(seeded.COLLECTIONS),
            "view_on": lambda: self._pick(seeded.COLLECTIONS),
            "new_name": lambda: self._pick(seeded.COLLECTIONS),
            "confirm_database": lambda: self._pick(seeded.DATABASES),
            "field": lambda: self._pick(FIELDS),
            "index": lambda: self._pick(("a_1", "_id_", "*", "none")),
            "filter": self._filter,
            "partial_filter": self._filter,
            "validator": self._filter,
            "projection": self._projection,
            "sort": lambda: {self._pick(FIELDS): self._pick((1, -1, 1, -1, "x", {"$meta": "textScore"}))},
            "path": lambda: self._pick(FIELDS),
            "vector": lambda: self._pick(
                ([0.5, 1.0], [1], {"kind": "vector-ivf", "dimensions": 2, "similarity": "L2"})
            ),
            "keys": lambda: {self._pick(FIELDS): self._pick((1, -1, "text", "2dsphere", "hashed", "cosmosSearch", 0))},
            "pipeline": lambda: self._pipeline(0),
            "documents": lambda: [self._document() for _ in range(self._random.randint(1, 3))],
            "update": self._update,
            "array_filters": lambda: [self._filter()],
            "operations": lambda: [self._operation() for _ in range(self._random.randint(1, 3))],
            "method": lambda: self._pick(("find", "aggregate", "count")),
            "verbosity": lambda: self._pick(("queryPlanner", "executionStats", "allPlansExecution")),
            "ejson": lambda: self._pick(("relaxed", "canonical")),
            "type": lambda: self._pick(("global", "startupWarnings")),
            "limit": lambda: self._pick((1, 2, 5, 100, 20_000)),
            "skip": lambda: self._pick((0, 1, 10**9)),
            "max_time_ms": lambda: self._pick((500, 2_000, 10**9)),
        }

    def _pick(self, among: Any) -> Any:
        return self._random.choice(among)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def next(self) -> Request:
        version = self._pick(VERSIONS)
        kind = self._random.random()
        if kind < 0.90:
            method, params = "tools/call", self.tool_call()
        elif kind < 0.98:
            method, params = self._other()
        else:
            method, params = self._pick(("tools/call", "tools/list", "initialize", "no/such", "")), self._pick(JUNK)
        return self.request(version, method, params)

    def request(self, version: str, method: str, params: Any) -> Request:
        if version.startswith("2026") and isinstance(params, dict):
            params = {**params, "_meta": seeded.META} if not self._chance(0.02) else params
        message: Any = {"jsonrpc": "2.0", "id": self._random.randint(0, 9), "method": method, "params": params}
        if self._chance(0.01):
            message = self._pick(([message], {**message, "id": None}, {**message, "jsonrpc": "1"}, message["params"]))
        body = json.dumps(message).encode()
        if self._chance(0.01):
            body = self._pick((body[:-1], b"\xff" + body, b"", b"[" * 20_000, body * 2, b"null"))
        return Request(version, method, params, body)

    def tool_call(self) -> dict[str, Any]:
        name = self._pick(sorted(self._schemas))
        schema = self._schemas[name]
        given = {key: self._value(key) for key in schema["properties"] if self._wanted(key, schema)}
        return {"name": "no-such-tool" if self._chance(0.005) else name, "arguments": self._bent(given)}

    def _wanted(self, key: str, schema: Mapping[str, Any]) -> bool:
        if key in schema.get("required", ()):
            return not self._chance(0.01)
        likely = 0.5 if key in ("filter", "pipeline", "all_documents", "drop_target") else 0.15
        return self._chance(0.02 if key in ("confirmation", "cursor") else likely)

    def _value(self, key: str) -> Any:
        if self._chance(0.03):
            return self._pick(JUNK)
        if self._chance(0.02):
            return None  # what frameworks fill in for what is left out
        made = self._by_name.get(key)
        value = made() if made is not None else self._pick((True, False, True, 1, "x"))
        return json.dumps(value) if isinstance(value, dict | list) and self._chance(0.05) else value

    def _bent(self, value: Any) -> Any:
        """Now and then one place is replaced by something else."""
        if not self._chance(0.12):
            return value
        if isinstance(value, dict) and value and self._chance(0.8):
            key = self._pick(list(value))
            return {**value, key: self._bent_deeper(value[key])}
        return {**value, "extra": 1} if isinstance(value, dict) else self._pick(JUNK)

    def _bent_deeper(self, value: Any) -> Any:
        if isinstance(value, dict) and value and self._chance(0.6):
            key = self._pick(list(value))
            return {**value, key: self._bent_deeper(value[key])}
        if isinstance(value, list) and value and self._chance(0.6):
            return [*value[:-1], self._bent_deeper(value[-1])]
        deep: Any = 1
        for _ in range(150 if self._chance(0.1) else 3):
            deep = {"a": deep}
        return self._pick((*JUNK, deep))

    def _plain(self) -> Any:
        return self._pick((1, 2, 3.5, "x", "Oslo", None, True, [1, 2], {"a": 1}, {"$oid": "0" * 24}, seeded.GUESS))

    def _document(self) -> dict[str, Any]:
        return {self._pick(("a", "b", "city", "n", "sub", "ssn", "_id")): self._plain() for _ in range(3)}

    def _filter(self, depth: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(self._random.randint(0, 2)):
            if depth < 3 and self._chance(0.15):
                found[self._pick(("$and", "$or", "$nor"))] = [self._filter(depth + 1)]
            elif self._chance(0.15):
                found["$expr"] = self._expression(0)
            elif self._chance(0.5):
                found[self._pick(FIELDS)] = {self._pick(OPERATORS): self._pick((self._plain(), [self._plain()], "^c"))}
            else:
                found[self._pick(FIELDS)] = self._plain()
        return found

    def _projection(self) -> dict[str, Any]:
        return {self._pick(FIELDS): self._pick((1, 0, 1, {"$slice": 1}, self._expression(0))) for _ in range(2)}

    def _path(self) -> str:
        path: str = self._pick(
            ("$a", "$city", "$$ROOT", "$$CURRENT", "$ssn", "$$ROOT.ssn", "$sub", "$card", "$card.number", "$$x")
        )
        return path

    def _expression(self, depth: int) -> Any:
        if depth > 2 or self._chance(0.4):
            return self._pick((self._path(), self._plain()))
        inner = self._expression(depth + 1)
        several = [inner, self._expression(depth + 1)]
        return {
            self._pick((*EXPRESSIONS, "$eq", "$gt")): self._pick((inner, several, {"input": inner, "in": "$$this"}))
        }

    def _pipeline(self, depth: int) -> list[Any]:
        return [self._stage(depth) for _ in range(self._random.randint(0, 3))]

    def _stage(self, depth: int) -> dict[str, Any]:
        name = self._pick(STAGES)
        source = self._pick(
            (*seeded.COLLECTIONS, {"db": self._pick(seeded.DATABASES), "coll": self._pick(seeded.COLLECTIONS)})
        )
        inner = self._pipeline(depth + 1) if depth < 2 else []
        shapes: dict[str, Any] = {
            "$match": self._filter(),
            "$project": self._projection(),
            "$group": {"_id": self._expression(0), "v": {"$push": self._expression(0)}},
            "$sort": {self._pick(FIELDS): 1},
            "$limit": 3,
            "$skip": 1,
            "$unwind": self._path(),
            "$lookup": {"from": source, "as": "found", "pipeline": inner},
            "$facet": {"one": inner},
            "$unionWith": self._pick((source, {"coll": source, "pipeline": inner})),
            "$graphLookup": {
                "from": source,
                "startWith": "$a",
                "connectFromField": "a",
                "connectToField": "b",
                "as": "g",
            },
            "$replaceRoot": {"newRoot": self._expression(0)},
            "$replaceWith": self._expression(0),
            "$documents": [self._document()],
            "$out": source,
            "$merge": {"into": source},
            "$count": "n",
            "$sortByCount": self._expression(0),
            "$redact": "$$KEEP",
            "$sample": {"size": 2},
            "$collStats": {"storageStats": {}},
        }
        made = {"x": self._expression(0)}
        if name == "$lookup" and self._chance(0.5):
            return {name: {"from": source, "localField": "a", "foreignField": self._pick(FIELDS), "as": "found"}}
        return {name: shapes.get(name, made)}

    def _update(self) -> Any:
        if self._chance(0.15):
            return self._pipeline(1)
        return {self._pick(UPDATES): {self._pick(FIELDS): self._plain()} for _ in range(self._random.randint(1, 2))}

    def _operation(self) -> dict[str, Any]:
        one = {"filter": self._filter(), "update": self._update()}
        forms = {
            "insertOne": {"document": self._document()},
            "updateOne": one,
            "updateMany": one,
            "replaceOne": {"filter": self._filter(), "replacement": self._document()},
            "deleteOne": {"filter": self._filter()},
            "deleteMany": {"filter": self._filter()},
            "no": {},
        }
        name = self._pick(list(forms))
        return {name: forms[name]}

    def _other(self) -> tuple[str, Any]:
        database, collection = self._pick(seeded.DATABASES), self._pick(seeded.COLLECTIONS)
        known = {"arguments": {"database": database, "collection": collection}}
        argument = {
            "name": self._pick(("database", "collection", "field", "x")),
            "value": self._pick(("", "v", "o", "s")),
        }
        reference = {"type": "ref/resource", "uri": "mongodb-schema://{database}/{collection}"}
        among: tuple[tuple[str, Any], ...] = (
            ("resources/read", {"uri": f"mongodb-schema://{database}/{collection}"}),
            (
                "resources/read",
                {"uri": self._pick(("mongodb-server://limits", "mongodb-server://configuration", "x://y"))},
            ),
            (
                "resources/read",
                {"uri": f"mongodb-export://query/{self._pick(('e30', 'x', '%00', seeded.export_query()))}"},
            ),
            ("completion/complete", {"ref": reference, "argument": argument, "context": known}),
            ("prompts/get", {"name": "explore-database", "arguments": {"database": database}}),
            *(
                (name, {})
                for name in ("tools/list", "resources/list", "resources/templates/list", "prompts/list", "ping")
            ),
        )
        chosen: tuple[str, Any] = self._pick(among)
        return chosen
