"""Sort orders. Ascending takes an array's smallest element, descending its largest; missing sorts as null."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from emulators.mongodb.deadline import tick
from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.numeric import as_integer, cut
from emulators.mongodb.query.meta import Meta
from emulators.mongodb.query.paths import field_names, leaves, split
from emulators.mongodb.values import MISSING, Document, Key, is_number, key

SortSpec = list[tuple[tuple[str, ...], bool]]
MAX_SORT_FIELDS = 32
_NULL = key(None)
_EMPTY_ARRAY = (4,)  # an empty array sorts below null (the index key "undefined")


class MetaPath(tuple[str, ...]):
    """A place in a sort order that no field holds: what a search knows of the document."""

    meta: Meta

    @classmethod
    def of(cls, meta: Meta, name: str) -> MetaPath:
        path = cls((name,))
        path.meta = meta
        return path


def parse_sort(spec: Any, meta: Meta | None = None) -> SortSpec:
    """`{field: 1 | -1}` as pairs of path and "descending"; `{field: {$meta: …}}` where `meta` holds scores."""
    if not isinstance(spec, dict):
        raise bad_value("the sort key specification must be an object")
    if len(spec) > MAX_SORT_FIELDS:
        raise CommandError(13103, f"too many compound keys in sort: {len(spec)}, the limit is {MAX_SORT_FIELDS}")
    parsed: SortSpec = []
    for name, direction in spec.items():
        if isinstance(direction, dict):
            found = _meta_name(name, direction)
            if meta is None or found not in meta.offered:
                if found in ("textScore", "geoNearDistance"):
                    raise CommandError(40218, f"query requires {found} metadata, but it is not available")
                raise not_supported(f"sorting '{name}' by {found}")
            parsed.append((MetaPath.of(meta, found), True))  # the largest first, distances too
            continue
        if name == "$natural":
            raise not_supported("the sort order $natural together with other fields")
        parts = field_names(name)
        if not is_number(direction):
            raise CommandError(15974, f"Illegal key in $sort specification: {name}: {direction!r}")
        order = cut(direction)
        if order not in (1, -1):
            raise CommandError(15975, f"$sort key ordering must be 1 (for ascending) or -1 (for descending): {name}")
        parsed.append((parts, order == -1))
    return parsed


def _meta_name(name: str, spec: Document) -> str:
    """The operand of `{$meta: …}` as a direction."""
    if list(spec) != ["$meta"]:
        raise CommandError(17312, f"$meta is the only expression supported by $sort right now: {name}")
    if spec["$meta"] in ("textScore", "geoNearDistance", "randVal", "searchScore", "vectorSearchScore"):
        return str(spec["$meta"])
    raise CommandError(31138, f"Illegal $meta sort: {spec['$meta']!r}")


def _field_key(document: Document, parts: tuple[str, ...], descending: bool) -> Key:
    """One field's place in the order: an array on or at the end of the path stands for its extreme element."""
    if type(parts) is MetaPath:
        return key(parts.meta.get(document, parts[0]))
    if len(parts) == 1:
        value = document.get(parts[0])
        if type(value) is not list:
            return key(value)
    found = leaves(document, parts)
    if len(found) == 1 and type(found[0]) is not list:
        return _NULL if found[0] is MISSING else key(found[0])
    choices: list[Key] = []
    for value in found:
        if type(value) is list:
            choices += [key(item) for item in value] or [_EMPTY_ARRAY]
        else:
            choices.append(_NULL if value is MISSING else key(value))
    if not choices:
        return _NULL
    return max(choices) if descending else min(choices)


class _Reversed:
    """A key that sorts the other way round."""

    __slots__ = ("key",)

    def __init__(self, value: Key) -> None:
        self.key = value

    def __lt__(self, other: _Reversed) -> bool:
        return other.key < self.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and other.key == self.key

    __hash__ = None  # type: ignore[assignment]


def sort_key(spec: SortSpec) -> Callable[[Document], Any]:
    """A key function for `sorted`; stable, so equal documents keep their order."""
    if len(spec) == 1 and not spec[0][1]:
        parts = spec[0][0]
        return lambda document: _field_key(document, parts, False)

    def order(document: Document) -> tuple[Any, ...]:
        keys = [(_field_key(document, parts, descending), descending) for parts, descending in spec]
        return tuple(_Reversed(item) if descending else item for item, descending in keys)

    return order


def sort_documents(documents: Iterable[Document], spec: SortSpec) -> list[Document]:
    """The documents in order; equal ones keep theirs."""
    found = list(documents)
    if len(spec) > 1 and len({descending for _, descending in spec}) == 1:
        paths, downwards = [parts for parts, _ in spec], spec[0][1]
        found.sort(
            key=lambda document: tuple([_field_key(document, path, downwards) for path in paths]), reverse=downwards
        )
        return found
    # Python's sort is stable, in reverse too: sorting by the last field first makes the first field decide.
    for parts, descending in reversed(spec):
        found.sort(key=partial(_field_key, parts=parts, descending=descending), reverse=descending)
    return found


def compare_documents(spec: SortSpec) -> Callable[[Any, Any], int]:
    """A comparison of array elements for `$push.$sort` and `$sortArray`; what is not an object has no fields."""
    order = sort_key(spec)

    def compare(left: Any, right: Any) -> int:
        first, second = order(left if type(left) is dict else {}), order(right if type(right) is dict else {})
        return -1 if first < second else int(second < first)

    return compare


def element_sort(spec: Document, code: int) -> Callable[[Any], Any]:
    """A key function over array elements by their fields, whose arrays are compared whole; `code` for a wrong order.

    Source: the server's `PatternValueCmp`, which `$sortArray` and `$push` share.
    """
    if not spec:
        raise CommandError(code, "the sort pattern must have at least one field")
    order = []
    for name, direction in spec.items():
        if as_integer(direction) not in (1, -1):
            raise CommandError(code, f"the sort direction of '{name}' must be 1 or -1")
        order.append((split(name), as_integer(direction) == -1))

    def place(element: Any) -> tuple[Any, ...]:
        tick()
        keys = [(_whole_key(element, parts), descending) for parts, descending in order]
        return tuple(_Reversed(found) if descending else found for found, descending in keys)

    return place


def _whole_key(element: Any, parts: tuple[str, ...]) -> Key:
    value = element
    for part in parts:
        value = value.get(part, MISSING) if type(value) is dict else MISSING
    return _NULL if value is MISSING else key(value)


def by_value(descending: bool) -> Callable[[Any], Any]:
    return (lambda value: _Reversed(key(value))) if descending else key


def element_order(spec: Any) -> Callable[[Any], Any]:
    """A key function over array elements from `$sort`'s operand: 1, -1, or an object of fields."""
    if isinstance(spec, dict):
        if not spec:
            raise bad_value("The $sort pattern is empty when it should be a set of fields.")
        return element_sort(spec, 2)
    direction = as_integer(spec)
    if direction not in (1, -1):
        raise bad_value(
            "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields"
        )
    return by_value(direction == -1)
