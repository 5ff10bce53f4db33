"""Object expressions."""

from __future__ import annotations

from typing import Any

from bson import encode

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import Expression, Scope, compile_expression, named_fields, nothing, simple, special
from emulators.mongodb.values import MISSING, Document, type_name


@simple("$mergeObjects", 0, -1)
def merge_objects(*values: Any) -> Document:
    """Later fields win; null and missing are skipped."""
    if len(values) == 1 and type(values[0]) is list:
        values = tuple(values[0])
    merged: Document = {}
    for value in values:
        if nothing(value):
            continue
        if type(value) is not dict:
            raise CommandError(40400, f"$mergeObjects requires object inputs, but input is of type {type_name(value)}")
        merged.update(value)
    return merged


@simple("$objectToArray", 1, nulls=True)
def _object_to_array(value: Any) -> list[Document]:
    if type(value) is not dict:
        raise CommandError(40390, f"$objectToArray requires a document input, found: {type_name(value)}")
    return [{"k": name, "v": item} for name, item in value.items()]


@simple("$arrayToObject", 1, nulls=True)
def _array_to_object(value: Any) -> Document:
    if type(value) is not list:
        raise CommandError(40386, f"$arrayToObject requires an array input, found: {type_name(value)}")
    pairs = [_pair(item) for item in value]
    return dict(pairs)


def _pair(item: Any) -> tuple[str, Any]:
    if type(item) is list and len(item) == 2:
        name, value = item
    elif type(item) is dict and set(item) == {"k", "v"}:
        name, value = item["k"], item["v"]
    else:
        raise CommandError(40392, "$arrayToObject requires pairs [name, value] or objects {k: name, v: value}")
    if type(name) is not str:
        raise CommandError(40395, f"$arrayToObject requires names to be strings, found: {type_name(name)}")
    return name, value


@special("$getField")
def _get_field(argument: Any, scope: Scope) -> Expression:
    """The field of that exact name, dots and dollars included; missing when the input is no object."""
    if not isinstance(argument, dict) or any(name.startswith("$") for name in argument):
        argument = {"field": argument, "input": "$$CURRENT"}
    fields = named_fields("$getField", argument, ["field", "input"], ["field", "input"])
    name, source = compile_expression(fields["field"], scope), compile_expression(fields["input"], scope)

    def run(document: Document, variables: Document) -> Any:
        wanted, value = name(document, variables), source(document, variables)
        if type(wanted) is not str:
            raise CommandError(
                5654602, f"$getField requires 'field' to evaluate to type String, not {type_name(wanted)}"
            )
        if value is None:
            return None
        return value.get(wanted, MISSING) if type(value) is dict else MISSING

    return run


@special("$setField")
def _set_field(argument: Any, scope: Scope) -> Expression:
    names = ["field", "input", "value"]
    fields = named_fields("$setField", argument, names, names)
    name, source = compile_expression(fields["field"], scope), compile_expression(fields["input"], scope)
    value = compile_expression(fields["value"], scope)
    return lambda document, variables: _with_field(
        name(document, variables), source(document, variables), value(document, variables)
    )


@special("$unsetField")
def _unset_field(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$unsetField", argument, ["field", "input"], ["field", "input"])
    name, source = compile_expression(fields["field"], scope), compile_expression(fields["input"], scope)
    return lambda document, variables: _with_field(name(document, variables), source(document, variables), MISSING)


def _with_field(name: Any, source: Any, value: Any) -> Any:
    if nothing(source):
        return None
    if type(name) is not str or type(source) is not dict:
        raise CommandError(4161107, "$setField requires 'field' to be a string and 'input' to be an object")
    if value is MISSING:
        return {field: item for field, item in source.items() if field != name}
    return {**source, name: value}


@simple("$bsonSize", 1, nulls=True)
def _bson_size(value: Any) -> int:
    if type(value) is not dict:
        raise CommandError(31393, f"$bsonSize requires a document input, found: {type_name(value)}")
    return len(encode(value))


@simple("$binarySize", 1, nulls=True)
def _binary_size(value: Any) -> int:
    if type(value) is str:
        return len(value.encode())
    if type_name(value) != "binData":
        raise CommandError(51276, f"$binarySize requires a string or BinData argument, found: {type_name(value)}")
    return len(value)
