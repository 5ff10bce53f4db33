"""Filters, compiled once into a function that says whether a document matches.

Rules: the manual's "Query and Projection Operators". An operator on a path that leads to an array asks the array and
each of its elements; `$size`, `$all`, `$elemMatch` and `$exists` ask the array itself. Unknown operators are refused
(2), known ones that are not here are refused by name (238).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from bson import Regex

from emulators.mongodb.deadline import tick
from emulators.mongodb.errors import CommandError, bad_value, not_supported, type_mismatch
from emulators.mongodb.expr.core import Scope, compile_expression
from emulators.mongodb.numeric import as_integer, double
from emulators.mongodb.query import leaf
from emulators.mongodb.query.geo import NEAR_OPTIONS, compile_intersects, compile_near, compile_within, nearest
from emulators.mongodb.query.jsonschema import compile_schema
from emulators.mongodb.query.leaf import Test
from emulators.mongodb.query.paths import tested
from emulators.mongodb.query.text import parse_search, text_test
from emulators.mongodb.values import INT32_MAX, MISSING, Document, Key, is_number, key, truthy

Filter = Callable[[Document], bool]
Leaves = Callable[[list[Any]], bool]
Each = Callable[[Test], Leaves]

EVERYWHERE = Scope()
_REFUSED_TOP = ("$where", "$alwaysTrue", "$alwaysFalse", "$_internalExprEq")
_NEAR = ("$near", "$nearSphere")
_MISPLACED = (*_NEAR, *NEAR_OPTIONS, "$geometry")


def compile_filter(query: Any, scope: Scope = EVERYWHERE) -> Filter:
    """Raises CommandError for a filter MongoDB would refuse, or that this server does not answer rightly."""
    if not isinstance(query, dict):
        raise type_mismatch("Expected field filter to be of type object")
    return _all([clause for name, value in query.items() for clause in _clause(name, value, scope)])


def _all(clauses: list[Filter]) -> Filter:
    if not clauses:
        return lambda _: True
    if len(clauses) == 1:
        return clauses[0]
    return lambda document: all(clause(document) for clause in clauses)


def _clause(name: str, value: Any, scope: Scope) -> list[Filter]:
    if name.startswith("$"):
        return _top_level(name, value, scope)
    # A filter may have empty names in its path, unlike an update or a projection.
    parts = tuple(name.split("."))
    near = next((item for item in _NEAR if item in value), None) if isinstance(value, dict) else None
    if near is not None:
        rest = {item: operand for item, operand in value.items() if item not in (near, *NEAR_OPTIONS)}
        others = [_at(parts, test) for test in _tests(rest, scope, elementwise)] if rest else []
        return [*others, _near(name, near, value, scope)]
    return [_at(parts, test) for test in _tests(value, scope, elementwise)]


def _near(path: str, operator: str, value: Document, scope: Scope) -> Filter:
    """Documents that are near enough; their distances are noted, and they come in that order."""
    near, parts = compile_near(operator, value), tuple(path.split("."))
    if scope.searched is not None:
        scope.searched.need_geo(path, near.kinds)
    if scope is not EVERYWHERE:
        if scope.meta.near:
            raise bad_value("Too many geoNear expressions")
        scope.meta.near = True
        scope.meta.offered.add("geoNearDistance")

    def test(document: Document) -> bool:
        found = nearest(near.measure, tested(document, parts))
        if found is None:
            return False
        if scope is not EVERYWHERE:
            scope.meta.put(document, "geoNearDistance", found[0])
        return True

    return test


def _text(value: Any, scope: Scope) -> Filter:
    searched = scope.searched
    if searched is None:
        parse_search(value, "english")
        return lambda _: False
    postings = searched.postings()
    search = parse_search(value, postings.spec.default_language)
    scope.meta.offered.add("textScore")
    return text_test(
        search, postings, searched.identity, lambda document, score: scope.meta.put(document, "textScore", score)
    )


def _at(parts: tuple[str, ...], test: Leaves) -> Filter:
    if len(parts) == 1:
        part = parts[0]
        return lambda document: test([document.get(part, MISSING)])
    return lambda document: test(tested(document, parts))


def _top_level(name: str, value: Any, scope: Scope) -> list[Filter]:
    if name == "$comment":
        return []
    if name in ("$and", "$or", "$nor"):
        return [_logical(name, value, scope)]
    if name == "$expr":
        expression = compile_expression(value, scope)
        return [lambda document: truthy(expression(document, scope.start(document)))]
    if name == "$jsonSchema":
        return [compile_schema(value)]
    if name == "$sampleRate":
        if not is_number(value) or not 0 <= double(value) <= 1:
            raise bad_value("$sampleRate takes a number between 0 and 1")
        rate = double(value)
        return [lambda _: random.random() < rate]  # noqa: S311 - it is no secret
    if name == "$text":
        return [_text(value, scope)]
    if name in _REFUSED_TOP:
        raise not_supported(f"the query operator {name}")
    raise bad_value(
        f"unknown top level operator: {name}. If you have a field name that starts with a '$' symbol, consider using "
        "$getField or $setField."
    )


def _logical(name: str, value: Any, scope: Scope) -> Filter:
    if not isinstance(value, list):
        raise bad_value(f"{name} must be an array")
    if not value:
        raise bad_value("$and/$or/$nor must be a nonempty array")
    if not all(isinstance(item, dict) for item in value):
        raise bad_value("$or/$and/$nor entries need to be full objects")
    clauses = [compile_filter(item, scope) for item in value]
    if name == "$and":
        return _all(clauses)
    if name == "$or":
        return lambda document: any(clause(document) for clause in clauses)
    return lambda document: not any(clause(document) for clause in clauses)


def is_operators(value: Any) -> bool:
    """Whether a filter's value is `{$gt: …}` rather than a document to compare with: the first field tells."""
    first = next(iter(value), "") if isinstance(value, dict) else ""
    return first.startswith("$") and first not in ("$ref", "$id", "$db")


