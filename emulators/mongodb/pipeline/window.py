"""`$setWindowFields`: accumulators over a window of each document's neighbours, and ranks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from emulators.mongodb import numeric
from emulators.mongodb.deadline import tick
from emulators.mongodb.errors import CommandError, failed_to_parse, not_supported
from emulators.mongodb.expr.core import Scope, compile_expression, named_fields
from emulators.mongodb.expr.dateparts import instant
from emulators.mongodb.expr.dates import add_units
from emulators.mongodb.expr.timeline import UTC
from emulators.mongodb.memory import collected
from emulators.mongodb.pipeline.accumulators import Accumulator, compile_accumulator
from emulators.mongodb.pipeline.basic import set_path
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.query.paths import split
from emulators.mongodb.query.sort import SortSpec, parse_sort, sort_documents, sort_key
from emulators.mongodb.values import MISSING, Document, from_millis, is_number, key, type_name

# (the partition's documents, in order) → the new field's value for each of them
Output = Callable[[list[Document]], list[Any]]
_REFUSED = ("$derivative", "$integral", "$expMovingAvg", "$linearFill", "$locf")
_RANKS = ("$rank", "$denseRank", "$documentNumber")
_UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond")


@stage("$setWindowFields")
def _set_window_fields(argument: Any, context: Context) -> Stage:
    fields = named_fields("$setWindowFields", argument, ["output"], ["partitionBy", "sortBy", "output"])
    if not isinstance(fields["output"], dict):
        raise failed_to_parse("$setWindowFields needs an object as 'output'")
    by = compile_expression(fields.get("partitionBy"), context.scope)
    order = parse_sort(fields.get("sortBy") or {})
    outputs = [(split(name), _output(name, spec, order, context.scope)) for name, spec in fields["output"].items()]

    def partition(document: Document) -> Any:
        value = by(document, context.scope.start(document))
        if type(value) is list:
            raise CommandError(14, "An expression used to partition cannot evaluate to value of type array")
        return key(None if value is MISSING else value)

    def run(stream: Stream) -> Iterator[Document]:
        documents = sorted(sort_documents(collected(stream, "$setWindowFields"), order), key=partition)
        for _, group in groupby(documents, partition):
            members = list(group)
            columns = [output(members) for _, output in outputs]
            for place, document in enumerate(members):
                row = document
                for (path, _), column in zip(outputs, columns, strict=True):
                    row = set_path(row, path, column[place])
                yield row

    return run


def _output(name: str, spec: Any, order: SortSpec, scope: Scope) -> Output:
    if not isinstance(spec, dict):
        raise failed_to_parse(f"The field '{name}' must be an object with a window function")
    functions = [field for field in spec if field.startswith("$")]
    if len(functions) != 1 or set(spec) - {functions[0], "window"}:
        raise failed_to_parse(f"The field '{name}' must have one window function, and at most 'window' beside it")
    function = functions[0]
    if function in _REFUSED:
        raise not_supported(f"the window function {function}")
    if function in _RANKS:
        return _rank_output(function, spec, order)
    if function == "$shift":
        if "window" in spec or not order:
            raise failed_to_parse(f"{function} needs a sortBy, and takes no 'window'")
        return _shift(spec["$shift"], scope)
    accumulator = _accumulator(name, function, spec[function], scope)
    window = spec.get("window", {"documents": ["unbounded", "unbounded"]})
    bounds = _bounds(window, order)
    if function in ("$stdDevPop", "$stdDevSamp") and window.get("documents", window.get("range"))[0] != "unbounded":
        accumulator = replace(accumulator, fold=_sliding_deviation(function, accumulator.fold))

    def run(members: list[Document]) -> list[Any]:
        collected = [accumulator.collect(member, scope.start(member)) for member in members]
        windows = bounds(members)
        found = []
        for low, high in windows:
            tick(high - low)
            found.append(accumulator.fold(collected[low:high]))
        return found

    return run


def _sliding_deviation(function: str, fold: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    """Of a frame that documents leave: null while it holds an infinity or NaN, and the integer 0 for one value alone.

    Source: the server's `WindowFunctionStdDev::getValue`, and functional-tests, operator/window/stdDevPop.
    """

    def deviation(values: list[Any]) -> Any:
        numbers = [value for value in values if is_number(value)]
        if any(not numeric.to_decimal(value).is_finite() for value in numbers):
            return None
        if function == "$stdDevPop" and len(numbers) == 1:
            return 0
        return fold(numbers)

    return deviation


_UNARY = ("$sum", "$avg", "$min", "$max", "$first", "$last", "$push", "$addToSet", "$stdDevPop", "$stdDevSamp")


def _covariance(function: str, argument: Any, scope: Scope) -> Accumulator:
    """Of pairs of numbers; a pair with anything else does not count. A decimal among them makes the result one."""
    pair = argument if isinstance(argument, list) and len(argument) == 2 else None
    if pair is None:
        return Accumulator(compile_expression(argument, scope), lambda values: None)
    first, second = (compile_expression(item, scope) for item in pair)
    spare = 1 if function == "$covarianceSamp" else 0

    def fold(pairs: list[Any]) -> Any:
        found = [(x, y) for x, y in pairs if is_number(x) and is_number(y)]
        if any(not numeric.to_decimal(number).is_finite() for one in found for number in one):
            raise not_supported(f"{function} of Infinity or NaN")
        if len(found) <= spare:
            return None
        # By running sums, as the server does it: sums of the largest doubles leave their range, and NaN comes of that.
        sum_x, sum_y = found[0]
        total: Any = 0.0
        for count, (x, y) in enumerate(found[1:], 2):
            distance = numeric.subtract(x, numeric.divide(sum_x, count - 1))
            sum_x, sum_y = numeric.add(sum_x, x), numeric.add(sum_y, y)
            total = numeric.add(total, numeric.multiply(distance, numeric.subtract(y, numeric.divide(sum_y, count))))
        # The count is a double, which a decimal's exponent comes from.
        return numeric.divide(total, float(len(found) - spare))

    return Accumulator(lambda document, variables: (first(document, variables), second(document, variables)), fold)


def _rank_output(function: str, spec: Document, order: SortSpec) -> Output:
    if spec[function] != {} or not isinstance(spec[function], dict):
        raise CommandError(5371603, f"{function} must be specified with '{{}}' as the value")
    if "window" in spec:
        raise CommandError(5371601, f"Rank style window functions take no other arguments: {function}")
    if len(order) != 1:
        raise CommandError(5371602, f"{function} must be specified with a top level sortBy with exactly one element")
    return _ranks(function, order)


def _accumulator(name: str, function: str, argument: Any, scope: Scope) -> Accumulator:
    """Unlike in `$group`, an array is an expression like any other."""
    if function in ("$covariancePop", "$covarianceSamp"):
        return _covariance(function, argument, scope)
    if isinstance(argument, list) and function in _UNARY:
        plain = compile_accumulator(name, {function: 1}, scope, grouping=False)
        return Accumulator(compile_expression(argument, scope), plain.fold)
    return compile_accumulator(name, {function: argument}, scope, grouping=False)


def _ranks(function: str, order: SortSpec) -> Output:
    place = sort_key(order)

    def run(members: list[Document]) -> list[Any]:
        ranks: list[Any] = []
        rank = dense = 0
        previous: Any = None
        for number, member in enumerate(members, 1):
            current = place(member)
            if number == 1 or current != previous:
                rank, dense = number, dense + 1
            previous = current
            ranks.append({"$rank": rank, "$denseRank": dense, "$documentNumber": number}[function])
        return ranks

    return run


def _shift(argument: Any, scope: Scope) -> Output:
    fields = named_fields("$shift", argument, ["output", "by"], ["output", "by", "default"])
    distance = numeric.as_integer(fields["by"])
    if distance is None:
        raise failed_to_parse("$shift's 'by' must be a whole number")
    value = compile_expression(fields["output"], scope)
    default = compile_expression(fields.get("default"), scope)({}, scope.start({}))

    def run(members: list[Document]) -> list[Any]:
        values = [value(member, scope.start(member)) for member in members]
        found = [values[n + distance] if 0 <= n + distance < len(values) else default for n in range(len(values))]
        return [None if item is MISSING else item for item in found]

    return run


Windows = Callable[[list[Document]], list[tuple[int, int]]]


def _bounds(window: Any, order: SortSpec) -> Windows:
    """For each document the slice of its window: by position (`documents`), or by value (`range`)."""
    if not isinstance(window, dict) or ("documents" in window) == ("range" in window):
        raise failed_to_parse("'window' must have either 'documents' or 'range'")
    if set(window) - {"documents", "range", "unit"} or ("unit" in window and "range" not in window):
        raise failed_to_parse("'window' knows documents, range, and unit together with range")
    limits = window.get("documents", window.get("range"))
    if not isinstance(limits, list) or len(limits) != 2:
        raise failed_to_parse("A window's bounds must be a 2-element array")
    if "range" in window:
        return _by_value(limits, window.get("unit"), order)
    if limits != ["unbounded", "unbounded"] and not order:
        raise CommandError(5339901, "Document-based bounds require a sortBy")
    low, high = (_offset(limit) for limit in limits)
    if low is not None and high is not None and low > high:
        raise CommandError(5339900, f"Lower bound must not exceed upper bound: {limits}")

    def run(members: list[Document]) -> list[tuple[int, int]]:
        count = len(members)
        starts = [0 if low is None else min(max(n + low, 0), count) for n in range(count)]
        ends = [count if high is None else min(max(n + high + 1, 0), count) for n in range(count)]
        return list(zip(starts, ends, strict=True))

    return run


def _offset(limit: Any) -> int | None:
    """The distance from the current document; None for "unbounded"."""
    if limit == "unbounded":
        return None
    whole = 0 if limit == "current" else numeric.as_integer(limit)
    if whole is None:
        raise failed_to_parse("Numeric document-based bounds must be an integer, 'current' or 'unbounded'")
    return whole


def _by_value(limits: list[Any], unit: Any, order: SortSpec) -> Windows:
    if len(order) != 1 or order[0][1] or len(order[0][0]) != 1:
        raise CommandError(5339902, "Range-based bounds require sortBy a single field, ascending")
    if unit is not None and unit not in _UNITS:
        raise failed_to_parse(f"'unit' is no unit of time: {unit!r}")
    for limit in limits:
        if limit not in ("unbounded", "current") and not is_number(limit):
            raise failed_to_parse("Range-based bounds are numbers, 'current' or 'unbounded'")
    field = order[0][0][0]

    def run(members: list[Document]) -> list[tuple[int, int]]:
        values = [member.get(field, MISSING) for member in members]
        keys = [key(value) for value in values]
        found = []
        for value in values:
            low, high = (_limit(value, limit, unit) for limit in limits)
            start = 0 if low is None else sum(item < key(low) for item in keys)
            end = len(keys) if high is None else sum(item <= key(high) for item in keys)
            found.append((start, max(start, end)))
        return found

    return run


def _limit(value: Any, limit: Any, unit: str | None) -> Any:
    """The value at which the window ends; None when it does not."""
    if limit == "unbounded":
        return None
    if unit is None and not is_number(value):
        raise CommandError(
            5429414, f"Invalid range: Expected the sortBy field to be a number, but it was {type_name(value)}"
        )
    if unit is not None and not isinstance(value, dt.datetime):
        raise CommandError(
            5429513, f"Invalid range: Expected the sortBy field to be a Date, but it was {type_name(value)}"
        )
    if limit == "current":
        return value
    if unit is None:
        return numeric.add(value, limit)
    distance = numeric.as_integer(limit)
    if distance is None:
        raise failed_to_parse("With 'unit', range-based bounds must be integers")
    return from_millis(add_units(instant("$setWindowFields", value), UTC, unit, distance))
