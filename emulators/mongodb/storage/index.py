"""Indexes: what they are called, the uniqueness they enforce, and the documents they find by their keys."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import product
from typing import Any

from emulators.mongodb.deadline import collated
from emulators.mongodb.errors import CommandError
from emulators.mongodb.numeric import as_integer, double
from emulators.mongodb.query.collation import parse_collation
from emulators.mongodb.query.geo import flat, needed_pair
from emulators.mongodb.query.geometry import geojson, position
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.query.paths import leaves, split
from emulators.mongodb.query.text import Postings, TextSpec
from emulators.mongodb.values import MISSING, Document, Key, is_number, key, text_key, truthy

GEO = ("2dsphere", "2d")
VECTOR = "cosmosSearch"
_NULL = key(None)


class Index:
    """One index. `spec` is what `listIndexes` answers; entries are kept for unique indexes only."""

    def __init__(self, spec: Document) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.pattern: Document = spec["key"]
        self.unique = bool(spec.get("unique")) or self.name == "_id_"
        self.sparse = truthy(spec.get("sparse"))
        partial = spec.get("partialFilterExpression")
        self.is_partial = bool(partial)
        found = parse_collation(spec["collation"]) if spec.get("collation") else None
        self.text_key = found.text_key if found is not None else None
        with collated(self.text_key):
            self._covers: Callable[[Document], bool] = compile_filter(partial) if partial else lambda _: True
        plain = not any(path.endswith("$**") or isinstance(kind, str) for path, kind in self.pattern.items())
        self._paths = [split(path) for path in self.pattern] if plain else []
        weights = spec.get("weights")
        self.postings: Postings | None = (
            Postings(TextSpec(weights, spec["default_language"], spec["language_override"])) if weights else None
        )
        self._geo = [(split(path), kind) for path, kind in self.pattern.items() if kind in GEO]
        self._special = [split(path) for path, kind in self.pattern.items() if kind in (*GEO, VECTOR)]
        self._entries: dict[tuple[Key, ...], Key] = {}
        # Of the first field: which documents have a key, and the keys in order (made when they are first asked for).
        self._holders: dict[Key, dict[Key, None]] = {}
        self._ordered: list[Key] | None = None
        self.covered: dict[Key, None] = {}
        self.used = 0
        self.is_multikey = False
        self.since = dt.datetime.now(dt.UTC).replace(tzinfo=None)

    @property
    def expires_after(self) -> int | None:
        """Seconds after the date in its field at which a document goes; None for an index that does not expire."""
        return as_integer(self.spec.get("expireAfterSeconds"))

    def enforces(self, fields: list[str]) -> bool:
        """Whether the index keeps documents apart by these fields, in whatever order: what `$merge` needs."""
        return self.unique and not self.is_partial and set(self.pattern) == set(fields)

    def holder(self, places: dict[str, Key]) -> Key | None:
        """The identity of the document with these keys in a unique index."""
        return self._entries.get(tuple(places[name] for name in self.pattern))

    def keys(self, document: Document) -> set[tuple[Key, ...]]:
        """The document's entries, by the index's collation whatever the command's is."""
        if self.text_key == text_key():
            return self._keys(document)
        with collated(self.text_key):
            return self._keys(document)

    def _keys(self, document: Document) -> set[tuple[Key, ...]]:
        if not self._paths or not self._covers(document):
            return set()
        columns = [leaves(document, path) for path in self._paths]
        if self.sparse and all(value is MISSING for column in columns for value in column):
            return set()
        expanded = [_expanded(column) for column in columns]
        if sum(len(column) > 1 for column in expanded) > 1:
            raise CommandError(171, f"cannot index parallel arrays [{', '.join(self.pattern)}]")
        return set(product(*expanded))

    def check(self, document: Document, identity: Key, namespace: str) -> None:
        """DuplicateKey (11000), with keyPattern and keyValue, when another document holds one of the keys."""
        if self.name == "_id_":
            return
        self._check_special(document)
        entries = self.keys(document)  # refused where the index cannot hold the document
        for entry in entries if self.unique else ():
            holder = self._entries.get(entry)
            if holder is not None and holder != identity:
                raise duplicate(namespace, self.name, self.pattern, _key_value(document, self._paths, entry))

    def _check_special(self, document: Document) -> None:
        """What a geo index, a text index or one of vectors cannot hold."""
        for path, kind in self._geo:
            for value in leaves(document, path):
                if value is not MISSING and value is not None:
                    _check_geo(".".join(path), kind, value, self.spec)
        if self.postings is not None:
            self.postings.spec.terms(document)

    def add(self, document: Document, identity: Key) -> None:
        if self.name == "_id_":
            return
        if self.postings is not None and self._covers(document):
            self.postings.add(document, identity)
        entries = self.keys(document)
        self.is_multikey = self.is_multikey or len(entries) > 1
        for entry in entries:
            if self.unique:
                self._entries[entry] = identity
            if entry[0] not in self._holders:
                self._holders[entry[0]] = {}
                self._ordered = None
            self._holders[entry[0]][identity] = None
        if entries or any(value is not MISSING for path in self._special for value in leaves(document, path)):
            self.covered[identity] = None

    def remove(self, document: Document, identity: Key) -> None:
        if self.name == "_id_":
            return
        if self.postings is not None:
            self.postings.remove(document, identity)
        for entry in self.keys(document):
            if self.unique and self._entries.get(entry) == identity:
                del self._entries[entry]
            holders = self._holders.get(entry[0], {})
            holders.pop(identity, None)
            if not holders and self._holders.pop(entry[0], None) is not None:
                self._ordered = None
        self.covered.pop(identity, None)

    @property
    def first(self) -> str:
        """The field that the index finds documents by."""
        return next(iter(self.pattern))

    @property
    def hides_none(self) -> bool:
        """Whether every document of the collection is in the index."""
        return not self.sparse and not self.is_partial and bool(self._paths) and not self.spec.get("hidden")

    def equal_to(self, wanted: set[Key]) -> set[Key]:
        """The identities of documents that have one of the keys in the first field."""
        return {identity for place in wanted for identity in self._holders.get(place, ())}

    @property
    def holds_all(self) -> bool:
        """An index of a kind that is only kept, such as a wildcard's: it neither finds nor hides a document."""
        return not self._paths and not self._special  # an index of places is always sparse

    def between(self, low: Key | None, high: Key | None) -> set[Key]:
        """The identities of documents with a key from `low` to `high`, both included and of one rank."""
        if self._ordered is None:
            self._ordered = sorted(self._holders)
        rank = (low or high or (0,))[0]
        start = bisect_left(self._ordered, low if low is not None else (rank,))
        end = bisect_right(self._ordered, high) if high is not None else bisect_left(self._ordered, (rank + 1,))
        return {identity for place in self._ordered[start:end] for identity in self._holders[place]}


