"""Type conversions: `$convert` and its short forms. What cannot be converted is a ConversionFailure (241)."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Callable
from typing import Any

from bson import Decimal128, Int64, ObjectId

from emulators.mongodb import numeric
from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.expr.core import (
    Expression,
    Scope,
    Variables,
    compile_expression,
    named_fields,
    nothing,
    simple,
    special,
)
from emulators.mongodb.values import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    TYPE_NAMES,
    Document,
    from_millis,
    is_number,
    millis,
    type_name,
)

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def failure(message: str) -> CommandError:
    return CommandError(241, message)


def _unsupported(value: Any, target: str) -> CommandError:
    return failure(f"Unsupported conversion from {type_name(value)} to {target} in $convert with no onError value")


def _whole(value: Any, target: str, low: int, high: int) -> int:
    if isinstance(value, bool):
        return int(value)
    if type(value) is str:
        if not _INTEGER.fullmatch(value):
            raise failure(f"Failed to parse number '{value}' in $convert with no onError value")
        number = int(value)
    elif is_number(value):
        exact = decimal.Decimal(value) if isinstance(value, float) else numeric.to_decimal(value)
        if not exact.is_finite():
            raise failure("Attempt to convert NaN or infinity value to integer type in $convert with no onError value")
        number = int(exact)
    else:
        raise _unsupported(value, target)
    if not low <= number <= high:
        raise failure(f"Conversion would overflow target type {target} in $convert with no onError value: {value}")
    return number


def to_int(value: Any) -> int:
    return _whole(value, "int", INT32_MIN, INT32_MAX)


def to_long(value: Any) -> Int64:
    if type_name(value) == "date":
        return Int64(millis(value))
    return Int64(_whole(value, "long", INT64_MIN, INT64_MAX))


def to_double(value: Any) -> float:
    if isinstance(value, bool):
        return float(value)
    if type(value) is str:
        return _parse_double(value)
    if type_name(value) == "date":
        return float(millis(value))
    if not is_number(value):
        raise _unsupported(value, "double")
    result = float(numeric.to_decimal(value)) if isinstance(value, Decimal128) else float(value)
    if math.isinf(result) and isinstance(value, Decimal128) and value.to_decimal().is_finite():
        raise failure(f"Conversion would overflow target type double: {value}")
    return result


def _parse_double(value: str) -> float:
    try:
        if value != value.strip() or "_" in value:
            raise ValueError
        return float(value)
    except ValueError:
        raise failure(f"Failed to parse number '{value}' in $convert with no onError value") from None


def to_decimal(value: Any) -> Decimal128:
    if isinstance(value, bool):
        return Decimal128(str(int(value)))
    if type(value) is str:
        try:
            if value != value.strip() or "_" in value:
                raise decimal.InvalidOperation
            return Decimal128(value)
        except (decimal.DecimalException, ValueError):
            raise failure(f"Failed to parse number '{value}' in $convert with no onError value") from None
    if type_name(value) == "date":
        return Decimal128(str(millis(value)))
    if not is_number(value):
        raise _unsupported(value, "decimal")
    return numeric.from_decimal(numeric.to_decimal(value))


def to_bool(value: Any) -> bool:
    if is_number(value):
        return bool(numeric.to_decimal(value) != 0)
    return value if isinstance(value, bool) else True


def text_of(value: Any) -> str:
    """A value as text; doubles whose MongoDB form is not certain are refused."""
    kind = type_name(value)
    if kind == "string":
        return str(value)
    if kind == "bool":
        return "true" if value else "false"
    if kind == "double":
        return _double_text(value)
    if kind in ("int", "long", "decimal", "objectId"):
        return str(value)
    if kind == "date":
        return iso_date(value)
    raise _unsupported(value, "string")


def _double_text(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    short = f"{value:g}"
    if float(short) != value or "e" in short:
        raise not_supported("writing a double of more than six significant digits as text (use $toDecimal first)")
    return short


def iso_date(value: Any) -> str:
    moment = value if isinstance(value, dt.datetime) else from_millis(int(value))
    if not isinstance(moment, dt.datetime):
        raise not_supported("writing a date outside the years 1 to 9999 as text")
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z".rjust(24, "0")


def to_object_id(value: Any) -> ObjectId:
    if isinstance(value, ObjectId):
        return value
    if type(value) is not str:
        raise _unsupported(value, "objectId")
    if not re.fullmatch(r"[0-9a-fA-F]{24}", value):
        raise failure(f"Failed to parse objectId '{value}' in $convert with no onError value")
    return ObjectId(value)


def to_date(value: Any) -> Any:
    from emulators.mongodb.expr.dateparts import parse_date  # dates need conversions too

    kind = type_name(value)
    if kind == "date":
        return value
    if kind == "objectId":
        return value.generation_time.replace(tzinfo=None)
    if kind == "timestamp":
        return from_millis(value.time * 1000)
    if kind == "string":
        return parse_date(value, None)
    if kind in ("long", "double", "decimal"):
        return from_millis(_whole(value, "date", INT64_MIN, INT64_MAX))
    raise _unsupported(value, "date")


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "int": to_int,
    "long": to_long,
    "double": to_double,
    "decimal": to_decimal,
    "bool": to_bool,
    "string": text_of,
    "objectId": to_object_id,
    "date": to_date,
}
_SHORT = {"$toInt": "int", "$toLong": "long", "$toDouble": "double", "$toDecimal": "decimal", "$toBool": "bool"}
_SHORT |= {"$toString": "string", "$toObjectId": "objectId", "$toDate": "date"}
for _operator, _target in _SHORT.items():
    simple(_operator, 1, nulls=True)(CONVERSIONS[_target])


@simple("$type", 1)
def _type(value: Any) -> str:
    return type_name(value)


@special("$convert")
def _convert(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$convert", argument, ["input", "to"], ["input", "to", "onError", "onNull"])
    source, target = compile_expression(fields["input"], scope), compile_expression(fields["to"], scope)
    on_error = compile_expression(fields["onError"], scope) if "onError" in fields else None
    on_null = compile_expression(fields.get("onNull"), scope)

    def run(document: Document, variables: Variables) -> Any:
        value, wanted = source(document, variables), target(document, variables)
        if nothing(value):
            return on_null(document, variables)
        if nothing(wanted):
            return None
        try:
            return _conversion(wanted)(value)
        except CommandError as error:
            if on_error is None or error.code != 241:
                raise
            return on_error(document, variables)

    return run


def _conversion(target: Any) -> Callable[[Any], Any]:
    name = target if isinstance(target, str) else TYPE_NAMES.get(numeric.as_integer(target) or 0, "")
    if name not in CONVERSIONS:
        if name in TYPE_NAMES.values():
            raise not_supported(f"$convert to {name}")
        raise bad_value(f"Unknown type name: {target!r}")
    return CONVERSIONS[name]
