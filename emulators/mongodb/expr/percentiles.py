"""`$percentile` and `$median`, as expressions and as accumulators.

The value at a rank of the sorted numbers, always a double. MongoDB's accumulators approximate by a t-digest, which is
exact for few values and may differ from this for many ("$percentile (aggregation)" in the manual).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from emulators.mongodb.errors import CommandError, bad_value
from emulators.mongodb.expr.core import Expression, Scope, compile_expression, refers_to_document, special
from emulators.mongodb.numeric import double
from emulators.mongodb.values import Document, is_number

Fold = Callable[[list[Any]], Any]


def parse(name: str, argument: Any, scope: Scope) -> tuple[Expression, Fold]:
    """The input, and what becomes of the numbers that were collected of it."""
    allowed = ("input", "method", "p") if name == "$percentile" else ("input", "method")
    if not isinstance(argument, dict):
        raise CommandError(7429703 if name == "$percentile" else 7436100, f"specification must be an object; {name}")
    for field in argument:
        if field not in allowed:
            raise CommandError(40415, f"BSON field '{name}.{field}' is an unknown field.")
    for field in allowed:
        if field not in argument:
            raise CommandError(40414, f"BSON field '{name}.{field}' is missing but a required field")
    method = argument["method"]
    if type(method) is not str:
        raise CommandError(14, f"BSON field '{name}.method' is the wrong type, expected type 'string'")
    if method != "approximate":
        raise bad_value("Currently only 'approximate' can be used as percentile 'method'")
    given = compile_expression(argument["input"], scope)
    if name == "$median":
        return given, lambda values: _at(values, [0.5])[0]
    places = _places(argument["p"], scope)
    return given, lambda values: _at(values, places)


def _places(spec: Any, scope: Scope) -> list[float]:
    if refers_to_document(spec):
        raise CommandError(
            7750300, "The $percentile 'p' field must be an array of constant values, but found an expression"
        )
    value = compile_expression(spec, scope)({}, scope.start({}))
    if not isinstance(value, list) or not value:
        raise CommandError(
            7750301, f"The $percentile 'p' field must be an array of numbers from [0.0, 1.0], found {value!r}"
        )
    for item in value:
        if not is_number(item):
            raise CommandError(
                7750302, f"The $percentile 'p' field must be an array of numbers from [0.0, 1.0], found {item!r}"
            )
        if not 0 <= double(item) <= 1:
            raise CommandError(
                7750303, f"The $percentile 'p' field must be an array of numbers from [0.0, 1.0], found {item!r}"
            )
    return [double(item) for item in value]


def _at(values: list[Any], places: list[float]) -> list[float | None]:
    """The number at each place: the first with at least that share of all at or below it."""
    # NaN counts for nothing that could be ordered.
    found = [double(item) for item in values if is_number(item)]
    ordered = sorted(item for item in found if not math.isnan(item))
    if not ordered:
        return [None] * len(places)
    return [ordered[max(math.ceil(place * len(ordered)) - 1, 0)] for place in places]


def _register(name: str) -> None:
    @special(name)
    def compiler(argument: Any, scope: Scope) -> Expression:
        given, fold = parse(name, argument, scope)

        def run(document: Document, variables: Document) -> Any:
            value = given(document, variables)
            return fold(value if type(value) is list else [value])

        return run


_register("$percentile")
_register("$median")
