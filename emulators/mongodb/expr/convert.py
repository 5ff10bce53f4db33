"""Type conversions: `$convert` and its short forms. What cannot be converted is a ConversionFailure (241)."""

from __future__ import annotations

import decimal
import math
import re
from collections.abc import Callable
from typing import Any

from bson import Decimal128, Int64, ObjectId

from emulators.mongodb import numeric
from emulators.mongodb.errors import CommandError, bad_value
from emulators.mongodb.expr.core import (
    Expression,
    Scope,
    Variables,
    checked_text,
    compile_expression,
    named_fields,
    nothing,
    simple,
    special,
)
from emulators.mongodb.expr.timeline import Clock
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
        # Python refuses to read thousands of digits; those in front that are 0 do not count.
        digits = value.lstrip("+-").lstrip("0") or "0"
        number = int(digits) if len(digits) < 25 else high + 1
        number = -number if value.startswith("-") else number
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
    result = numeric.double(value)
    if math.isinf(result) and isinstance(value, Decimal128) and value.to_decimal().is_finite():
        raise failure(f"Conversion would overflow target type double: {value}")
    return result


# Nothing in these can match one text in two ways: a match of `re` cannot be stopped, and holds everybody up.
_DECIMAL_TEXT = re.compile(
    r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)", re.ASCII | re.IGNORECASE
)
_HEX_DOUBLE = re.compile(r"[+-]0x[0-9a-f]*(?:\.[0-9a-f]*)?(?:p[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def _parse_double(value: str) -> float:
    """Decimal text, or hexadecimal text behind a sign; 241 for other text, and for what a double cannot hold."""
    try:
        if _HEX_DOUBLE.fullmatch(value):
            return float.fromhex(value)
        if not _DECIMAL_TEXT.fullmatch(value):
            raise ValueError
        number = float(value)
    except (ValueError, OverflowError):
        raise failure(f"Failed to parse number '{value}' in $convert with no onError value") from None
    if math.isinf(number) and "n" not in value.lower():
        raise failure(f"Failed to parse number '{value}' in $convert with no onError value: Out of range")
    return number


def _first_digit_decides(context: decimal.Context, text: str) -> decimal.Decimal:
    """The library of decimals rounds text by the digit behind the last one that it keeps, and no further."""
    exact = decimal.Context(prec=len(text) + 1).create_decimal(text)
    if exact.is_finite() and len(exact.as_tuple().digits) > context.prec + 1:
        sign, digits, exponent = exact.as_tuple()
        spare = len(digits) - context.prec - 1
        exact = decimal.Decimal((sign, digits[: context.prec + 1], int(exponent) + spare))
    return context.create_decimal(exact)


def to_decimal(value: Any) -> Decimal128:
    if isinstance(value, bool):
        return Decimal128(str(int(value)))
    if type(value) is str:
        if not _DECIMAL_TEXT.fullmatch(value):
            raise failure(f"Failed to parse number '{value}' in $convert with no onError value")
        with decimal.localcontext(numeric.CONTEXT) as context:
            context.rounding = decimal.ROUND_HALF_EVEN
            number = _first_digit_decides(context, value)
        if number.is_infinite() and "n" not in value.lower():
            raise failure(f"Failed to parse number '{value}' in $convert with no onError value: Out of range")
        return Decimal128(number)
    if type_name(value) == "date":
        return Decimal128(str(millis(value)))
    if not is_number(value):
        raise _unsupported(value, "decimal")
    if isinstance(value, Decimal128):
        return value
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
    """The shortest digits that are this double; a power of ten from 1e16 on and below 1e-4, as in Python."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return repr(value).removesuffix(".0")


_NO_TEXT = ("object", "array", "objectId", "bool", "binData", "regex", "minKey", "maxKey", "javascriptWithScope")


def coerced_text(name: str, value: Any) -> str:
    """What the text operators make of a value: null is empty, doubles have six digits; 16007 for what is never text."""
    kind = type_name(value)
    if nothing(value) or kind == "undefined":
        return ""
    if kind == "string":
        return checked_text(value)
    if kind in _NO_TEXT:
        raise CommandError(16007, f"can't convert from BSON type {kind} to String in {name}")
    if kind == "double":
        return f"{value:g}"
    if kind == "timestamp":
        # C's ctime without its day of the week and its year.
        return f"{value.as_datetime():%b} {value.as_datetime().day:2d} {value.as_datetime():%H:%M:%S}:{value.inc}"
    return str(value) if kind == "javascript" else text_of(value)


def iso_date(value: Any) -> str:
    clock = Clock(millis(value))
    year, month, day = clock.date
    if not 0 <= year <= 9999:
        raise CommandError(
            18537, f"Could not convert date to string: date component was outside the supported range: {year}"
        )
    hour, minute, second = clock.of_day // 3_600_000, clock.of_day // 60_000 % 60, clock.of_day // 1000 % 60
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{clock.of_day % 1000:03d}Z"


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
        return from_millis(int.from_bytes(value.binary[:4], "big", signed=True) * 1000)
    if kind == "timestamp":
        return from_millis(value.time * 1000)
    if kind == "string":
        return parse_date(value, None)
    if kind in ("long", "double", "decimal"):
        return from_millis(_whole(value, "date", INT64_MIN, INT64_MAX))
    raise _unsupported(value, "date")


def _with_checked_text(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The conversion; no text of 16 MB reaches it."""
    return lambda value: convert(checked_text(value) if type(value) is str else value)


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
    simple(_operator, 1, nulls=True)(_with_checked_text(CONVERSIONS[_target]))


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
    """9 for what is no type; 241 for a type that nothing is converted to."""
    if type(target) is str:
        name = target
    elif is_number(target):
        number = numeric.as_integer(target)
        if number is None:
            raise CommandError(9, "In $convert, numeric 'to' argument is not an integer")
        name = TYPE_NAMES.get(number, "")
    else:
        raise CommandError(9, f"$convert's 'to' argument must be a string or number, but is {type_name(target)}")
    if name in CONVERSIONS:
        return CONVERSIONS[name]
    if name in TYPE_NAMES.values():
        return lambda value: _refuse(value, name)
    raise bad_value(f"Unknown type name: {target!r}")


def _refuse(value: Any, name: str) -> Any:
    raise _unsupported(value, name)
