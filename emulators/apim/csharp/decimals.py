"""System.Decimal: 96 bits and a scale from 0 to 28, which it keeps (.NET API reference, "Decimal", Remarks).

    1.10m + 1.9m == 3.00m; 1.10m * 2.0m is 2.200; 1m / 3m has 28 digits; 1.00m / 2m is 0.50

A value is a `decimal.Decimal` whose exponent is minus its scale. Results that need more are rounded half to even, and
those that do not fit are an OverflowException, in every context: there is no unchecked decimal.
"""

from __future__ import annotations

import decimal
import math
import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from emulators.apim.csharp.clr import ClrError

MAX = 2**96 - 1
MAX_SCALE = 28
#: Wide enough for sums and products of two decimals before they are rounded; without a signal that ends in Python's.
_EXACT = decimal.Context(prec=130, Emin=-10_000, Emax=10_000, traps=[])
#: NumberStyles.Number: white space, a sign before or after, group separators, a fraction.
_NUMBER = re.compile(r"\s*(?P<before>[+-]?)\s*(?P<digits>\d[\d,]*\.?\d*|\.\d+)\s*(?P<after>[+-]?)\s*", re.ASCII)
_ROUNDING = {"ToEven": ROUND_HALF_EVEN, "AwayFromZero": ROUND_HALF_UP}


def _overflow() -> ClrError:
    return ClrError("OverflowException", "Value was either too large or too small for a Decimal.")


def fitted(value: Decimal) -> Decimal:
    """The nearest decimal that .NET has, of the same scale where there is room. Raises ClrError (OverflowException)."""
    if not value.is_finite():
        raise _overflow()
    exponent = value.as_tuple().exponent
    scale = max(0, -int(exponent))
    while scale >= 0:
        found = value.quantize(Decimal(1).scaleb(-min(scale, MAX_SCALE)), ROUND_HALF_EVEN, _EXACT)
        if found.is_nan():
            raise _overflow()
        if abs(int(found.scaleb(min(scale, MAX_SCALE), _EXACT))) <= MAX:
            return found
        scale = min(scale, MAX_SCALE) - 1
    raise _overflow()


def literal(digits: str) -> Decimal:
    """Of the text of a literal without its `m`; an exponent is worked out, trailing zeros are kept."""
    return fitted(_EXACT.create_decimal(digits))


def parse(text: str | None) -> Decimal:
    """decimal.Parse. Raises ClrError."""
    if text is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    found = _NUMBER.fullmatch(text)
    if found is None or (found["before"] and found["after"]):
        raise ClrError("FormatException", f"Input string '{text}' was not in a correct format.")
    sign = found["before"] or found["after"]
    return literal(sign.replace("+", "") + found["digits"].replace(",", ""))


def of_double(value: float) -> Decimal:
    """`(decimal)value`: 15 significant digits, no trailing zeros (.NET API reference, "Decimal", conversions)."""
    if not math.isfinite(value):
        raise _overflow()
    return _shortest(fitted(Decimal(f"{value:.14e}")))


def of_number(value: float | Decimal) -> Decimal:
    """Of what a numeric variable holds."""
    if isinstance(value, float):
        return of_double(value)
    return value if isinstance(value, Decimal) else Decimal(value)


def to_integer(value: Decimal, lowest: int, limit: int) -> int:
    """`(int)value`: cut towards zero, and checked although nothing says `checked`."""
    found = int(value)
    if not lowest <= found < limit:
        raise ClrError("OverflowException", "Value was either too large or too small for the type.")
    return found


def _shortest(value: Decimal) -> Decimal:
    """Without trailing zeros after the point."""
    digits = value.normalize(_EXACT)
    return digits if int(digits.as_tuple().exponent) < 0 else digits.quantize(Decimal(1), context=_EXACT)


# arithmetic


def _divide(left: Decimal, right: Decimal) -> Decimal:
    """The scale is the difference of both where the quotient ends there, else what it needs (.NET, VarDecDiv)."""
    if right.is_zero():
        raise ClrError("DivideByZeroException", "Attempted to divide by zero.")
    scale = max(0, int(right.as_tuple().exponent) - int(left.as_tuple().exponent))
    quotient = _EXACT.divide(left, right)
    preferred = quotient.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
    if _EXACT.multiply(preferred, right) == left:
        return fitted(preferred)
    return _shortest(fitted(quotient))


def _remainder(left: Decimal, right: Decimal) -> Decimal:
    """Of the sign of the first, with the larger scale of both."""
    if right.is_zero():
        raise ClrError("DivideByZeroException", "Attempted to divide by zero.")
    return left if left.copy_abs() < right.copy_abs() else fitted(_EXACT.remainder(left, right))


ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": lambda left, right: fitted(_EXACT.add(left, right)),
    "-": lambda left, right: fitted(_EXACT.subtract(left, right)),
    "*": lambda left, right: fitted(_EXACT.multiply(left, right)),
    "/": _divide,
    "%": _remainder,
}


def operation(sign: str) -> Callable[[Any, Any], Decimal]:
    """The operator on two numbers, one of which is a decimal."""
    apply = ARITHMETIC[sign]
    return lambda left, right: apply(of_number(left), of_number(right))


def negated(value: Decimal) -> Decimal:
    return value.copy_negate()


def total(values: list[Decimal]) -> Decimal:
    """Enumerable.Sum."""
    found = Decimal(0)
    for value in values:
        found = ARITHMETIC["+"](found, value)
    return found


def average(values: list[Decimal]) -> Decimal:
    """Enumerable.Average."""
    return _divide(total(values), Decimal(len(values)))


# rounding


def rounded(value: Decimal, digits: int = 0, mode: str = "ToEven") -> Decimal:
    """decimal.Round: a smaller scale stays."""
    if not 0 <= digits <= MAX_SCALE:
        raise ClrError("ArgumentOutOfRangeException", "Decimal can only round to between 0 and 28 digits of precision.")
    return _at(value, digits, _ROUNDING[mode])


def _at(value: Decimal, digits: int, rounding: str) -> Decimal:
    if -int(value.as_tuple().exponent) <= digits:
        return value
    return value.quantize(Decimal(1).scaleb(-digits), rounding, _EXACT)


def ceiling(value: Decimal) -> Decimal:
    return _at(value, 0, ROUND_CEILING)


def floor(value: Decimal) -> Decimal:
    return _at(value, 0, ROUND_FLOOR)


def truncated(value: Decimal) -> Decimal:
    return _at(value, 0, ROUND_DOWN)
