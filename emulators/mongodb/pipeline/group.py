"""`$group`, `$sortByCount`, `$bucket` and `$bucketAuto`. Groups come out in the order in which they were first met."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.expr.core import Expression, Variables, compile_expression
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.pipeline.accumulators import Accumulator, compile_accumulator
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.values import MISSING, Document, Key, key

Collected = list[list[Any]]


def _accumulators(fields: Document, context: Context) -> dict[str, Accumulator]:
    for name in fields:
        if "." in name:
            raise CommandError(40235, f"The field name '{name}' cannot contain '.'")
        if name.startswith("$"):
            raise CommandError(40236, f"The field name '{name}' cannot be an operator name")
    return {name: compile_accumulator(name, spec, context.scope) for name, spec in fields.items()}


def _collect(document: Document, variables: Variables, accumulators: dict[str, Accumulator], into: Collected) -> None:
    for values, accumulator in zip(into, accumulators.values(), strict=True):
        values.append(accumulator.collect(document, variables))


def _finish(accumulators: dict[str, Accumulator], collected: Collected) -> Document:
    pairs = zip(accumulators.items(), collected, strict=True)
    return {name: accumulator.fold(values) for (name, accumulator), values in pairs}


@stage("$group")
def _group(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(15947, "a group's fields must be specified in an object")
    if "_id" not in argument:
        raise CommandError(15955, "a group specification must include an _id")
    by = compile_expression(argument["_id"], context.scope)
    accumulators = _accumulators({name: spec for name, spec in argument.items() if name != "_id"}, context)

    def run(stream: Stream) -> Iterator[Document]:
        groups: dict[Key, tuple[Any, Collected]] = {}
        for document in stream:
            variables = context.scope.start(document)
            value = by(document, variables)
            value = None if value is MISSING else value
            group = groups.setdefault(key(value), (value, [[] for _ in accumulators]))
            _collect(document, variables, accumulators, group[1])
        for value, collected in groups.values():
            yield {"_id": value, **_finish(accumulators, collected)}

    return run


@stage("$sortByCount")
def _sort_by_count(argument: Any, context: Context) -> Stage:
    if not (isinstance(argument, dict) or (isinstance(argument, str) and argument.startswith("$"))):
        raise CommandError(40149, "the sortByCount field must be defined as a $-prefixed path or an expression object")
    grouped = _group({"_id": argument, "count": {"$sum": 1}}, context)
    return lambda stream: sorted(grouped(stream), key=lambda row: -row["count"])


@stage("$bucket")
def _bucket(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict) or not {"groupBy", "boundaries"} <= set(argument):
        raise CommandError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.")
    unknown = set(argument) - {"groupBy", "boundaries", "default", "output"}
    if unknown:
        raise CommandError(40197, f"Unrecognized option to $bucket: {min(unknown)}.")
    boundaries = [_constant(item, context) for item in argument["boundaries"]]
    keys = [key(item) for item in boundaries]
    if len(keys) < 2 or any(first >= second for first, second in pairwise(keys)):
        raise CommandError(40194, "The 'boundaries' of $bucket must be two or more values in ascending order.")
    if len({place[0] for place in keys}) > 1:
        raise CommandError(40193, "All values in the 'boundaries' option to $bucket must have the same type.")
    default = _constant(argument["default"], context) if "default" in argument else MISSING
    if default is not MISSING and keys[0] <= key(default) < keys[-1]:
        raise CommandError(
            40199, "The $bucket 'default' field must be less than the lowest boundary or not below the highest."
        )
    by = compile_expression(argument["groupBy"], context.scope)
    accumulators = _accumulators(argument.get("output") or {"count": {"$sum": 1}}, context)

    def place(document: Document) -> Any:
        found = key(by(document, context.scope.start(document)))
        for low, high, boundary in zip(keys, keys[1:], boundaries, strict=False):
            if low <= found < high:
                return boundary
        if default is MISSING:
            raise CommandError(40066, "$bucket found a value outside its boundaries, and no default was specified")
        return default

    def run(stream: Stream) -> list[Document]:
        buckets: dict[Key, tuple[Any, Collected]] = {}
        for document in stream:
            value = place(document)
            bucket = buckets.setdefault(key(value), (value, [[] for _ in accumulators]))
            _collect(document, context.scope.start(document), accumulators, bucket[1])
        ordered = sorted(buckets.items())
        return [{"_id": value, **_finish(accumulators, collected)} for _, (value, collected) in ordered]

    return run


def _constant(spec: Any, context: Context) -> Any:
    return compile_expression(spec, context.scope)({}, context.scope.start({}))


@stage("$bucketAuto")
def _bucket_auto(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict) or not {"groupBy", "buckets"} <= set(argument):
        raise CommandError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.")
    if "granularity" in argument:
        raise not_supported("$bucketAuto with granularity")
    unknown = set(argument) - {"groupBy", "buckets", "output"}
    if unknown:
        raise CommandError(40245, f"Unrecognized option to $bucketAuto: {min(unknown)}.")
    count = as_integer(argument["buckets"])
    if count is None or count < 1:
        raise CommandError(40243, "The $bucketAuto 'buckets' field must be greater than 0")
    by = compile_expression(argument["groupBy"], context.scope)
    accumulators = _accumulators(argument.get("output") or {"count": {"$sum": 1}}, context)
    return lambda stream: _auto(stream, by, count, accumulators, context)


def _auto(
    stream: Stream, by: Expression, count: int, accumulators: dict[str, Accumulator], context: Context
) -> Iterator[Document]:
    """Buckets of about equal size; equal values stay together, and a bucket's max is the next one's min."""
    rows = [(by(document, context.scope.start(document)), document) for document in stream]
    rows.sort(key=lambda row: key(None if row[0] is MISSING else row[0]))
    size = max(1, int(len(rows) / count + 0.5))
    start = 0
    for number in range(count):
        if start >= len(rows):
            return
        end = min(start + size, len(rows)) if number < count - 1 else len(rows)
        while end < len(rows) and key(rows[end][0]) == key(rows[end - 1][0]):
            end += 1
        collected: Collected = [[] for _ in accumulators]
        for _, document in rows[start:end]:
            _collect(document, context.scope.start(document), accumulators, collected)
        high = rows[end][0] if end < len(rows) else rows[end - 1][0]
        low = rows[start][0]
        bounds = {"min": None if low is MISSING else low, "max": None if high is MISSING else high}
        yield {"_id": bounds, **_finish(accumulators, collected)}
        start = end
