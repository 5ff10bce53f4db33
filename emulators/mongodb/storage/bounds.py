"""What a filter asks of one field, as far as an index can answer it: values, or a range of one type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bson import MaxKey, MinKey, Regex

from emulators.mongodb.query.match import is_operators
from emulators.mongodb.values import Document, Key, is_nan, key


@dataclass(frozen=True)
class Bounds:
    """Keys that are asked for, or a range whose ends are of one rank; a document outside cannot match."""

    equal: set[Key] | None = None
    low: Key | None = None
    high: Key | None = None

    @property
    def holds_text(self) -> bool:
        """Whether texts are compared, be it inside of objects."""
        ends = [end for end in (self.low, self.high) if end is not None]
        return any(place[0] in (15, 20, 25) for place in [*(self.equal or ()), *ends])


_NULL = key(None)


def bounds_of(query: Document, path: str) -> Bounds | None:
    """The bounds that a filter sets for a field at its top or in `$and`; None where it sets none that an index knows.

    Arrays, null and regular expressions match more than their own keys, and ranges of types that compare with others
    too: for those the collection is scanned.
    """
    if path in query:
        return _of_value(query[path])
    for clause in query.get("$and", ()) if isinstance(query.get("$and"), list) else ():
        found = bounds_of(clause, path) if isinstance(clause, dict) else None
        if found is not None:
            return found
    return None


def _of_value(value: Any) -> Bounds | None:
    if not is_operators(value):
        return None if _is_wide(value) else Bounds(equal={key(value)})
    if "$eq" in value:
        return None if _is_wide(value["$eq"]) else Bounds(equal={key(value["$eq"])})
    if isinstance(value.get("$in"), list):
        return None if any(map(_is_wide, value["$in"])) else Bounds(equal={key(item) for item in value["$in"]})
    low = value.get("$gte", value.get("$gt"))
    high = value.get("$lte", value.get("$lt"))
    for bound in (low, high):
        if bound is not None and (_is_wide(bound) or isinstance(bound, dict) or is_nan(bound)):
            return None
    if low is None and high is None:
        return None
    if low is not None and high is not None and key(low)[0] != key(high)[0]:
        return None
    return Bounds(low=None if low is None else key(low), high=None if high is None else key(high))


def _is_wide(value: Any) -> bool:
    return value is None or isinstance(value, list | Regex | MinKey | MaxKey)
