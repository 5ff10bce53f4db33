"""`$jsonSchema`: JSON Schema draft 4 as MongoDB has it, with `bsonType`, and without `$ref`, `default` or `format`.

A keyword's operand of a wrong type is TypeMismatch (14), one of the right type that makes no sense FailedToParse (9);
both when the schema is read. Source: the server's `src/mongo/db/matcher/schema/json_schema_parser.cpp`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from emulators.mongodb.deadline import tick
from emulators.mongodb.errors import bad_value, failed_to_parse, type_mismatch
from emulators.mongodb.numeric import as_integer, to_decimal
from emulators.mongodb.query.regex import held_regex
from emulators.mongodb.values import (
    MISSING,
    NUMERIC,
    TYPE_CODES,
    Document,
    is_nan,
    is_number,
    key,
    key_with,
    truthy,
    type_name,
)

Check = Callable[[Any], bool]
_JSON_TYPES = {
    "object": {"object"},
    "array": {"array"},
    "number": set(NUMERIC),
    "boolean": {"bool"},
    "string": {"string"},
    "null": {"null"},
}


def compile_schema(schema: Any) -> Check:
    """A function that says whether a value satisfies the schema; FailedToParse (9) for a keyword MongoDB lacks."""
    if not isinstance(schema, dict):
        raise type_mismatch("$jsonSchema must be an object")
    checks = []
    for keyword, operand in schema.items():
        if keyword not in _KEYWORDS:
            raise failed_to_parse(f"Unknown $jsonSchema keyword: {keyword}")
        check = _KEYWORDS[keyword](operand, schema)
        if check is not None:
            checks.append(check)
    if "type" in schema and "bsonType" in schema:
        raise failed_to_parse("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'")
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in schema and limit not in schema:
            raise failed_to_parse(f"$jsonSchema keyword '{limit}' must be a present if {exclusive} is present")
    return lambda value: all(check(value) for check in checks)


def _need(keyword: str, operand: Any, kind: str) -> Any:
    """The operand, which has to be of a type: by its `$type` name, "number" for four of them."""
    found = type_name(operand)
    if found != kind and not (kind == "number" and found in NUMERIC):
        raise type_mismatch(f"$jsonSchema keyword '{keyword}' must be of type {kind}, found {found}")
    return operand


def _always(answer: bool) -> Check:
    return lambda _: answer


def _text(keyword: str) -> Callable[[Any, Document], None]:
    """A keyword that says something to people only."""

    def check(operand: Any, _: Document) -> None:
        _need(keyword, operand, "string")

    return check


def _flag(keyword: str) -> Callable[[Any, Document], None]:
    """A keyword that another one looks at."""

    def check(operand: Any, _: Document) -> None:
        _need(keyword, operand, "bool")

    return check


def _names(keyword: str, operand: Any) -> list[str]:
    """One name or an array of different ones."""
    given = operand if isinstance(operand, list) else [operand]
    if isinstance(operand, list) and not operand:
        raise failed_to_parse(f"$jsonSchema keyword '{keyword}' must name at least one type")
    for item in given:
        _need(keyword, item, "string")
    if len(set(given)) != len(given):
        raise failed_to_parse(f"$jsonSchema keyword '{keyword}' has duplicate value")
    return given


def _bson_type(operand: Any, _: Document) -> Check:
    wanted: set[str] = set()
    for item in _names("bsonType", operand):
        if item != "number" and item not in TYPE_CODES:
            if item == "integer":
                raise failed_to_parse("$jsonSchema type 'integer' is not currently supported.")
            raise bad_value(f"Unknown type name alias: {item}")
        wanted |= NUMERIC if item == "number" else {item}
    return lambda value: type_name(value) in wanted


def _json_type(operand: Any, _: Document) -> Check:
    wanted: set[str] = set()
    for item in _names("type", operand):
        if item == "integer":
            raise failed_to_parse("$jsonSchema type 'integer' is not currently supported.")
        if item not in _JSON_TYPES:
            raise bad_value(f"Unknown type name alias: {item}")
        wanted |= _JSON_TYPES[item]
    return lambda value: type_name(value) in wanted


def _required(operand: Any, _: Document) -> Check:
    return _has_all("required", operand)


def _has_all(keyword: str, operand: Any) -> Check:
    _need(keyword, operand, "array")
    for item in operand:
        _need(keyword, item, "string")
    if not operand or len(set(operand)) != len(operand):
        raise failed_to_parse(f"$jsonSchema keyword '{keyword}' must be a nonempty array of different names")
    return lambda value: type(value) is not dict or all(name in value for name in operand)


def _properties(operand: Any, _: Document) -> Check:
    _need("properties", operand, "object")
    checks = {name: _nested("properties", schema) for name, schema in operand.items()}

    def check(value: Any) -> bool:
        return type(value) is not dict or all(name not in value or test(value[name]) for name, test in checks.items())

    return check


def _nested(keyword: str, schema: Any) -> Check:
    return compile_schema(_need(keyword, schema, "object"))


def _pattern_properties(operand: Any, _: Document) -> Check:
    _need("patternProperties", operand, "object")
    checks = [
        (held_regex(pattern, invalid=2), _nested("patternProperties", schema)) for pattern, schema in operand.items()
    ]

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        return all(test(item) for name, item in value.items() for pattern, test in checks if pattern.search(name))

    return check


def _bool_or_schema(keyword: str, operand: Any) -> Check:
    if type_name(operand) not in ("bool", "object"):
        raise type_mismatch(f"$jsonSchema keyword '{keyword}' must be either an object or a boolean")
    return _always(operand) if isinstance(operand, bool) else compile_schema(operand)


def _additional_properties(operand: Any, schema: Document) -> Check:
    allowed = _bool_or_schema("additionalProperties", operand)
    known = set(_need("properties", schema.get("properties", {}), "object"))
    patterns = [
        held_regex(pattern, invalid=2)
        for pattern in _need("patternProperties", schema.get("patternProperties", {}), "object")
    ]

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        extra = [name for name in value if name not in known and not any(pattern.search(name) for pattern in patterns)]
        return all(allowed(value[name]) for name in extra)

    return check


def _dependencies(operand: Any, _: Document) -> Check:
    _need("dependencies", operand, "object")
    checks: dict[str, Check] = {}
    for name, item in operand.items():
        if type_name(item) not in ("object", "array"):
            raise type_mismatch(f"$jsonSchema keyword 'dependencies': '{name}' must be an object or an array")
        checks[name] = _has_all("dependencies", item) if isinstance(item, list) else compile_schema(item)
    return lambda value: (
        type(value) is not dict or all(name not in value or test(value) for name, test in checks.items())
    )


def _limit(name: str, exclusive: str, sign: int) -> Callable[[Any, Document], Check]:
    def compile_limit(operand: Any, schema: Document) -> Check:
        _need(name, operand, "number")
        bound, strict = key(operand), _need(exclusive, schema.get(exclusive, False), "bool")

        def check(value: Any) -> bool:
            if not is_number(value):
                return True
            if is_nan(value) or is_nan(operand):
                return is_nan(value) and is_nan(operand) and not strict
            found = key(value)
            distance = ((found > bound) - (found < bound)) * sign
            return distance > 0 or (distance == 0 and not strict)

        return check

    return compile_limit


def _length(
    name: str, kind: type[str | list[Any] | Document], accept: Callable[[int, int], bool]
) -> Callable[[Any, Document], Check]:
    def compile_length(operand: Any, _: Document) -> Check:
        wanted = as_integer(operand)
        if wanted is None or wanted < 0:
            raise failed_to_parse(f"$jsonSchema keyword '{name}' must be a whole number from 0")
        return lambda value: not isinstance(value, kind) or accept(len(value), wanted)

    return compile_length


def _multiple_of(operand: Any, _: Document) -> Check:
    divisor = _exact(_need("multipleOf", operand, "number"))
    if divisor.is_nan() or not divisor.is_finite() or divisor <= 0:
        raise failed_to_parse("$jsonSchema keyword 'multipleOf' must have a positive value")

    def check(value: Any) -> bool:
        if not is_number(value):
            return True
        number = to_decimal(value)
        return number.is_finite() and number % divisor == 0

    return check


def _exact(operand: Any) -> Decimal:
    return to_decimal(operand)


def _pattern(operand: Any, _: Document) -> Check:
    pattern = held_regex(_need("pattern", operand, "string"))
    return lambda value: type(value) is not str or pattern.search(value) is not None


def _enum(operand: Any, _: Document) -> Check:
    _need("enum", operand, "array")
    wanted = {key_with(item, None) for item in operand}
    if not operand or len(wanted) != len(operand):
        raise failed_to_parse("$jsonSchema keyword 'enum' must be a nonempty array of different values")
    return lambda value: key_with(value, None) in wanted


def _items(operand: Any, schema: Document) -> Check:
    if type_name(operand) not in ("object", "array"):
        raise type_mismatch("$jsonSchema keyword 'items' must be an array or an object")
    if isinstance(operand, dict):
        each = compile_schema(operand)
        return lambda value: type(value) is not list or all(each(item) for item in value)
    checks = [_nested("items", item) for item in operand]
    rest = _bool_or_schema("additionalItems", schema.get("additionalItems", True))

    def check(value: Any) -> bool:
        if type(value) is not list:
            return True
        return all(test(item) for test, item in zip(checks, value, strict=False)) and all(
            map(rest, value[len(checks) :])
        )

    return check


def _additional_items(operand: Any, _: Document) -> None:
    """Read by `items`; without an array there it means nothing, but has to be a schema all the same."""
    _bool_or_schema("additionalItems", operand)


def _unique_items(operand: Any, _: Document) -> Check:
    _need("uniqueItems", operand, "bool")

    def check(value: Any) -> bool:
        if not truthy(operand) or type(value) is not list:
            return True
        tick(len(value))
        return len({key_with(item, None) for item in value}) == len(value)  # whatever the collation

    return check


def _combined(keyword: str, how: Callable[[list[bool]], bool]) -> Callable[[Any, Document], Check]:
    def compile_combined(operand: Any, _: Document) -> Check:
        _need(keyword, operand, "array")
        if not operand:
            raise bad_value(f"$jsonSchema keyword '{keyword}' must be a nonempty array")
        checks = [_nested(keyword, item) for item in operand]
        return lambda value: how([check(value) for check in checks])

    return compile_combined


def _not(operand: Any, _: Document) -> Check:
    check = _nested("not", operand)
    return lambda value: value is MISSING or not check(value)


_KEYWORDS: dict[str, Callable[[Any, Document], Check | None]] = {
    "title": _text("title"),
    "description": _text("description"),
    "bsonType": _bson_type,
    "type": _json_type,
    "required": _required,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "dependencies": _dependencies,
    "minimum": _limit("minimum", "exclusiveMinimum", 1),
    "exclusiveMinimum": _flag("exclusiveMinimum"),
    "maximum": _limit("maximum", "exclusiveMaximum", -1),
    "exclusiveMaximum": _flag("exclusiveMaximum"),
    "minLength": _length("minLength", str, lambda found, wanted: found >= wanted),
    "maxLength": _length("maxLength", str, lambda found, wanted: found <= wanted),
    "minItems": _length("minItems", list, lambda found, wanted: found >= wanted),
    "maxItems": _length("maxItems", list, lambda found, wanted: found <= wanted),
    "minProperties": _length("minProperties", dict, lambda found, wanted: found >= wanted),
    "maxProperties": _length("maxProperties", dict, lambda found, wanted: found <= wanted),
    "multipleOf": _multiple_of,
    "pattern": _pattern,
    "enum": _enum,
    "items": _items,
    "additionalItems": _additional_items,
    "uniqueItems": _unique_items,
    "allOf": _combined("allOf", all),
    "anyOf": _combined("anyOf", any),
    "oneOf": _combined("oneOf", lambda found: found.count(True) == 1),
    "not": _not,
}
