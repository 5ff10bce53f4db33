"""Indexes: what they are called, and the uniqueness they enforce. Queries scan the collection and do not use them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from emulators.mongodb.errors import CommandError
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.query.paths import leaves, split
from emulators.mongodb.values import MISSING, Document, Key, key, truthy

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
        self._covers: Callable[[Document], bool] = compile_filter(partial) if partial else lambda _: True
        self._paths = [split(path) for path in self.pattern if not path.endswith("$**")]
        self._entries: dict[tuple[Key, ...], Key] = {}

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
        if not self._covers(document):
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
        if not self.unique or self.name == "_id_":
            return
        for entry in self.keys(document):
            holder = self._entries.get(entry)
            if holder is not None and holder != identity:
                raise duplicate(namespace, self.name, self.pattern, _key_value(document, self._paths, entry))

    def add(self, document: Document, identity: Key) -> None:
        if self.unique and self.name != "_id_":
            for entry in self.keys(document):
                self._entries[entry] = identity

    def remove(self, document: Document, identity: Key) -> None:
        if self.unique and self.name != "_id_":
            for entry in self.keys(document):
                if self._entries.get(entry) == identity:
                    del self._entries[entry]


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
