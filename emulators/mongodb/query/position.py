"""Which element of an array the filter matched: what the positional `$` stands for in updates and projections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulators.mongodb.errors import not_supported
from emulators.mongodb.query.match import compile_elem_match, compile_filter, is_operators
from emulators.mongodb.values import Document


def matched_position(query: Document, document: Document, path: str) -> int | None:
    """The index in the array at `path`; None when no condition is on it. Conditions that disagree are refused."""
    array: Any = document
    for part in path.split("."):
        array = array.get(part) if type(array) is dict else None
    if type(array) is not list:
        return None
    places = {_first(array, condition) for condition in _conditions(query, path)}
    if len(places) > 1:
        raise not_supported(f"the positional operator with several conditions on '{path}' (use $elemMatch)")
    return next(iter(places), None)


def _first(array: list[Any], condition: tuple[str, Any]) -> int | None:
    below, value = condition
    if below:
        part = below.partition(".")[0]
        if part.isdecimal():
            raise not_supported(f"the positional operator with a condition on element {part}")
        matches = compile_filter({below: value})
        return next((place for place, item in enumerate(array) if type(item) is dict and matches(item)), None)
    if is_operators(value) and "$elemMatch" in value:
        element = compile_elem_match(value["$elemMatch"])
        return next((place for place, item in enumerate(array) if element(item)), None)
    test = compile_filter({"element": value})
    return next((place for place, item in enumerate(array) if test({"element": item})), None)


def _conditions(query: Document, path: str) -> Iterator[tuple[str, Any]]:
    """Conditions on the array, each with the rest of its path below the array's elements."""
    for name, value in query.items():
        if name == "$and":
            for item in value:
                yield from _conditions(item, path)
        elif name == "$or":
            if any(next(_conditions(item, path), None) for item in value):
                raise not_supported(f"the positional operator with $or on '{path}'")
        elif (name == path or name.startswith(f"{path}.")) and not _is_negation(value):
            yield name[len(path) + 1 :], value


def _is_negation(value: Any) -> bool:
    """Conditions that no element fulfils: they tell no position (the manual's "$ (update)", "Negations")."""
    return is_operators(value) and set(value) <= {"$ne", "$nin", "$not"}
