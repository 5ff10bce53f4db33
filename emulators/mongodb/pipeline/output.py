"""`$out` and `$merge`: the stages that write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from emulators.mongodb.errors import CommandError, failed_to_parse
from emulators.mongodb.pipeline.core import Context, Stage, Stream, compile_pipeline, stage
from emulators.mongodb.query.paths import leaves, split
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.store import check_names
from emulators.mongodb.update.apply import with_id
from emulators.mongodb.values import MISSING, Document, clone, key


def _target(argument: Any, context: Context, name: str, fields: tuple[str, str]) -> tuple[str, str]:
    if isinstance(argument, str):
        return context.database, argument
    if isinstance(argument, dict) and set(argument) == set(fields):
        return argument[fields[0]], argument[fields[1]]
    raise failed_to_parse(f"{name} takes a collection's name, or {{{fields[0]}, {fields[1]}}}")


@stage("$out")
def _out(argument: Any, context: Context) -> Stage:
    database, name = _target(argument, context, "$out", ("db", "coll"))
    check_names(database, name)

    def write(stream: Stream) -> Iterator[Document]:
        fresh = [clone(with_id(document)) for document in stream]
        old = context.store.find(database, name)
        if old is not None and old.is_view:
            raise CommandError(166, f"Namespace {database}.{name} is a view, not a collection")
        # The result is built beside the old collection first: an error leaves the old one as it was.
        temporary = f"tmp.agg_out.{context.depth}.{name}"
        context.store.drop(database, temporary)
        new = context.store.create(database, temporary, old.options if old else {})
        try:
            for index in (old.indexes if old else {}).values():
                if index.name != "_id_":
                    new.add_index(index.spec)
            for document in fresh:
                new.insert(document)
        except CommandError:
            context.store.drop(database, temporary)
            raise
        context.store.drop(database, name)
        context.store.rename(new, database, name)
        yield from ()

    return write


_MATCHED = ("replace", "keepExisting", "merge", "fail")
_NOT_MATCHED = ("insert", "discard", "fail")


@stage("$merge")
def _merge(argument: Any, context: Context) -> Stage:
    options = {"into": argument} if isinstance(argument, str) else argument
    if not isinstance(options, dict) or "into" not in options:
        raise failed_to_parse("$merge requires 'into'")
    unknown = set(options) - {"into", "on", "let", "whenMatched", "whenNotMatched"}
    if unknown:
        raise failed_to_parse(f"unknown field of $merge: {min(unknown)}")
    database, name = _target(options["into"], context, "$merge", ("db", "coll"))
    check_names(database, name)
    on = options.get("on", "_id")
    fields = [on] if isinstance(on, str) else on
    matched, otherwise = options.get("whenMatched", "merge"), options.get("whenNotMatched", "insert")
    if otherwise not in _NOT_MATCHED or not (isinstance(matched, list) or matched in _MATCHED):
        raise failed_to_parse("$merge has a whenMatched or whenNotMatched that MongoDB does not know")
    combine = _combination(matched, options.get("let"), context)

    def write(stream: Stream) -> Iterator[Document]:
        target = context.store.for_writing(database, name)
        _check_unique(target, fields)
        for document in list(stream):
            _merge_one(target, clone(document), fields, combine, otherwise)
        yield from ()

    return write


Combine = Callable[[Document, Document], Document | None]


def _combination(matched: Any, let: Any, context: Context) -> Combine:
    """(existing, new) → what to store; None keeps the existing document."""
    if isinstance(matched, list):
        return lambda old, new: _by_pipeline(matched, let, context, old, new)
    if matched == "replace":
        return lambda old, new: {"_id": old["_id"], **{name: value for name, value in new.items() if name != "_id"}}
    if matched == "merge":
        return lambda old, new: {**old, **new, "_id": old["_id"]}
    if matched == "keepExisting":
        return lambda old, new: None
    return _refuse_match


def _refuse_match(old: Document, _: Document) -> Document | None:
    raise CommandError(
        11000, f"$merge with whenMatched: fail found an existing document with the same key: {old['_id']!r}"
    )


def _by_pipeline(matched: list[Any], let: Any, context: Context, old: Document, new: Document) -> Document:
    from emulators.mongodb.expr.core import compile_expression  # only for `let`

    start = context.scope.start(new)
    values = {
        name: compile_expression(spec, context.scope)(new, start) for name, spec in (let or {"new": "$$ROOT"}).items()
    }
    stages = compile_pipeline(matched, context.nested(None, context.scope.with_values(values)))
    return next(iter(stages([old])))


def _check_unique(target: Collection, fields: list[str]) -> None:
    if fields == ["_id"]:
        return
    if not any(index.unique and set(index.pattern) == set(fields) for index in target.indexes.values()):
        raise CommandError(51183, f"Cannot find index to verify that join fields will be unique: {fields}")


def _merge_one(target: Collection, document: Document, fields: list[str], combine: Combine, otherwise: str) -> None:
    if fields == ["_id"]:
        document = with_id(document)
    old = _existing(target, document, fields)
    if old is not None:
        combined = combine(old, document)
        if combined is not None:
            target.replace(old, clone(combined))
    elif otherwise == "insert":
        target.insert(with_id(document))
    elif otherwise == "fail":
        raise CommandError(13113, "$merge could not find a matching document in the target collection")


def _existing(target: Collection, document: Document, fields: list[str]) -> Document | None:
    if fields == ["_id"]:
        return target.by_id(document["_id"])
    wanted = []
    for field in fields:
        values = leaves(document, split(field))
        if len(values) != 1 or values[0] is MISSING or values[0] is None or type(values[0]) is list:
            raise CommandError(
                51132, f"$merge write error: 'on' field '{field}' cannot be missing, null, undefined or an array"
            )
        wanted.append(key(values[0]))
    for other in target.documents():
        if [key(next(iter(leaves(other, split(field))), None)) for field in fields] == wanted:
            return other
    return None
