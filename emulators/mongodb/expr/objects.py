"""Object expressions."""

from __future__ import annotations

from typing import Any

from bson import encode

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import (
    Expression,
    Scope,
    compile_expression,
    is_literal,
    named_fields,
    nothing,
    simple,
    special,
)
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
    if not value:
        return {}
    if type(value[0]) is list:
        return dict(map(_listed_pair, value))
    if type(value[0]) is dict:
        return dict(map(_named_pair, value))
    raise CommandError(40398, f"Unrecognised input type format for $arrayToObject: {type_name(value[0])}")


def _listed_pair(item: Any) -> tuple[str, Any]:
    if type(item) is not list:
        raise CommandError(40396, "$arrayToObject requires a consistent input format: all of them [name, value]")
    if len(item) != 2:
        raise CommandError(40397, "$arrayToObject requires an array of size 2 arrays")
    if type(item[0]) is not str:
        raise CommandError(40395, f"$arrayToObject requires names to be strings, found: {type_name(item[0])}")
    if "\0" in item[0]:
        raise CommandError(4940400, "Key field cannot contain an embedded null byte")
    return item[0], item[1]


def _named_pair(item: Any) -> tuple[str, Any]:
    if type(item) is not dict:
        raise CommandError(40391, "$arrayToObject requires a consistent input format: all of them {k: name, v: value}")
    if len(item) != 2:
        raise CommandError(40392, "$arrayToObject requires an object of exactly two fields, 'k' and 'v'")
    if set(item) != {"k", "v"}:
        raise CommandError(40393, "$arrayToObject requires an object with the keys 'k' and 'v'")
    if type(item["k"]) is not str:
        raise CommandError(40394, f"$arrayToObject requires names to be strings, found: {type_name(item['k'])}")
    if "\0" in item["k"]:
        raise CommandError(4940401, "Key field cannot contain an embedded null byte")
    return item["k"], item["v"]


@special("$getField")
def _get_field(argument: Any, scope: Scope) -> Expression:
    """The field of that exact name, dots and dollars included; missing when the input is no object."""
    if not isinstance(argument, dict) or next(iter(argument), "").startswith("$"):
        argument = {"field": argument, "input": "$$CURRENT"}
    fields = named_fields("$getField", argument, ["field", "input"], ["field", "input"])
    if is_literal(fields["field"]) and type(fields["field"]) is not str:
        raise CommandError(
            3041704, f"$getField requires 'field' to evaluate to a string, found {type_name(fields['field'])}"
        )
    name, source = compile_expression(fields["field"], scope), compile_expression(fields["input"], scope)

    def run(document: Document, variables: Document) -> Any:
        wanted, value = name(document, variables), source(document, variables)
        if type(wanted) is not str:
            raise CommandError(
                3041704, f"$getField requires 'field' to evaluate to type String, not {type_name(wanted)}"
            )
        if value is None:
            return None
        return value.get(wanted, MISSING) if type(value) is dict else MISSING

    return run


def _constant_name(name: str, spec: Any) -> str:
    """The name that `field` stands for: text, or a `$const` or `$literal` of text."""
    if isinstance(spec, str):
        if spec.startswith("$"):
            raise CommandError(4161108, f"'field' of {name} may not be a field path reference: {spec}")
        found: Any = spec
    elif isinstance(spec, dict | list):
        if not (isinstance(spec, dict) and len(spec) == 1 and next(iter(spec)) in ("$const", "$literal")):
            raise CommandError(4161106, f"{name} requires 'field' to evaluate to a constant")
        found = next(iter(spec.values()))
    else:
        found = spec
    if type(found) is not str:
        raise CommandError(4161107, f"{name} requires 'field' to evaluate to type String, but got {type_name(found)}")
    if "\0" in found:
        raise CommandError(9534700, f"'field' of {name} may not contain a null byte")
    return found


@special("$setField")
def _set_field(argument: Any, scope: Scope) -> Expression:
    names = ["field", "input", "value"]
    fields = named_fields("$setField", argument, names, names)
    name, source = _constant_name("$setField", fields["field"]), compile_expression(fields["input"], scope)
    value = compile_expression(fields["value"], scope)
    return lambda document, variables: _with_field(name, source(document, variables), value(document, variables))


@special("$unsetField")
def _unset_field(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$unsetField", argument, ["field", "input"], ["field", "input"])
    name, source = _constant_name("$unsetField", fields["field"]), compile_expression(fields["input"], scope)
    return lambda document, variables: _with_field(name, source(document, variables), MISSING)


def _with_field(name: str, source: Any, value: Any) -> Any:
    if nothing(source):
        return None
    if type(source) is not dict:
        raise CommandError(4161105, f"$setField requires 'input' to evaluate to type Object, not {type_name(source)}")
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
