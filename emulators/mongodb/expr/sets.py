"""Set expressions: arrays taken as sets. The result keeps the order in which elements were first seen.

MongoDB leaves that order unspecified.
"""

from __future__ import annotations

from typing import Any

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import simple
from emulators.mongodb.values import Key, key, truthy, type_name


def as_set(name: str, value: Any) -> dict[Key, Any]:
    if type(value) is not list:
        raise CommandError(17043, f"All operands of {name} must be arrays. One argument is of type: {type_name(value)}")
    found: dict[Key, Any] = {}
    for item in value:
        found.setdefault(key(item), item)
    return found


@simple("$setUnion", 0, -1, nulls=True)
def _union(*values: Any) -> list[Any]:
    merged: dict[Key, Any] = {}
    for value in values:
        for place, item in as_set("$setUnion", value).items():
            merged.setdefault(place, item)
    return list(merged.values())


@simple("$setIntersection", 0, -1, nulls=True)
def _intersection(*values: Any) -> list[Any]:
    if not values:
        return []
    first, *others = [as_set("$setIntersection", value) for value in values]
    return [item for place, item in first.items() if all(place in other for other in others)]


@simple("$setDifference", 2, nulls=True)
def _difference(left: Any, right: Any) -> list[Any]:
    removed = as_set("$setDifference", right)
    return [item for place, item in as_set("$setDifference", left).items() if place not in removed]


@simple("$setEquals", 2, -1)
def _equals(*values: Any) -> bool:
    first, *others = [set(as_set("$setEquals", value)) for value in values]
    return all(first == other for other in others)


@simple("$setIsSubset", 2)
def _is_subset(left: Any, right: Any) -> bool:
    return set(as_set("$setIsSubset", left)) <= set(as_set("$setIsSubset", right))


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
