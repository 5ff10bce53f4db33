"""`$out` and `$merge`: the stages that write."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from emulators.mongodb.errors import CommandError, bad_value, type_mismatch
from emulators.mongodb.expr.core import LEFT_OUT, check_name, compile_expression
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.query.paths import field_names, tested
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.store import TEMPORARY, check_names
from emulators.mongodb.update.apply import same_id, update_by_pipeline, with_id
from emulators.mongodb.values import MISSING, Document, clone, key_with, type_name

_RESERVED = ("admin", "config", "local")


@stage("$out")
def _out(argument: Any, context: Context) -> Stage:
    if type(argument) not in (str, dict):
        raise CommandError(16990, f"$out only supports a string or object argument, but found {type_name(argument)}")
    database, name = (context.database, argument) if isinstance(argument, str) else _out_target(argument)
    if database in _RESERVED:
        raise CommandError(31321, f"Can't $out to internal database: {database}")
    if name.startswith("system."):
        raise CommandError(17385, f"Can't $out to special collection: {name}")
    _check_target(database, name)

    def write(stream: Stream) -> Iterator[Document]:
        fresh = [clone(with_id(document)) for document in stream]
        old = context.store.find(database, name)
        if old is not None and old.is_view:
            raise CommandError(166, f"Namespace {database}.{name} is a view, not a collection")
        # The result is built beside the old collection first: an error leaves the old one as it was.
        temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
        new = context.store.create(database, temporary, old.options if old else {})
        try:
            for index in (old.indexes if old else {}).values():
                if index.name != "_id_":
                    new.add_index(index.spec)
            for document in fresh:
                new.insert(document, bypass=context.bypass_validation)
        except CommandError:
            context.store.drop(database, temporary)
            raise
        context.store.drop(database, name)
        context.store.rename(new, database, name)
        yield from ()

    return write


def _out_target(argument: Document) -> tuple[str, str]:
    for field, value in argument.items():
        if field == "timeseries":
            raise not_a_time_series()
        if field not in ("db", "coll"):
            raise CommandError(40415, f"BSON field '$out.{field}' is an unknown field.")
        if type(value) is not str:
            raise type_mismatch(
                f"BSON field '$out.{field}' is the wrong type '{type_name(value)}', expected type 'string'"
            )
    for field in ("db", "coll"):
        if argument.get(field) is None:
            raise CommandError(40414, f"BSON field '$out.{field}' is missing but a required field")
    return argument["db"], argument["coll"]


def not_a_time_series() -> CommandError:
    return CommandError(
        238, "$out into a time series is not supported by the MongoDB stand-in; run it on a real MongoDB"
    )


def _check_target(database: str, name: str) -> None:
    """The server finds what is wrong with the name of a target when it makes the target (20), but for an empty one."""
    try:
        check_names(database, name)
    except CommandError as error:
        wrong = "$" in name or len(f"{database}.{name}".encode()) > 255
        raise CommandError(20 if wrong else 73, str(error)) from error


_MATCHED = ("replace", "keepExisting", "merge", "fail")
_NOT_MATCHED = ("insert", "discard", "fail")
_UNSUPPORTED = {(matched, otherwise) for matched in ("fail", "keepExisting") for otherwise in ("discard", "fail")}
# (the document that is there, the new one) → what to store; None keeps the existing document
Combine = Callable[[Document, Document], Document | None]


@stage("$merge")
def _merge(argument: Any, context: Context) -> Stage:
    options = _merge_options(argument)
    database, name = _into(options["into"], context)
    if database in _RESERVED:
        raise CommandError(31320, f"{database} cannot be a target of $merge")
    if name.startswith("system."):
        raise CommandError(31319, f"$merge to special collection {name} is not allowed")
    _check_target(database, name)
    fields = _on_fields(options.get("on", LEFT_OUT))
    matched, otherwise = _modes(options)
    combine = _combination(matched, options, context)

    def write(stream: Stream) -> Iterator[Document]:
        documents = [clone(document) for document in stream]
        target = context.store.find(database, name)
        if target is not None and target.is_view:
            raise CommandError(166, f"Namespace {database}.{name} is a view, not a collection")
        _check_unique(target, fields)
        first: CommandError | None = None
        for document in documents:
            # As in an unordered batch: one that fails does not keep the others from being written.
            try:
                _merge_one(context, (database, name), document, fields, combine, otherwise, matched)
            except CommandError as error:
                if error.code == 50:
                    raise
                first = first or error
        if first is not None:
            raise first
        yield from ()

    return write


def _merge_options(argument: Any) -> Document:
    if type(argument) not in (str, dict):
        raise CommandError(14, f"$merge only supports a string or object argument, not {type_name(argument)}")
    options = {"into": argument} if isinstance(argument, str) else dict(argument)
    for field in options:
        if field not in ("into", "on", "let", "whenMatched", "whenNotMatched"):
            raise CommandError(40415, f"BSON field '$merge.{field}' is an unknown field.")
    if "into" not in options:
        raise CommandError(40414, "BSON field '$merge.into' is missing but a required field")
    if options.get("let") is None:
        options.pop("let", None)
    elif not isinstance(options["let"], dict):
        raise type_mismatch(
            f"BSON field '$merge.let' is the wrong type '{type_name(options['let'])}', expected type 'object'"
        )
    if options.get("whenNotMatched", "") is None:
        del options["whenNotMatched"]
    return options


def _into(value: Any, context: Context) -> tuple[str, str]:
    if type(value) is str:
        if not value:
            raise CommandError(5786800, "$merge 'into' cannot be an empty string")
        return context.database, value
    if not isinstance(value, dict):
        raise CommandError(
            51178, f"$merge 'into' field must be either a string or an object, but found {type_name(value)}"
        )
    for field, item in value.items():
        if field not in ("db", "coll"):
            raise CommandError(40415, f"BSON field 'into.{field}' is an unknown field.")
        if item is not None and type(item) is not str:
            raise type_mismatch(
                f"BSON field 'into.{field}' is the wrong type '{type_name(item)}', expected type 'string'"
            )
    if value.get("coll") is None:
        raise CommandError(5786801, "$merge 'into' field must specify a 'coll' that is not empty, null or undefined")
    if not value["coll"]:
        raise CommandError(73, "Invalid collection name: ''")
    return value.get("db") or context.database, value["coll"]


def _on_fields(on: Any) -> list[str]:
    """The fields that tell which documents belong together; their paths are checked as those of an aggregation."""
    if type(on) is str:
        fields = [on]
    elif isinstance(on, list):
        if not on:
            raise CommandError(51187, "If explicitly specifying $merge 'on', must include at least one field")
        for item in on:
            if type(item) is not str:
                raise CommandError(51134, f"$merge 'on' array elements must be strings, but found {type_name(item)}")
        fields = on
    elif on is LEFT_OUT:
        return ["_id"]
    else:
        raise CommandError(
            51186, f"$merge 'on' field must be either a string or an array of strings, but found {type_name(on)}"
        )
    for field in fields:
        field_names(field)
    if len(set(fields)) != len(fields):
        raise CommandError(31465, "Found a duplicate field in $merge 'on'")
    return fields


def _modes(options: Document) -> tuple[Any, str]:
    matched, otherwise = options.get("whenMatched", "merge"), options.get("whenNotMatched", "insert")
    if type(matched) not in (str, list):
        raise CommandError(
            51191, f"$merge 'whenMatched' field must be either a string or an array, but found {type_name(matched)}"
        )
    if type(otherwise) is not str:
        raise type_mismatch(
            f"BSON field '$merge.whenNotMatched' is the wrong type '{type_name(otherwise)}', expected type 'string'"
        )
    if isinstance(matched, str) and matched not in _MATCHED:
        raise bad_value(f"Enumeration value '{matched}' for field '$merge.whenMatched' is not a valid value.")
    if otherwise not in _NOT_MATCHED:
        raise bad_value(f"Enumeration value '{otherwise}' for field '$merge.whenNotMatched' is not a valid value.")
    if isinstance(matched, list):
        for item in matched:
            if not isinstance(item, dict):
                raise type_mismatch("Each element of the 'pipeline' array must be an object")
    elif (matched, otherwise) in _UNSUPPORTED:
        raise CommandError(51181, f"Combination of $merge modes is not supported: {matched}, {otherwise}")
    elif "let" in options:
        raise CommandError(51199, f"Cannot use 'let' variables with 'whenMatched: {matched}' mode")
    return matched, otherwise


def _combination(matched: Any, options: Document, context: Context) -> Combine:
    if isinstance(matched, list):
        return _by_pipeline(matched, options.get("let", {}), context)
    if matched == "replace":
        return lambda old, new: same_id(old, new if "_id" in new else {"_id": old["_id"], **new})
    if matched == "merge":
        return lambda old, new: same_id(old, {**old, **new})
    if matched == "keepExisting":
        return lambda old, new: None
    return _refuse_match


def _refuse_match(old: Document, _: Document) -> Document | None:
    raise CommandError(
        11000, f"$merge with whenMatched: fail found an existing document with the same key: {old['_id']!r}"
    )


def _by_pipeline(matched: list[Any], let: Document, context: Context) -> Combine:
    """The same update pipeline as the command's, with `$$new` for the document that arrives."""
    for name, spec in let.items():
        if name == "new":
            if spec != "$$ROOT":
                raise CommandError(
                    51273, "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'"
                )
        else:
            check_name(name)
    variables = {name: compile_expression(spec, context.scope) for name, spec in {**let, "new": "$$ROOT"}.items()}
    update_by_pipeline(matched, context.scope.with_values(dict.fromkeys(variables)))  # so that a mistake is found now

    def combine(old: Document, new: Document) -> Document:
        start = context.scope.start(new)
        found = {name: expression(new, start) for name, expression in variables.items()}
        values = {name: value for name, value in found.items() if value is not MISSING}
        return update_by_pipeline(matched, context.scope.with_values(values))(old)

    return combine


