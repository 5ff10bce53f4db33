"""`$jsonSchema`: JSON Schema draft 4 as MongoDB has it, with `bsonType`, and without `$ref`, `default` or `format`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulators.mongodb.errors import failed_to_parse, type_mismatch
from emulators.mongodb.numeric import as_integer, to_decimal
from emulators.mongodb.query.leaf import type_names
from emulators.mongodb.query.regex import compile_regex
from emulators.mongodb.values import MISSING, NUMERIC, Document, is_number, key, type_name

Check = Callable[[Any], bool]
_JSON_TYPES = {
    "object": {"object"},
    "array": {"array"},
    "number": set(NUMERIC),
    "boolean": {"bool"},
    "string": {"string"},
}
_JSON_TYPES["null"] = {"null"}
_ANNOTATIONS = frozenset({"title", "description", "exclusiveMinimum", "exclusiveMaximum", "additionalItems"})


def compile_schema(schema: Any) -> Check:
    """A function that says whether a value satisfies the schema; FailedToParse (9) for a keyword MongoDB lacks."""
    if not isinstance(schema, dict):
        raise type_mismatch("$jsonSchema must be an object")
    checks = []
    for keyword, operand in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        if keyword not in _KEYWORDS:
            raise failed_to_parse(f"Unknown $jsonSchema keyword: {keyword}")
        checks.append(_KEYWORDS[keyword](operand, schema))
    return lambda value: all(check(value) for check in checks)


def _always(answer: bool) -> Check:
    return lambda _: answer


def _bson_type(operand: Any, _: Document) -> Check:
    wanted: set[str] = set()
    for item in operand if isinstance(operand, list) else [operand]:
        wanted |= type_names(item)
    return lambda value: type_name(value) in wanted


def _json_type(operand: Any, _: Document) -> Check:
    wanted: set[str] = set()
    for item in operand if isinstance(operand, list) else [operand]:
        if item not in _JSON_TYPES:
            raise failed_to_parse(f"$jsonSchema keyword 'type' does not know {item!r}; use bsonType")
        wanted |= _JSON_TYPES[item]
    return lambda value: type_name(value) in wanted


def _required(operand: Any, _: Document) -> Check:
    if not isinstance(operand, list) or not operand or not all(isinstance(item, str) for item in operand):
        raise failed_to_parse("$jsonSchema keyword 'required' must be a nonempty array of strings")
    return lambda value: type(value) is not dict or all(name in value for name in operand)


def _properties(operand: Any, _: Document) -> Check:
    if not isinstance(operand, dict):
        raise type_mismatch("$jsonSchema keyword 'properties' must be an object")
    checks = {name: compile_schema(schema) for name, schema in operand.items()}

    def check(value: Any) -> bool:
        return type(value) is not dict or all(name not in value or test(value[name]) for name, test in checks.items())

    return check


def _pattern_properties(operand: Any, _: Document) -> Check:
    checks = [(compile_regex(pattern), compile_schema(schema)) for pattern, schema in operand.items()]

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        return all(test(item) for name, item in value.items() for pattern, test in checks if pattern.search(name))

    return check


def _additional_properties(operand: Any, schema: Document) -> Check:
    known = set(schema.get("properties") or {})
    patterns = [compile_regex(pattern) for pattern in schema.get("patternProperties") or {}]
    allowed = _always(operand) if isinstance(operand, bool) else compile_schema(operand)

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        extra = [name for name in value if name not in known and not any(pattern.search(name) for pattern in patterns)]
        return all(allowed(value[name]) for name in extra)

    return check


def _dependencies(operand: Any, _: Document) -> Check:
    checks = {
        name: _required(item, {}) if isinstance(item, list) else compile_schema(item) for name, item in operand.items()
    }
    return lambda value: (
        type(value) is not dict or all(name not in value or test(value) for name, test in checks.items())
    )


def _limit(name: str, exclusive: str, sign: int) -> Callable[[Any, Document], Check]:
    def compile_limit(operand: Any, schema: Document) -> Check:
        if not is_number(operand):
            raise type_mismatch(f"$jsonSchema keyword '{name}' must be a number")
        bound, strict = key(operand), bool(schema.get(exclusive, False))

        def check(value: Any) -> bool:
            if not is_number(value):
                return True
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
    if not is_number(operand) or to_decimal(operand) <= 0:
        raise failed_to_parse("$jsonSchema keyword 'multipleOf' must be a positive number")
    return lambda value: not is_number(value) or to_decimal(value) % to_decimal(operand) == 0


def _pattern(operand: Any, _: Document) -> Check:
    pattern = compile_regex(operand)
    return lambda value: type(value) is not str or pattern.search(value) is not None


def _enum(operand: Any, _: Document) -> Check:
    if not isinstance(operand, list) or not operand:
        raise failed_to_parse("$jsonSchema keyword 'enum' must be a nonempty array")
    wanted = {key(item) for item in operand}
    return lambda value: key(value) in wanted


def _items(operand: Any, schema: Document) -> Check:
    if isinstance(operand, dict):
        each = compile_schema(operand)
        return lambda value: type(value) is not list or all(each(item) for item in value)
    checks = [compile_schema(item) for item in operand]
    extra = schema.get("additionalItems", True)
    rest = _always(extra) if isinstance(extra, bool) else compile_schema(extra)

    def check(value: Any) -> bool:
        if type(value) is not list:
            return True
        return all(test(item) for test, item in zip(checks, value, strict=False)) and all(
            map(rest, value[len(checks) :])
        )

    return check


def _unique_items(operand: Any, _: Document) -> Check:
    return lambda value: not operand or type(value) is not list or len({key(item) for item in value}) == len(value)


def _combined(how: Callable[[list[bool]], bool]) -> Callable[[Any, Document], Check]:
    def compile_combined(operand: Any, _: Document) -> Check:
        if not isinstance(operand, list) or not operand:
            raise failed_to_parse("$jsonSchema keywords allOf, anyOf and oneOf must be nonempty arrays")
        checks = [compile_schema(item) for item in operand]
        return lambda value: how([check(value) for check in checks])

    return compile_combined


def _not(operand: Any, _: Document) -> Check:
    check = compile_schema(operand)
    return lambda value: value is MISSING or not check(value)


_KEYWORDS: dict[str, Callable[[Any, Document], Check]] = {
    "bsonType": _bson_type,
    "type": _json_type,
    "required": _required,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "dependencies": _dependencies,
    "minimum": _limit("minimum", "exclusiveMinimum", 1),
    "maximum": _limit("maximum", "exclusiveMaximum", -1),
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
    "uniqueItems": _unique_items,
    "allOf": _combined(all),
    "anyOf": _combined(any),
    "oneOf": _combined(lambda found: found.count(True) == 1),
    "not": _not,
}
