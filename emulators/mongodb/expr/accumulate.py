"""`$sum`, `$avg`, `$min`, `$max` and the deviations: over a list of values, for expressions and for `$group` alike."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from typing import Any

from bson import Decimal128, Int64

from emulators.mongodb import numeric
from emulators.mongodb.expr.arithmetic import exact_sum
from emulators.mongodb.expr.core import Expression, Scope, arguments, nothing, special
from emulators.mongodb.values import is_number, key


def total(values: list[Any]) -> Any:
    """What is not a number counts for nothing; no numbers at all is 0."""
    return exact_sum([value for value in values if is_number(value)])


def average_of_doubles(values: list[Any]) -> Any:
    """The average of an expression, which takes a long as the double nearest to it; an accumulator does not."""
    return average([float(value) if type(value) in (int, Int64) else value for value in values])


def average(values: list[Any]) -> Any:
    found = [value for value in values if is_number(value)]
    if not found:
        return None
    amount = exact_sum(found)
    if isinstance(amount, Decimal128):
        with decimal.localcontext(numeric.CONTEXT):
            return numeric.from_decimal(amount.to_decimal() / len(found))
    return float(amount) / len(found)


def smallest(values: list[Any]) -> Any:
    return min((value for value in values if not nothing(value)), key=key, default=None)


def largest(values: list[Any]) -> Any:
    return max((value for value in values if not nothing(value)), key=key, default=None)


def _deviation(values: list[Any], spare: int) -> float | None:
    """Welford's algorithm, whose sums stay in a double's range where the values do."""
    found = [numeric.double(value) for value in values if is_number(value)]
    if len(found) <= spare:
        return None
    mean = squares = 0.0
    for count, value in enumerate(found, 1):
        distance = value - mean
        mean += distance / count
        squares += distance * (value - mean)
    return math.sqrt(squares / (len(found) - spare)) if squares >= 0 else math.nan


def deviation_of_population(values: list[Any]) -> float | None:
    return _deviation(values, 0)


def deviation_of_sample(values: list[Any]) -> float | None:
    return _deviation(values, 1)


FOLDS: dict[str, Callable[[list[Any]], Any]] = {
    "$sum": total,
    "$avg": average,
    "$min": smallest,
    "$max": largest,
    "$stdDevPop": deviation_of_population,
    "$stdDevSamp": deviation_of_sample,
}


def _register(name: str, fold: Callable[[list[Any]], Any]) -> None:
    @special(name)
    def compiler(argument: Any, scope: Scope) -> Expression:
        items = arguments(name, argument, scope, 0, -1)
        if len(items) != 1:
            return lambda document, variables: fold([item(document, variables) for item in items])
        only = items[0]

        def run(document: Any, variables: Any) -> Any:
            value = only(document, variables)
            return fold(value if type(value) is list else [value])

        return run


for _name, _fold in FOLDS.items():
    _register(_name, average_of_doubles if _name == "$avg" else _fold)
