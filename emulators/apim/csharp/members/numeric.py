"""Numbers, Boolean, Convert, Math, Random."""

from __future__ import annotations

import base64
import binascii
import math
import random
from collections.abc import Callable
from typing import Any

from emulators.apim.csharp.clr import ClrError, JToken, to_text
from emulators.apim.csharp.clr_types import BOOL, BYTE, DOUBLE, INT, LONG, STRING, T, array
from emulators.apim.csharp.library import Out, constructor, method, static, static_prop

_RANGES = {"int": 2**31, "long": 2**63}


def _format_error(value: Any) -> ClrError:
    return ClrError("FormatException", f"Input string '{to_text(value)}' was not in a correct format.")


def _integer(type_name: str) -> Callable[[Any], int]:
    limit = 256 if type_name == "byte" else _RANGES[type_name]
    lowest = 0 if type_name == "byte" else -limit

    def parse(value: Any) -> int:
        if value is None:
            raise ClrError("ArgumentNullException", "Value cannot be null.")
        text = value.strip()
        if not text.lstrip("+-").isdecimal() or not text.isascii():
            raise _format_error(value)
        number = int(text)
        if not lowest <= number < limit:
            raise ClrError("OverflowException", f"Value was either too large or too small for {type_name}.")
        return number

    return parse


def _double(value: Any) -> float:
    try:
        return float(value.strip().replace(",", ""))
    except (ValueError, AttributeError) as error:
        raise _format_error(value) from error


def _boolean(value: Any) -> bool:
    text = (value or "").strip().lower()
    if text not in ("true", "false"):
        raise ClrError("FormatException", "String was not recognized as a valid Boolean.")
    return bool(text == "true")


def _parsers(owner: T, parse: Callable[[Any], Any], empty: Any) -> None:
    def strict(value: str, style: Any = None, culture: Any = None) -> Any:
        return parse(value)

    def attempt(value: str, result: Out) -> bool:
        try:
            result(parse(value))
        except ClrError:
            result(empty)
            return False
        return True

    static(owner.name, "Parse", owner)(strict)
    static(owner.name, "TryParse", BOOL, out=owner)(attempt)


for _type in (INT, LONG, BYTE):
    _parsers(_type, _integer(_type.name), 0)
_parsers(DOUBLE, _double, 0.0)
_parsers(T("decimal"), _double, 0.0)
_parsers(BOOL, _boolean, False)
static_prop("int", "MaxValue", INT, lambda: 2**31 - 1)
static_prop("int", "MinValue", INT, lambda: -(2**31))
static_prop("long", "MaxValue", LONG, lambda: 2**63 - 1)
static_prop("bool", "TrueString", STRING, lambda: "True")
static_prop("bool", "FalseString", STRING, lambda: "False")
for _type in (INT, LONG, DOUBLE):
    method(_type.name, "CompareTo", INT)(lambda value, other: (value > other) - (value < other))


def _plain(value: Any) -> Any:
    return value.raw if isinstance(value, JToken) else value


def _to_integer(type_name: str) -> Callable[..., int]:
    def convert(value: Any, base: Any = 10) -> int:
        plain = _plain(value)
        if plain is None:
            return 0
        if isinstance(plain, str):
            return int(plain, base) if base != 10 else _integer(type_name)(plain)
        number = int(round(plain, 0)) if math.isfinite(plain) else 1 << 64
        lowest, limit = (0, 256) if type_name == "byte" else (-_RANGES[type_name], _RANGES[type_name])
        if not lowest <= number < limit:
            raise ClrError("OverflowException", f"Value was either too large or too small for {type_name}.")
        return number

    return convert


static("Convert", "ToInt32", INT)(_to_integer("int"))
static("Convert", "ToInt64", LONG)(_to_integer("long"))
static("Convert", "ToByte", BYTE)(_to_integer("byte"))
for _name, _type in (("ToDouble", DOUBLE), ("ToDecimal", T("decimal"))):
    static("Convert", _name, _type)(
        lambda value: _double(value) if isinstance(value, str) else float(_plain(value) or 0)
    )
static("Convert", "ToBoolean", BOOL)(lambda value: _boolean(value) if isinstance(value, str) else bool(_plain(value)))
static("Convert", "ToString", STRING)(lambda value, culture=None: to_text(value))


@static("Convert", "FromBase64String", array(BYTE))
def _from_base64(value: str) -> bytes:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ClrError("FormatException", "The input is not a valid Base-64 string.") from error


static("Convert", "ToBase64String", STRING)(lambda value: base64.b64encode(bytes(value)).decode())


def _round(value: float, digits: Any = 0, mode: Any = None) -> Any:
    if mode == "AwayFromZero":
        scaled = math.floor(abs(value) * 10**digits + 0.5) / 10**digits
        return math.copysign(scaled, value)
    return float(round(value, digits))


def _numeric(receiver: T, arguments: list[T], generics: list[T]) -> T:
    return DOUBLE if DOUBLE in arguments else arguments[0]


static("Math", "Max", _numeric)(lambda left, right: max(left, right))
static("Math", "Min", _numeric)(lambda left, right: min(left, right))
static("Math", "Abs", _numeric)(lambda value: abs(value))
static("Math", "Ceiling", DOUBLE)(lambda value: float(math.ceil(value)))
static("Math", "Floor", DOUBLE)(lambda value: float(math.floor(value)))
static("Math", "Round", DOUBLE)(_round)
static("Math", "Sign", INT)(lambda value: (value > 0) - (value < 0))
static("Math", "Sqrt", DOUBLE)(lambda value: math.sqrt(value) if value >= 0 else math.nan)
static("Math", "Truncate", DOUBLE)(lambda value: float(math.trunc(value)))
static("Math", "Pow", DOUBLE)(lambda value, exponent: _power(value, exponent))
static_prop("Math", "PI", DOUBLE, lambda: math.pi)


def _power(value: float, exponent: float) -> float:
    try:
        found = float(value) ** float(exponent)
    except OverflowError:
        return math.inf
    except ZeroDivisionError:
        return math.inf
    return found if isinstance(found, float) else math.nan


static_prop("MidpointRounding", "AwayFromZero", T("MidpointRounding"), lambda: "AwayFromZero")
static_prop("MidpointRounding", "ToEven", T("MidpointRounding"), lambda: "ToEven")


class Random:
    """System.Random: seeded ones repeat, but not with .NET's sequence."""

    def __init__(self, seed: Any = None) -> None:
        self._source = random.Random(seed)  # noqa: S311 - it stands for System.Random, which is not secure either

    def next(self, low: Any = None, high: Any = None) -> int:
        if low is None:
            return self._source.randrange(2**31 - 1)
        start, end = (0, low) if high is None else (low, high)
        if end < start:
            raise ClrError("ArgumentOutOfRangeException", "'minValue' cannot be greater than maxValue.")
        return self._source.randrange(start, end) if end > start else start


constructor("Random")(lambda seed=None: Random(seed))
method("Random", "Next", INT)(lambda source, low=None, high=None: source.next(low, high))
method("Random", "NextDouble", DOUBLE)(lambda source: source.next() / (2**31 - 1))