def _tests(value: Any, scope: Scope, each: Each) -> list[Leaves]:
    if isinstance(value, Regex):
        return [each(leaf.matches(value))]
    if not is_operators(value):
        return [each(leaf.equals(value))]
    if "$options" in value and "$regex" not in value:
        raise bad_value("$options needs a $regex")
    operators = [(name, operand) for name, operand in value.items() if name not in ("$options", "$comment")]
    return [_operator(name, operand, value, scope, each) for name, operand in operators]


def _operator(name: str, operand: Any, siblings: Document, scope: Scope, each: Each) -> Leaves:
    if name in _SIMPLE:
        return each(_SIMPLE[name](operand))
    if name in ("$gt", "$gte", "$lt", "$lte"):
        return each(leaf.ordered(name, operand))
    if name in ("$ne", "$nin", "$not"):
        return _negation(name, operand, scope, each)
    if name == "$regex":
        return each(_regex(operand, siblings))
    if name in leaf.BITS:
        return each(leaf.bits(name, operand))
    if name in _WHOLE:
        return _WHOLE[name](operand, scope)
    if name in _MISPLACED:
        raise bad_value(f"geo {name} must be top-level expr")
    raise bad_value(f"unknown operator: {name}")


def elementwise(test: Test) -> Leaves:
    """The test holds of a value, or of an element of it when it is an array."""

    def run(values: list[Any]) -> bool:
        for value in values:
            if test(value):
                return True
            if type(value) is list:
                for element in value:
                    tick()
                    if test(element):
                        return True
        return False

    return run


def itemwise(test: Test) -> Leaves:
    """The test holds of a value as it is: what `$elemMatch` asks of each element."""
    return lambda values: any(test(value) for value in values)


def _negation(name: str, operand: Any, scope: Scope, each: Each) -> Leaves:
    if name == "$ne":
        if isinstance(operand, Regex):
            raise bad_value("Can't have regex as arg to $ne.")
        positive = [each(leaf.equals(operand))]
    elif name == "$nin":
        if not isinstance(operand, list):
            raise bad_value("$nin needs an array")
        positive = [each(leaf.within(operand))]
    elif isinstance(operand, Regex) or is_operators(operand):
        positive = _tests(operand, scope, each)
    else:
        raise bad_value("$not needs a regex or a document of operators")
    return lambda values: not all(test(values) for test in positive)


