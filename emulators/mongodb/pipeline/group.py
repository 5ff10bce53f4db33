"""`$group`, `$sortByCount`, `$bucket` and `$bucketAuto`. Groups come out in the order in which they were first met."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from emulators.mongodb.deadline import counted
from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import Expression, Variables, compile_expression, is_literal, refers_to_document
from emulators.mongodb.memory import Meter, collected, size_of
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.pipeline.accumulators import Accumulator, carried_over, compile_accumulator
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.pipeline.granularity import GRANULARITIES, Rounder, check_granular
from emulators.mongodb.values import INT32_MAX, MISSING, Document, Key, is_number, key, type_name

Collected = list[list[Any]]


def _accumulators(fields: Document, context: Context) -> dict[str, Accumulator]:
    for name in fields:
        if "." in name:
            raise CommandError(40235, f"The field name '{name}' cannot contain '.'")
        if name.startswith("$"):
            raise CommandError(40236, f"The field name '{name}' cannot be an operator name")
        if name == "_id":
            raise CommandError(15948, "a group's _id may only be specified once")
    return {name: compile_accumulator(name, spec, context.scope) for name, spec in fields.items()}


class _Memory:
    """What the groups of a stage keep: 100 MB each, which cannot be spilled, and together what can (see `memory`)."""

    def __init__(self, stage: str) -> None:
        self._stage, self._all = stage, Meter(stage)
        self._each: dict[Key, Meter] = {}

    def keep(self, group: Key, value: Any) -> None:
        size = size_of(value)
        self._all.count(size)
        if group not in self._each:
            self._each[group] = Meter(self._stage, spills=False)
        self._each[group].count(size)

    def begin(self, group: Any) -> None:
        """Counts a group that was not there before."""
        self._all.add(group)


def _collect(
    document: Document,
    variables: Variables,
    accumulators: dict[str, Accumulator],
    into: Collected,
    memory: _Memory,
    group: Key,
) -> None:
    for values, accumulator in zip(into, accumulators.values(), strict=True):
        value = accumulator.collect(document, variables)
        if accumulator.keeps and value is not MISSING:
            memory.keep(group, value)
        values.append(value)


def _finish(accumulators: dict[str, Accumulator], collected: Collected) -> Document:
    pairs = zip(accumulators.items(), collected, strict=True)
    return {name: accumulator.fold(values) for (name, accumulator), values in pairs}


@stage("$group")
def _group(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(15947, "a group's fields must be specified in an object")
    if "_id" not in argument:
        raise CommandError(15955, "a group specification must include an _id")
    identity = argument["_id"]
    if isinstance(identity, dict):
        for name, value in identity.items():
            if not name.startswith("$") and (isinstance(value, bool) or is_number(value)):
                raise CommandError(17390, "$group does not support inclusion-style expressions")
    constant = is_literal(identity)
    by = compile_expression(identity, context.scope)
    accumulators = _accumulators({name: spec for name, spec in argument.items() if name != "_id"}, context)

    def run(stream: Stream) -> Iterator[Document]:
        groups: dict[Key, tuple[Any, Collected]] = {}
        memory = _Memory("$group")
        for document in counted(stream):
            variables = context.scope.start(document)
            value = by(document, variables)
            value = None if value is MISSING else value
            place = key(value)
            if place not in groups:
                memory.begin(value)
            group = groups.setdefault(place, (value, [[] for _ in accumulators]))
            _collect(document, variables, accumulators, group[1], memory, place)
        for value, held in groups.values():
            yield {"_id": value if constant else carried_over(value), **_finish(accumulators, held)}

    return run


@stage("$sortByCount")
def _sort_by_count(argument: Any, context: Context) -> Stage:
    if not (isinstance(argument, dict) or (isinstance(argument, str) and argument.startswith("$"))):
        raise CommandError(40149, "the sortByCount field must be defined as a $-prefixed path or an expression object")
    grouped = _group({"_id": argument, "count": {"$sum": 1}}, context)
    return lambda stream: sorted(grouped(stream), key=lambda row: -row["count"])


@stage("$bucket")
def _bucket(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(40201, f"Argument to $bucket stage must be an object, but found type: {type_name(argument)}")
    for name, value in argument.items():
        _check_bucket_option(name, value)
    if not {"groupBy", "boundaries"} <= set(argument):
        raise CommandError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.")
    boundaries = [_constant(item, context, 40191) for item in argument["boundaries"]]
    keys = [key(item) for item in boundaries]
    if len(keys) < 2:
        raise CommandError(40192, "The 'boundaries' of $bucket must have at least 2 values")
    for first, second in pairwise(keys):
        if first[0] != second[0]:
            raise CommandError(40193, "All values in the 'boundaries' option to $bucket must have the same type.")
        if first >= second:
            raise CommandError(40194, "The 'boundaries' option to $bucket must be sorted, and have no duplicates.")
    default = _constant(argument["default"], context, 40195) if "default" in argument else MISSING
    if default is not MISSING and keys[0] <= key(default) < keys[-1]:
        raise CommandError(
            40199, "The $bucket 'default' field must be less than the lowest boundary or not below the highest."
        )
    by = compile_expression(argument["groupBy"], context.scope)
    accumulators = _accumulators(argument.get("output", {"count": {"$sum": 1}}), context)

    def place(document: Document) -> Any:
        found = key(by(document, context.scope.start(document)))
        number = bisect_right(keys, found)
        if 0 < number < len(keys):
            return boundaries[number - 1]
        if default is MISSING:
            raise CommandError(40069, "$bucket found a value outside its boundaries, and no default was specified")
        return default

    def run(stream: Stream) -> list[Document]:
        buckets: dict[Key, tuple[Any, Collected]] = {}
        memory = _Memory("$bucket")
        for document in counted(stream):
            value = place(document)
            bucket = buckets.setdefault(key(value), (value, [[] for _ in accumulators]))
            _collect(document, context.scope.start(document), accumulators, bucket[1], memory, key(value))
        ordered = sorted(buckets.items())
        rows = ((value, _finish(accumulators, collected)) for _, (value, collected) in ordered)
        return [{"_id": carried_over(value), **found} for value, found in rows]

    return run


def _is_expression(spec: Any) -> bool:
    """A path or an operator: what `groupBy` has to be."""
    if isinstance(spec, dict):
        return bool(spec) and all(name.startswith("$") for name in spec)
    return isinstance(spec, str) and spec.startswith("$")


def _check_bucket_option(name: str, value: Any) -> None:
    if name == "groupBy":
        if not _is_expression(value):
            raise CommandError(
                40202, "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression"
            )
    elif name == "boundaries":
        if not isinstance(value, list):
            raise CommandError(
                40200, f"The $bucket 'boundaries' field must be an array, but found type: {type_name(value)}"
            )
    elif name == "output":
        if not isinstance(value, dict):
            raise CommandError(
                40196, f"The $bucket 'output' field must be an object, but found type: {type_name(value)}"
            )
    elif name != "default":
        raise CommandError(40197, f"Unrecognized option to $bucket: {name}.")


def _constant(spec: Any, context: Context, code: int) -> Any:
    """The value of an expression that refers to no document; `code` for one that does."""
    if refers_to_document(spec):
        raise CommandError(code, f"an expression of $bucket that should be a constant is not: {spec!r}")
    return compile_expression(spec, context.scope)({}, context.scope.start({}))


@stage("$bucketAuto")
def _bucket_auto(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(
            40240, f"The argument to $bucketAuto must be an object, but found type: {type_name(argument)}"
        )
    for name, value in argument.items():
        _check_auto_option(name, value)
    if not {"groupBy", "buckets"} <= set(argument):
        raise CommandError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.")
    count = int(as_integer(argument["buckets"]) or 0)
    rounder = GRANULARITIES[argument["granularity"]] if "granularity" in argument else None
    by = compile_expression(argument["groupBy"], context.scope)
    accumulators = _accumulators(argument.get("output") or {"count": {"$sum": 1}}, context)
    return lambda stream: _auto(stream, by, count, accumulators, context, rounder)


def _check_auto_option(name: str, value: Any) -> None:
    if name == "groupBy":
        if not _is_expression(value):
            raise CommandError(40239, "The $bucketAuto 'groupBy' field must be a $-prefixed path or an expression")
    elif name == "buckets":
        if not is_number(value):
            raise CommandError(40241, f"The $bucketAuto 'buckets' field must be a numeric value: {type_name(value)}")
        count = as_integer(value)
        if count is None or abs(count) > INT32_MAX:
            raise CommandError(
                40242, f"The $bucketAuto 'buckets' field must be representable as a 32-bit integer: {value}"
            )
        if count < 1:
            raise CommandError(40243, f"The $bucketAuto 'buckets' field must be greater than 0, but found: {count}")
    elif name == "output":
        if not isinstance(value, dict):
            raise CommandError(
                40244, f"The $bucketAuto 'output' field must be an object, but found type: {type_name(value)}"
            )
    elif name == "granularity":
        if type(value) is not str:
            raise CommandError(
                40261, f"The $bucketAuto 'granularity' field must be a string, but found type: {type_name(value)}"
            )
        if value not in GRANULARITIES:
            raise CommandError(40257, f"Unknown rounding granularity '{value}'")
    else:
        raise CommandError(40245, f"Unrecognized option to $bucketAuto: {name}.")


def _auto(
    stream: Stream,
    by: Expression,
    count: int,
    accumulators: dict[str, Accumulator],
    context: Context,
    rounder: Rounder | None,
) -> Iterator[Document]:
    """Buckets of about equal size; equal values stay together, and a bucket's max is the next one's min.

    With a granularity the bounds are rounded to its series, and whatever is below a rounded bound comes in too.
    """
    rows = [(by(document, context.scope.start(document)), document) for document in collected(stream, "$bucketAuto")]
    if rounder:
        for value, _ in rows:
            check_granular(value)
    rows.sort(key=lambda row: key(None if row[0] is MISSING else row[0]))
    size = max(1, int(len(rows) / count + 0.5))
    start, low = 0, rows[0][0] if rows else None
    if rounder and rows:
        low = rounder.down(low)
    for number in range(count):
        if start >= len(rows):
            return
        end = min(start + size, len(rows)) if number < count - 1 else len(rows)
        while end < len(rows) and key(rows[end][0]) == key(rows[end - 1][0]):
            end += 1
        high = rows[end][0] if end < len(rows) else rows[end - 1][0]
        if rounder:
            high = rounder.up(rows[end - 1][0])
            while end < len(rows) and key(rows[end][0]) < key(high):
                end += 1
        held: Collected = [[] for _ in accumulators]
        memory = _Memory("$bucketAuto")
        for _, document in rows[start:end]:
            _collect(document, context.scope.start(document), accumulators, held, memory, ())
        bounds = {"min": None if low is MISSING else low, "max": None if high is MISSING else high}
        yield {"_id": bounds, **_finish(accumulators, held)}
        start, low = end, high