def _check_geo(path: str, kind: str, value: Any, spec: Document) -> None:
    """Refuses (16755; 16804 and 13027 for "2d") a value that is no place, nor an array of places."""
    if kind == "2d":
        if flat(value) is None and not (type(value) is list and all(flat(item) is not None for item in value)):
            raise CommandError(16804, f"location object expected, location array not in correct format: {path}")
        low, high = double(spec.get("min", -180)), double(spec.get("max", 180))
        for place in (flat(item) for item in ([value] if flat(value) is not None else value)):
            if place is not None and not all(low <= part <= high for part in place):
                raise CommandError(13027, f"point not in interval of [ {low:g}, {high:g} ]: {path}")
        return
    if type(value) is list and value and isinstance(value[0], dict) and "type" in value[0]:
        raise CommandError(16755, f"Can't extract geo keys: {path}: an array of geometries; use a GeometryCollection")
    items = value if type(value) is list and (not value or not is_number(value[0])) else [value]
    for item in items:
        try:
            if isinstance(item, dict) and type(item.get("type")) is str:
                geojson(item)
            else:
                position(list(needed_pair(item)))
        except CommandError as error:
            if error.code != 2:
                raise
            raise CommandError(16755, f"Can't extract geo keys: {path}: {error}") from None


def _expanded(column: list[Any]) -> list[Key]:
    found: list[Key] = []
    for value in column:
        if type(value) is list:
            found += [key(item) for item in value] or [(4,)]
        else:
            found.append(_NULL if value is MISSING else key(value))
    return list(dict.fromkeys(found)) or [_NULL]


def _key_value(document: Document, paths: list[tuple[str, ...]], entry: tuple[Key, ...]) -> Document:
    """The values that clashed, under their paths."""
    found: Document = {}
    for path, wanted in zip(paths, entry, strict=True):
        candidates = [item for value in leaves(document, path) for item in (value if type(value) is list else [value])]
        found[".".join(path)] = next((item for item in candidates if item is not MISSING and key(item) == wanted), None)
    return found


def same_pattern(left: Document, right: Document) -> bool:
    """Whether two key patterns are one: fields in one order, and directions equal whatever their number's type."""
    return list(left) == list(right) and all(
        type(left[name]) is not bool and key(left[name]) == key(right[name]) for name in left
    )


def duplicate(namespace: str, index: str, pattern: Document, values: Document) -> CommandError:
    shown = ", ".join(f"{name}: {_shown(value)}" for name, value in values.items())
    message = f"E11000 duplicate key error collection: {namespace} index: {index} dup key: {{ {shown} }}"
    return CommandError(11000, message, keyPattern=pattern, keyValue=values)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return (
        f'"{value}"'
        if isinstance(value, str)
        else f"ObjectId('{value}')"
        if type(value).__name__ == "ObjectId"
        else f"{value}"
    )
