"""Set expressions: arrays taken as sets. The result keeps the order in which elements were first seen.

MongoDB leaves that order unspecified.
"""

from __future__ import annotations

from typing import Any

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import (
    Expression,
    Scope,
    Variables,
    arguments,
    is_literal,
    nothing,
    refers_to_document,
    simple,
    special,
)
from emulators.mongodb.values import Document, Key, key, truthy, type_name


def as_set(name: str, value: Any, code: int) -> dict[Key, Any]:
    """The distinct elements by their keys; the operator's code for an operand that is no array."""
    if type(value) is not list:
        raise CommandError(code, f"All operands of {name} must be arrays. One argument is of type: {type_name(value)}")
    found: dict[Key, Any] = {}
    for item in value:
        found.setdefault(key(item), item)
    return found


@simple("$setUnion", 0, -1)
def _union(*values: Any) -> list[Any] | None:
    merged: dict[Key, Any] = {}
    for value in values:
        if nothing(value):
            return None
        for place, item in as_set("$setUnion", value, 17043).items():
            merged.setdefault(place, item)
    return list(merged.values())


@simple("$setIntersection", 0, -1)
def _intersection(*values: Any) -> list[Any] | None:
    found: dict[Key, Any] | None = None
    for value in values:
        if nothing(value):
            return None
        other = as_set("$setIntersection", value, 17047)
        found = other if found is None else {place: item for place, item in found.items() if place in other}
    return list((found or {}).values())


@simple("$setDifference", 2)
def _difference(left: Any, right: Any) -> list[Any] | None:
    if nothing(left) or nothing(right):
        return None
    kept = as_set("$setDifference", left, 17048)
    removed = as_set("$setDifference", right, 17049)
    return [item for place, item in kept.items() if place not in removed]


def _is_operator(spec: Document) -> bool:
    return any(name.startswith("$") for name in spec)


@special("$setEquals")
def _equals(argument: Any, scope: Scope) -> Expression:
    items = arguments("$setEquals", argument, scope, 2, -1)
    # What is a constant is looked at when the pipeline is read, under another number.
    for given in argument:
        if is_literal(given) or (isinstance(given, dict) and not refers_to_document(given) and not _is_operator(given)):
            raise CommandError(5887502, "All operands of $setEquals must be arrays")

    def run(document: Document, variables: Variables) -> bool:
        found = [item(document, variables) for item in items]
        first, *others = [set(as_set("$setEquals", value, 17044)) for value in found]
        return all(first == other for other in others)

    return run


@simple("$setIsSubset", 2)
def _is_subset(left: Any, right: Any) -> bool:
    inner = set(as_set("$setIsSubset", left, 17046))
    return inner <= set(as_set("$setIsSubset", right, 17042))


@simple("$anyElementTrue", 1)
def _any_true(value: Any) -> bool:
    if type(value) is not list:
        raise CommandError(17041, f"$anyElementTrue's argument must be an array, but is {type_name(value)}")
    return any(map(truthy, value))


@simple("$allElementsTrue", 1)
def _all_true(value: Any) -> bool:
    if type(value) is not list:
        raise CommandError(17040, f"$allElementsTrue's argument must be an array, but is {type_name(value)}")
    return all(map(truthy, value))