def _regex(operand: Any, siblings: Document) -> Test:
    options = siblings.get("$options", "")
    if not isinstance(options, str):
        raise bad_value("$options has to be a string")
    if isinstance(operand, Regex) and operand.flags and "$options" in siblings:
        code = 51075 if list(siblings).index("$regex") < list(siblings).index("$options") else 51074
        raise CommandError(code, "options set in both $regex and $options")
    if type(operand) is str and "\0" in operand:
        raise bad_value("Regular expression cannot contain an embedded null byte")
    return leaf.matches(operand, options)


def _exists(operand: Any, _: Scope) -> Leaves:
    wanted = truthy(operand)
    return lambda values: any(value is not MISSING for value in values) is wanted


def _size(operand: Any, _: Scope) -> Leaves:
    length = as_integer(operand)
    if length is not None and (length > INT32_MAX or length < -INT32_MAX):
        length = None
    if length is None:
        raise bad_value(f"Failed to parse $size. Expected a whole number: {operand!r}")
    if length < 0:
        raise bad_value(f"Failed to parse $size. Expected a non-negative number in: $size: {length}")
    return lambda values: any(isinstance(value, list) and len(value) == length for value in values)


def _all_operator(operand: Any, scope: Scope) -> Leaves:
    if not isinstance(operand, list):
        raise bad_value("$all needs an array")
    tests: list[Leaves] = []
    nested = [isinstance(item, dict) and "$elemMatch" in item for item in operand]
    if any(nested) and not all(nested):
        raise bad_value("no $ expressions in $all")
    plain = [item for item in operand if not isinstance(item, dict | list | Regex) and item is not None]
    if len(plain) > 8:
        tests.append(_holds({key(item) for item in plain}))
    else:
        plain = []
    for item in operand:
        if is_operators(item) and "$elemMatch" not in item:
            raise bad_value("no $ expressions in $all")
        if not plain or isinstance(item, dict | list | Regex) or item is None:
            tests += _tests(item, scope, elementwise)
    return lambda values: bool(tests) and all(test(values) for test in tests)


def _holds(wanted: set[Key]) -> Leaves:
    """Whether all keys are among a value and its elements; for many, one walk instead of one each."""

    def run(values: list[Any]) -> bool:
        tick(len(wanted))
        found: set[Key] = set()
        for value in values:
            found |= {key(element) for element in value} if type(value) is list else {key(value)}
        return wanted <= found

    return run


def _elem_match(operand: Any, scope: Scope) -> Leaves:
    test = compile_elem_match(operand, scope)
    return lambda values: any(isinstance(value, list) and any(map(test, value)) for value in values)


def compile_elem_match(operand: Any, scope: Scope = EVERYWHERE) -> Test:
    """The test of one element: by operators (`{$gt: 1}`) or, for objects, by a filter of their fields."""
    if not isinstance(operand, dict):
        raise bad_value("$elemMatch needs an Object")
    if is_operators(operand) and next(iter(operand)) not in ("$and", "$or", "$nor", "$expr", "$jsonSchema", "$comment"):
        tests = _tests(operand, scope, itemwise)
        return lambda element: all(test([element]) for test in tests)
    filter_ = compile_filter(operand, scope)
    return lambda element: type(element) in (dict, list) and filter_(_as_object(element))


def _as_object(element: Any) -> Document:
    return element if type(element) is dict else {str(index): item for index, item in enumerate(element)}


_SIMPLE: dict[str, Callable[[Any], Test]] = {
    "$eq": leaf.equals,
    "$in": leaf.within,
    "$type": leaf.of_type,
    "$mod": leaf.modulo,
    "$geoWithin": compile_within,
    "$within": compile_within,
    "$geoIntersects": compile_intersects,
}
_WHOLE: dict[str, Callable[[Any, Scope], Leaves]] = {
    "$exists": _exists,
    "$size": _size,
    "$all": _all_operator,
    "$elemMatch": _elem_match,
}
