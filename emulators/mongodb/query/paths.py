"""Dotted paths through documents, as filters and sorts walk them.

An array on the way is entered once: each of its objects is searched, and a numeric part also picks that element. An
array at the end of the path is yielded whole; whoever tests it looks inside too.
"""

from __future__ import annotations

from typing import Any

from bson import DBRef

from emulators.mongodb.errors import CommandError, failed_to_parse
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


def field_names(path: str) -> tuple[str, ...]:
    """The parts of a path in an aggregation, refused under the numbers of the server's `FieldPath`."""
    if not path:
        raise CommandError(40352, "FieldPath cannot be constructed with empty string")
    parts = tuple(path.split("."))
    if not parts[-1]:
        raise CommandError(40353, f"FieldPath must not end with a '.': '{path}'")
    if len(parts) > MAX_DEPTH:
        raise CommandError(5984700, f"FieldPath is too long: {len(parts)} parts, the limit is {MAX_DEPTH}")
    for part in parts:
        if not part:
            raise CommandError(15998, f"FieldPath field names may not be empty strings: '{path}'")
        if part.startswith("$") and part not in ("$id", "$ref", "$db"):
            raise CommandError(16410, f"FieldPath field names may not start with '$'. Consider using $getField: {path}")
        if "\0" in part:
            raise CommandError(16411, f"FieldPath field names may not contain null bytes: {path!r}")
    return parts


class Whole(list[Any]):
    """An array that a number picked out of an array (`a.0` of `[[1, 2]]`): filters test it, but not its elements."""


def tested(document: Document, parts: tuple[str, ...]) -> list[Any]:
    """Every value the path leads to; MISSING for each object that ends early. Empty for an empty array on the way."""
    found: list[Any] = []
    _walk(document, parts, 0, found)
    return found


def leaves(document: Document, parts: tuple[str, ...]) -> list[Any]:
    """Every value that sorting, indexes and `distinct` find at a path; MISSING for each object that ends early.

    Unlike in a filter, a number picks the position in an array and then the elements are not searched for a field of
    that name; where an element has such a field too, nobody knows which is meant (16746). Source: the server's
    `btree_key_generator.cpp`.
    """
    if len(parts) == 1:
        return [document.get(parts[0], MISSING)]
    found: list[Any] = []
    _leaf(document, parts, 0, found)
    return found


def _leaf(value: Any, parts: tuple[str, ...], start: int, found: list[Any]) -> None:
    for position in range(start, len(parts)):
        if type(value) is dict:
            value = value.get(parts[position], MISSING)
        elif type(value) is DBRef:
            value = value.as_doc().get(parts[position], MISSING)
        elif type(value) is list:
            return _leaf_of_array(value, parts, position, found)
        else:
            return found.append(MISSING)
    return found.append(value)


def _leaf_of_array(array: list[Any], parts: tuple[str, ...], start: int, found: list[Any]) -> None:
    part = parts[start]
    if part.isdecimal() and str(int(part)) == part:
        if any(type(element) is dict and part in element for element in array):
            raise CommandError(
                16746,
                f"Ambiguous field name found in array (do not use numeric field names in embedded elements): {part}",
            )
        if int(part) < len(array):
            return _leaf(array[int(part)], parts, start + 1, found)
        if not array or not any(type(element) is dict for element in array):
            return found.append(MISSING)
    for element in array:
        if type(element) is dict:
            _leaf(element, parts, start, found)
        elif type(element) is not list:
            found.append(MISSING)
    if not array:
        found.append(MISSING)
    return None


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
            # Only objects are looked into: an array inside the array is not (the server's `evaluatePathArray`).
            mapped = [get(item, parts[position:]) for item in value if type(item) in (dict, DBRef)]
            return [item for item in mapped if item is not MISSING]
        elif type(value) is DBRef:
            value = value.as_doc().get(part, MISSING)
        else:
            return MISSING
    return value
