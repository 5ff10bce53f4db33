"""What a sample of documents tells about a collection: paths, BSON types and presence, never values."""

from __future__ import annotations

import datetime
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import bson
from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from mongo_db_server import ejson

MAX_FIELDS = 500
MAX_DEPTH = 8

# Names of the types as `$type` of the MongoDB manual writes them; bool before int, which it is in Python.
_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "string"),
    (bool, "bool"),
    (Int64, "long"),
    (float, "double"),
    (ObjectId, "objectId"),
    ((datetime.datetime, DatetimeMS), "date"),
    (Decimal128, "decimal"),
    ((Binary, bytes, uuid.UUID), "binData"),
    (Timestamp, "timestamp"),
    ((Regex, re.Pattern), "regex"),
    (Code, "javascript"),
    (DBRef, "dbPointer"),
    (MinKey, "minKey"),
    (MaxKey, "maxKey"),
    (Mapping, "object"),
    (list, "array"),
)
_INT32 = 2**31


def type_name(value: Any) -> str:
    if value is None:
        return "null"
    if type(value) is int:
        return "int" if -_INT32 <= value < _INT32 else "long"
    if isinstance(value, Code):  # a str in Python
        return "javascript"
    return next((name for kind, name in _TYPES if isinstance(value, kind)), type(value).__name__)


class Sample:
    """Adds documents one at a time; memory is bounded by MAX_FIELDS, whatever the documents hold."""

    def __init__(self, max_bytes: int) -> None:
        self.documents = 0
        self.cut: str | None = None
        self.fields: dict[str, Counter[str]] = {}
        self._presence: Counter[str] = Counter()
        self._bytes_left = max_bytes

    def add(self, document: Mapping[str, Any]) -> bool:
        """Whether there was room for the document."""
        document = ejson.readable(document)
        self._bytes_left -= len(bson.encode(document))
        if self._bytes_left < 0:
            self.cut = f"The sample ended after {self.documents} documents, at the byte limit (`MCP_BYTES_CEILING`)."
            return False
        self.documents += 1
        seen: set[tuple[str, str]] = set(_walk(document, "", 0))
        for path, kind in sorted(seen):
            self._note(path, kind)
        self._presence.update({path for path, _ in seen if path in self.fields})
        return True

    def _note(self, path: str, kind: str) -> None:
        if path not in self.fields:
            if len(self.fields) >= MAX_FIELDS:
                self.cut = f"Only the first {MAX_FIELDS} fields are described; there are more."
                return
            self.fields[path] = Counter()
        self.fields[path][kind] += 1

    def describe(self) -> list[dict[str, Any]]:
        return [
            {
                "path": path,
                "types": dict(sorted(types.items())),
                "presence": round(self._presence[path] / self.documents, 3),
            }
            for path, types in sorted(self.fields.items())
        ]


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            yield inner, type_name(item)
            yield from _walk(item, inner, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield f"{path}[]", type_name(item)
            yield from _walk(item, f"{path}[]", depth + 1)
