"""Stages that look at one document at a time, or at their order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

from bson import Int64

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import field_path
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.query.project import compile_add_fields, compile_project, compile_unset
from emulators.mongodb.query.sort import parse_sort, sort_documents
from emulators.mongodb.values import INT64_MAX, MISSING, Document


@stage("$match")
def _match(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(15959, "the match filter must be an expression in an object")
    matches = compile_filter(argument, context.scope)
    return lambda stream: filter(matches, stream)


@stage("$project")
def _project(argument: Any, context: Context) -> Stage:
    project = compile_project(argument, context.scope)
    return lambda stream: map(project, stream)


def _add_fields(argument: Any, context: Context) -> Stage:
    add = compile_add_fields(argument, context.scope)
    return lambda stream: map(add, stream)


stage("$addFields")(_add_fields)
stage("$set")(_add_fields)


@stage("$unset")
def _unset(argument: Any, _: Context) -> Stage:
    unset = compile_unset(argument)
    return lambda stream: map(unset, stream)


@stage("$sort")
def _sort(argument: Any, _: Context) -> Stage:
    if not isinstance(argument, dict) or not argument:
        raise CommandError(15976, "$sort stage must have at least one sort key")
    spec = parse_sort(argument)
    return lambda stream: sort_documents(stream, spec)


@stage("$limit")
def _limit(argument: Any, _: Context) -> Stage:
    count = as_integer(argument)
    if count is None or not 1 <= count <= INT64_MAX:
        raise CommandError(15958, "the limit must be positive")
    return lambda stream: itertools.islice(stream, count)


@stage("$skip")
def _skip(argument: Any, _: Context) -> Stage:
    count = as_integer(argument)
    if count is None or not 0 <= count <= INT64_MAX:
        raise CommandError(5107200, "invalid argument to $skip stage: Expected a non-negative number")
    return lambda stream: itertools.islice(stream, count, None)


@stage("$count")
def _count(argument: Any, _: Context) -> Stage:
    if type(argument) is not str or not argument or argument.startswith("$") or "." in argument:
        raise CommandError(40156, "the count field must be a non-empty string without '$' in front or '.' inside")

    def run(stream: Stream) -> Iterator[Document]:
        number = sum(1 for _ in stream)
        if number:
            yield {argument: number}

    return run


@stage("$sample")
def _sample(argument: Any, _: Context) -> Stage:
    size = as_integer(argument.get("size")) if isinstance(argument, dict) and set(argument) == {"size"} else None
    if size is None or size < 1:
        raise CommandError(28747, "$sample takes {size: N} with a positive N")

    def run(stream: Stream) -> list[Document]:
        found = list(stream)
        return random.sample(found, min(size, len(found)))

    return run


@stage("$unwind")
def _unwind(argument: Any, _: Context) -> Stage:
    options = {"path": argument} if isinstance(argument, str) else argument
    if not isinstance(options, dict) or "path" not in options:
        raise CommandError(28812, "no path specified to $unwind stage")
    unknown = set(options) - {"path", "includeArrayIndex", "preserveNullAndEmptyArrays"}
    if unknown:
        raise CommandError(28811, f"unrecognized option to $unwind stage: {min(unknown)}")
    keep = options.get("preserveNullAndEmptyArrays", False)
    if not isinstance(keep, bool):
        raise CommandError(28809, "expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage")
    index = options.get("includeArrayIndex")
    if index is not None and (not isinstance(index, str) or not index or index.startswith("$")):
        raise CommandError(28810, "expected a non-empty field name for the includeArrayIndex option to $unwind stage")
    parts = field_path(options["path"])
    return lambda stream: (row for document in stream for row in _rows(document, parts, index, keep))


def _rows(document: Document, parts: tuple[str, ...], index: str | None, keep: bool) -> Iterator[Document]:
    value: Any = document
    for part in parts:
        value = value.get(part, MISSING) if type(value) is dict else MISSING
    if type(value) is not list:
        if keep or (value is not MISSING and value is not None):
            yield document if index is None else set_path(document, tuple(index.split(".")), None)
        return
    if not value and keep:
        bare = set_path(document, parts, MISSING)
        yield bare if index is None else set_path(bare, tuple(index.split(".")), None)
    for place, element in enumerate(value):
        row = set_path(document, parts, element)
        yield row if index is None else set_path(row, tuple(index.split(".")), Int64(place))


def set_path(document: Document, parts: tuple[str, ...], value: Any) -> Document:
    """A copy of the document with the value at the path; MISSING removes it."""
    out = dict(document)
    if len(parts) > 1:
        below = out.get(parts[0])
        out[parts[0]] = set_path(below if type(below) is dict else {}, parts[1:], value)
    elif value is MISSING:
        out.pop(parts[0], None)
    else:
        out[parts[0]] = value
    return out
