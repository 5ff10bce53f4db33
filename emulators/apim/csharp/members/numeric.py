"""Numbers, Boolean, Convert, Math, Random."""

from __future__ import annotations

import base64
import binascii
import math
import random
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from emulators.apim.csharp import decimals
from emulators.apim.csharp.clr import ClrError, JToken, to_text
from emulators.apim.csharp.clr_types import DECIMAL, T, wrap
from emulators.apim.csharp.conversions import clr_name, converter
from emulators.apim.csharp.library import Out, declare, enum

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


#: NumberStyles.Float and AllowThousands; the three names are spelt so.
_DOUBLE = re.compile(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|-?Infinity", re.ASCII)


def _double(value: Any) -> float:
    if value is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    if not _DOUBLE.fullmatch(value.strip()):
        raise _format_error(value)
    return float(value.strip().replace(",", ""))


def _boolean(value: Any) -> bool:
    text = (value or "").strip().lower()
    if text not in ("true", "false"):
        raise ClrError("FormatException", "String was not recognized as a valid Boolean.")
    return bool(text == "true")


def _parsers(owner: str, parse: Callable[[Any], Any], empty: Any) -> None:
    def attempt(value: str, result: Out) -> bool:
        try:
            result(parse(value))
        except ClrError:
            result(empty)
            return False
        return True

    declare(owner, f"static {owner} Parse(string s)")(parse)
    declare(owner, f"static bool TryParse(string s, out {owner} result)")(attempt)


def _order(value: Any, other: Any) -> int:
    return int(value > other) - int(value < other)


for _type in ("int", "long", "byte"):
    _parsers(_type, _integer(_type), 0)
_parsers("double", _double, 0.0)
_parsers("decimal", decimals.parse, Decimal(0))
_parsers("bool", _boolean, False)
_CONSTANTS: dict[str, dict[str, Any]] = {
    "int": {"MaxValue": 2**31 - 1, "MinValue": -(2**31)},
    "long": {"MaxValue": 2**63 - 1, "MinValue": -(2**63)},
    "byte": {"MaxValue": 255, "MinValue": 0},
    "double": {
        "MaxValue": sys.float_info.max,
        "MinValue": -sys.float_info.max,
        "NaN": math.nan,
        "PositiveInfinity": math.inf,
        "NegativeInfinity": -math.inf,
        "Epsilon": 5e-324,
    },
    "decimal": {
        "MaxValue": Decimal(decimals.MAX),
        "MinValue": Decimal(-decimals.MAX),
        "Zero": Decimal(0),
        "One": Decimal(1),
        "MinusOne": Decimal(-1),
    },
}
for _owner, _constants in _CONSTANTS.items():
    for _name, _value in _constants.items():
        declare(_owner, f"static {_owner} {_name}")(lambda value=_value: value)
declare("double", "static bool IsNaN(double d)")(math.isnan)
declare("double", "static bool IsInfinity(double d)")(math.isinf)
declare("bool", "static string TrueString")(lambda: "True")
declare("bool", "static string FalseString")(lambda: "False")
for _type in ("int", "long", "byte", "double", "decimal", "bool"):
    declare(_type, f"int CompareTo({_type} value)")(_order)


def _plain(value: Any) -> Any:
    return value.raw if isinstance(value, JToken) else value


def _to_integer(type_name: str) -> Callable[..., int]:
    def convert(value: Any, base: Any = 10) -> int:
        plain = _plain(value)
        if isinstance(plain, str) or base != 10:
            return _in_words(plain, base, type_name) if base != 10 else _integer(type_name)(plain)
        plain = _number_of(plain, type_name)
        number = round(plain) if math.isfinite(plain) else 1 << 64
        lowest, limit = (0, 256) if type_name == "byte" else (-_RANGES[type_name], _RANGES[type_name])
        if not lowest <= number < limit:
            raise ClrError("OverflowException", f"Value was either too large or too small for {type_name}.")
        return number

    return convert


def _number_of(value: Any, type_name: str) -> Any:
    """Of what is convertible (IConvertible): null is 0. Raises ClrError (InvalidCastException)."""
    if value is None:
        return 0
    if not isinstance(value, int | float | Decimal):
        raise ClrError("InvalidCastException", f"Unable to cast object of type '{clr_name(value)}' to '{type_name}'.")
    return value


def _in_words(text: str | None, base: int, type_name: str) -> int:
    """2, 8 or 16: two's complement of the type's bits, unsigned; `0x` may stand before hexadecimal digits."""
    bits = {"byte": 8, "int": 32, "long": 64}[type_name]
    if base not in (2, 8, 16):
        raise ClrError("ArgumentException", "Invalid Base.")
    if text is None:
        return 0
    digits = text.lower().removeprefix("0x") if base == 16 else text
    if not digits:
        raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
    if not set(digits.lower()) <= set("0123456789abcdef"[:base]):
        raise ClrError("FormatException", "Could not find any recognizable digits.")
    found = int(digits, base)
    if found >= 1 << bits:
        raise ClrError("OverflowException", f"Value was either too large or too small for {type_name}.")
    return found if type_name == "byte" else wrap(found, bits)


def _to_double(value: Any) -> float:
    plain = _plain(value)
    return _double(plain) if isinstance(plain, str) else float(_number_of(plain, "double"))


def _to_decimal(value: Any) -> Decimal:
    plain = _plain(value)
    if isinstance(plain, str):
        return decimals.parse(plain)
    return decimals.of_number(_number_of(int(plain) if isinstance(plain, bool) else plain, "decimal"))


def _to_boolean(value: Any) -> bool:
    plain = _plain(value)
    return _boolean(plain) if isinstance(plain, str) else bool(_number_of(plain, "bool"))


_SOURCES = ("object", "string", "int", "long", "double", "decimal", "bool", "byte")
for _name, _result, _convert in (
    ("ToInt32", "int", _to_integer("int")),
    ("ToInt64", "long", _to_integer("long")),
    ("ToByte", "byte", _to_integer("byte")),
):
    declare("Convert", *(f"static {_result} {_name}({source} value)" for source in _SOURCES))(_convert)
    declare("Convert", f"static {_result} {_name}(string value, int fromBase)")(_convert)
declare("Convert", "static int ToInt32(char value)")(ord)
declare("Convert", *(f"static double ToDouble({source} value)" for source in _SOURCES))(_to_double)
declare("Convert", *(f"static decimal ToDecimal({source} value)" for source in _SOURCES))(_to_decimal)
declare("Convert", *(f"static bool ToBoolean({source} value)" for source in _SOURCES))(_to_boolean)
declare("Convert", "static string ToString(object value)")(to_text)
declare("Convert", "static string ToString(long value, int toBase)")(lambda value, base: _in_base(value, base))


@declare("Convert", "static char ToChar(int value)")
def _to_char(value: int) -> str:
    if not 0 <= value < 2**16:
        raise ClrError("OverflowException", "Value was either too large or too small for a character.")
    return chr(value)


def _in_base(value: int, base: int) -> str:
    """2, 8, 10 or 16; negative numbers as 64-bit two's complement."""
    if base not in (2, 8, 10, 16):
        raise ClrError("ArgumentException", "Invalid Base.")
    return str(value) if base == 10 else format(value & (2**64 - 1), {2: "b", 8: "o", 16: "x"}[base])


@declare("Convert", "static byte[] FromBase64String(string s)")
def _from_base64(value: str) -> bytes:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ClrError("FormatException", "The input is not a valid Base-64 string.") from error


declare("Convert", "static string ToBase64String(byte[] inArray)")(
    lambda value: base64.b64encode(bytes(value)).decode()
)


def _round(value: float, digits: int = 0, mode: str = "ToEven") -> float:
    """As .NET does: the number times a power of ten, rounded there (`Math.Round(2.345, 2)` is 2.35)."""
    if not 0 <= digits <= 15:
        raise ClrError("ArgumentOutOfRangeException", "Rounding digits must be between 0 and 15, inclusive.")
    if not math.isfinite(value) or abs(value) >= 1e16:
        return value
    scaled = value * 10**digits
    whole = math.copysign(math.floor(abs(scaled) + 0.5), scaled) if mode == "AwayFromZero" else float(round(scaled))
    return math.copysign(whole / 10**digits, value)


def _whole(of: Callable[[float], float]) -> Callable[[float], float]:
    """Infinity and NaN stay what they are."""
    return lambda value: float(of(value)) if math.isfinite(value) else value


def _rounding(owner: str, kind: str, of: Callable[..., Any]) -> None:
    declare(owner, f"static {kind} Round({kind} a)", f"static {kind} Round({kind} a, int digits)")(of)
    declare(owner, f"static {kind} Round({kind} a, MidpointRounding mode)")(lambda value, mode: of(value, 0, mode))
    declare(owner, f"static {kind} Round({kind} a, int digits, MidpointRounding mode)")(of)


for _type in ("int", "long", "double", "decimal"):
    declare("Math", f"static {_type} Max({_type} val1, {_type} val2)")(max)
    declare("Math", f"static {_type} Min({_type} val1, {_type} val2)")(min)
    declare("Math", f"static {_type} Abs({_type} value)")(Decimal.copy_abs if _type == "decimal" else abs)
    declare("Math", f"static int Sign({_type} value)")(lambda value: _order(value, 0))
for _name, _of, _exactly in (
    ("Ceiling", math.ceil, decimals.ceiling),
    ("Floor", math.floor, decimals.floor),
    ("Truncate", math.trunc, decimals.truncated),
):
    declare("Math", f"static double {_name}(double {'a' if _name == 'Ceiling' else 'd'})")(_whole(_of))
    declare("Math", f"static decimal {_name}(decimal d)")(_exactly)
    declare("decimal", f"static decimal {_name}(decimal d)")(_exactly)
_rounding("Math", "double", _round)
_rounding("Math", "decimal", decimals.rounded)
_rounding("decimal", "decimal", decimals.rounded)
for _name, _sign in (("Add", "+"), ("Subtract", "-"), ("Multiply", "*"), ("Divide", "/"), ("Remainder", "%")):
    declare("decimal", f"static decimal {_name}(decimal d1, decimal d2)")(decimals.ARITHMETIC[_sign])
declare("decimal", "static decimal Negate(decimal d)")(decimals.negated)
declare("decimal", "static int Compare(decimal d1, decimal d2)")(_order)
for _name, _result in (("ToInt32", "int"), ("ToInt64", "long"), ("ToByte", "byte"), ("ToDouble", "double")):
    declare("decimal", f"static {_result} {_name}(decimal d)")(converter(DECIMAL, T(_result)))
declare("Math", "static double Sqrt(double d)")(lambda value: math.sqrt(value) if value >= 0 else math.nan)
declare("Math", "static double Pow(double x, double y)")(lambda value, exponent: _power(value, exponent))
declare("Math", "static double PI")(lambda: math.pi)
declare("Math", "static double E")(lambda: math.e)


def _power(value: float, exponent: float) -> float:
    try:
        found = float(value) ** float(exponent)
    except OverflowError:
        return math.inf
    except ZeroDivisionError:
        return math.inf
    return found if isinstance(found, float) else math.nan


enum("MidpointRounding", "AwayFromZero", "ToEven")


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


declare("Random", "Random()", "Random(int Seed)")(Random)
declare("Random", "int Next()", "int Next(int maxValue)", "int Next(int minValue, int maxValue)")(Random.next)
declare("Random", "double NextDouble()")(lambda source: source.next() / (2**31 - 1))
