"""Stages that look at one document at a time, or at their order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

from bson import Int64

from emulators.mongodb.deadline import counted
from emulators.mongodb.errors import CommandError
from emulators.mongodb.memory import collected
from emulators.mongodb.numeric import as_integer, cut
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.query.paths import field_names
from emulators.mongodb.query.project import compile_add_fields, compile_project, compile_unset
from emulators.mongodb.query.sort import parse_sort, sort_documents
from emulators.mongodb.values import INT64_MAX, INT64_MIN, MISSING, Document, is_number


@stage("$match")
def _match(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(15959, "the match filter must be an expression in an object")
    matches = compile_filter(argument, context.scope)
    return lambda stream: filter(matches, stream)


@stage("$project")
def _project(argument: Any, context: Context) -> Stage:
    project = compile_project(argument, context.scope)
    follow = context.scope.meta.following(project)
    return lambda stream: map(follow, stream)


def _register_add_fields(name: str) -> None:
    @stage(name)
    def compiler(argument: Any, context: Context) -> Stage:
        add = compile_add_fields(argument, context.scope, name)
        follow = context.scope.meta.following(add)
        return lambda stream: map(follow, stream)


_register_add_fields("$addFields")
_register_add_fields("$set")


@stage("$unset")
def _unset(argument: Any, context: Context) -> Stage:
    unset = compile_unset(argument)
    follow = context.scope.meta.following(unset)
    return lambda stream: map(follow, stream)


@stage("$sort")
def _sort(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(15973, "the $sort key specification must be an object")
    if not argument:
        raise CommandError(15976, "$sort stage must have at least one sort key")
    spec = parse_sort(argument, context.scope.meta)
    return lambda stream: sort_documents(collected(stream, "Sort"), spec)


def _number(argument: Any, code: int, name: str) -> int:
    """A whole number that 64 bits can hold, of any of the four types."""
    count = as_integer(argument)
    if count is None or not INT64_MIN <= count <= INT64_MAX:
        raise CommandError(code, f"invalid argument to {name} stage: Expected an integer: {name}: {argument!r}")
    return count


@stage("$limit")
def _limit(argument: Any, _: Context) -> Stage:
    count = _number(argument, 5107201, "$limit")
    if count < 0:
        raise CommandError(5107201, f"invalid argument to $limit stage: Expected a non-negative number: {count}")
    if count == 0:
        raise CommandError(15958, "the limit must be positive")
    return lambda stream: itertools.islice(stream, count)


@stage("$skip")
def _skip(argument: Any, _: Context) -> Stage:
    count = _number(argument, 5107200, "$skip")
    if count < 0:
        raise CommandError(5107200, f"invalid argument to $skip stage: Expected a non-negative number: {count}")
    return lambda stream: itertools.islice(stream, count, None)


@stage("$count")
def _count(argument: Any, _: Context) -> Stage:
    if type(argument) is not str:
        raise CommandError(40156, "the count field must be a non-empty string")
    if not argument:
        raise CommandError(40157, "the count field must be a non-empty string")
    if argument.startswith("$"):
        raise CommandError(40158, "the count field cannot be a $-prefixed path")
    if "\0" in argument:
        raise CommandError(40159, "the count field cannot contain a null byte")
    if "." in argument:
        raise CommandError(40160, "the count field cannot contain '.'")
    if argument == "_id":
        raise CommandError(9039800, "the count field cannot be '_id'")

    def run(stream: Stream) -> Iterator[Document]:
        number = sum(1 for _ in stream)
        if number:
            yield {argument: number}

    return run


@stage("$sample")
def _sample(argument: Any, _: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(28745, "the $sample stage specification must be an object")
    size: int | None = None
    for name, value in argument.items():
        if name != "size":
            raise CommandError(28748, f"unrecognized option to $sample: {name}")
        if not is_number(value):
            raise CommandError(28746, "size argument to $sample must be a number")
        size = cut(value)
        if size is None or size < 1:
            raise CommandError(28747, "size argument to $sample must be a positive integer")
    if size is None:
        raise CommandError(28749, "$sample stage must specify a size")
    wanted = size

    def run(stream: Stream) -> list[Document]:
        found = list(collected(stream, "$sample"))
        return random.sample(found, min(wanted, len(found)))

    return run


@stage("$unwind")
def _unwind(argument: Any, _: Context) -> Stage:
    if not isinstance(argument, str | dict):
        raise CommandError(
            15981, f"expected either a string or an object as specification for $unwind stage, got {argument!r}"
        )
    options = {"path": argument} if isinstance(argument, str) else argument
    for name, value in options.items():
        if name == "path":
            if type(value) is not str:
                raise CommandError(28808, "expected a string as the path for $unwind stage")
        elif name == "preserveNullAndEmptyArrays":
            if not isinstance(value, bool):
                raise CommandError(
                    28809, "expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage"
                )
        elif name == "includeArrayIndex":
            if type(value) is not str or not value:
                raise CommandError(
                    28810, "expected a non-empty string for the includeArrayIndex option to $unwind stage"
                )
            if value.startswith("$"):
                raise CommandError(28822, "includeArrayIndex option to $unwind stage should not be prefixed with a '$'")
        else:
            raise CommandError(28811, f"unrecognized option to $unwind stage: {name}")
    if not options.get("path"):
        raise CommandError(28812, "no path specified to $unwind stage")
    if not options["path"].startswith("$"):
        raise CommandError(28818, f"path option to $unwind stage should be prefixed with a '$': {options['path']}")
    keep: bool = options.get("preserveNullAndEmptyArrays", False)  # type: ignore[assignment]  # checked above
    index = options.get("includeArrayIndex")
    parts = field_names(options["path"][1:])
    if index is not None:
        field_names(index)
    return lambda stream: (row for document in stream for row in counted(_rows(document, parts, index, keep)))


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