def _check_unique(target: Collection | None, fields: list[str]) -> None:
    if fields == ["_id"]:
        return
    indexes = target.indexes.values() if target is not None else ()
    if not any(index.enforces(fields) for index in indexes):
        raise CommandError(51183, f"Cannot find index to verify that join fields will be unique: {fields}")


def _merge_one(
    context: Context,
    where: tuple[str, str],
    document: Document,
    fields: list[str],
    combine: Combine,
    otherwise: str,
    matched: Any,
) -> None:
    if fields == ["_id"]:
        document = with_id(document)
    while True:
        target = context.store.find(*where)
        old = _existing(target, document, fields)
        if old is None or target is None:
            break
        combined = combine(old, document)
        if combined is None or target.replace(old, clone(combined), bypass=context.bypass_validation):
            return  # otherwise somebody else has changed it meanwhile
    if otherwise == "insert":
        new = with_id({**{field: None for field in fields if "." not in field and field != "_id"}, **document})
        if matched in ("merge", "keepExisting"):
            # It is upserted with $set or $setOnInsert, whose fields come in the order of their names.
            first = {name: new[name] for name in ["_id", *(field for field in fields if field in new)]}
            new = {**first, **{name: new[name] for name in sorted(new) if name not in first}}
        context.store.for_writing(*where).insert(new, bypass=context.bypass_validation)
    elif otherwise == "fail":
        raise CommandError(13113, "$merge could not find a matching document in the target collection")


def _existing(target: Collection | None, document: Document, fields: list[str]) -> Document | None:
    """The document of the target that has the same values in all fields."""
    wanted = []
    for field in fields:
        values = tested(document, field_names(field))
        if len(values) != 1 or isinstance(values[0], list):
            raise CommandError(51185, f"$merge write error: 'on' field '{field}' cannot be an array")
        value = values[0]
        if value is MISSING or value is None:
            if (
                field != "_id"
                and target is not None
                and any(i.sparse for i in target.indexes.values() if i.enforces(fields))
            ):
                raise CommandError(
                    51132, f"$merge write error: 'on' field '{field}' cannot be missing, null or undefined"
                )
            value = None
        wanted.append(value)
    if target is None:
        return None
    if fields == ["_id"]:
        return target.by_id(document["_id"])
    index = next(index for index in target.indexes.values() if index.enforces(fields))
    keys = [key_with(value, index.text_key) for value in wanted]
    return target.by_unique(index, dict(zip(fields, keys, strict=True)))
