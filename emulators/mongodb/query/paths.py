"""Dotted paths through documents, as filters and sorts walk them.

An array on the way is entered once: each of its objects is searched, and a numeric part also picks that element. An
array at the end of the path is yielded whole; whoever tests it looks inside too.
"""

from __future__ import annotations

from typing import Any

from bson import DBRef

from emulators.mongodb.errors import CommandError, failed_to_parse, not_supported
from emulators.mongodb.values import MISSING, Document

MAX_DEPTH = 200


def split(path: str) -> tuple[str, ...]:
    """Path parts; an empty path part is refused as MongoDB refuses it in updates and projections."""
    parts = tuple(path.split("."))
    if len(parts) > MAX_DEPTH:
        raise CommandError(15, f"FieldPath is too long: {len(parts)} parts, the limit is {MAX_DEPTH}")
    if "" in parts:
        raise CommandError(56, f"The path '{path}' contains an empty field name, which is not allowed")
    if "\0" in path:
        raise failed_to_parse(f"The path {path!r} contains a null byte, which is not allowed")
    return parts


class Whole(list[Any]):
    """An array that a number picked out of an array (`a.0` of `[[1, 2]]`): filters test it, but not its elements."""


def tested(document: Document, parts: tuple[str, ...]) -> list[Any]:
    """Every value the path leads to; MISSING for each object that ends early. Empty for an empty array on the way."""
    found: list[Any] = []
    _walk(document, parts, 0, found)
    return found


def leaves(document: Document, parts: tuple[str, ...]) -> list[Any]:
    """`tested`, for sorting, indexing and the like, which are not known to treat a `Whole` as filters do."""
    if len(parts) == 1:
        return [document.get(parts[0], MISSING)]
    found = tested(document, parts)
    if any(type(value) is Whole for value in found):
        raise not_supported(
            f"sorting, indexing or listing by '{'.'.join(parts)}', where the number picks an array inside an array,"
        )
    return found


def _walk(current: Document, parts: tuple[str, ...], start: int, found: list[Any]) -> None:
    for position in range(start, len(parts)):
        value = current.get(parts[position], MISSING)
        if position == len(parts) - 1:
            found.append(value)
        elif type(value) is dict:
            current = value
        elif type(value) is list:
            return _walk_array(value, parts, position + 1, found)
        elif type(value) is DBRef:
            current = dict(value.as_doc())
        else:
            return found.append(MISSING)
    return None


def _walk_array(array: list[Any], parts: tuple[str, ...], start: int, found: list[Any]) -> None:
    part = parts[start]
    index = int(part) if part.isdecimal() and str(int(part)) == part else -1
    for position, element in enumerate(array):
        if type(element) is dict:
            _walk(element, parts, start, found)
        if position == index:
            _enter(element, parts, start + 1, found)


def _enter(element: Any, parts: tuple[str, ...], start: int, found: list[Any]) -> None:
    if start == len(parts):
        found.append(Whole(element) if type(element) is list else element)
    elif type(element) is dict:
        _walk(element, parts, start, found)
    elif type(element) is list:
        _walk_array(element, parts, start, found)


def get(value: Any, parts: tuple[str, ...]) -> Any:
    """The expression form `$a.b`: arrays are mapped over, numbers pick nothing, and MISSING when there is nothing."""
    for position, part in enumerate(parts):
        if type(value) is dict:
            value = value.get(part, MISSING)
        elif type(value) is list:
            mapped = [get(item, parts[position:]) for item in value if type(item) in (dict, list)]
            return [item for item in mapped if item is not MISSING]
        elif type(value) is DBRef:
            value = value.as_doc().get(part, MISSING)
        else:
            return MISSING
    return value
