"""Arithmetic over BSON's four number types, widened as MongoDB does: int, long, double, decimal.

Two ints that overflow become a long; two longs that overflow become a double in expressions, and an error in updates. A
double turns into a decimal with 15 significant digits (the manual's `$toDecimal`).
"""

from __future__ import annotations

import decimal
import math
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bson import Decimal128, Int64
from bson.decimal128 import create_decimal128_context

from emulators.mongodb.values import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN

CONTEXT = create_decimal128_context()
Number = int | float | Decimal128


def to_decimal(value: Number) -> Decimal:
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, float):
        if value == 0:
            return Decimal("-0") if math.copysign(1, value) < 0 else Decimal(0)
        return Decimal(f"{value:.14e}") if value - value == 0 else Decimal(value)
    return Decimal(int(value))


def double(value: Number) -> float:
    """The double nearest to a number; NaN of a signaling NaN too, which `float` does not take."""
    if not isinstance(value, Decimal128):
        return float(value)
    exact = value.to_decimal()
    return math.nan if exact.is_nan() else float(exact)


def exact_decimal(value: Number) -> Decimal:
    """A number as sums take it: a double by all its binary digits, rounded to the 34 that a decimal has."""
    if isinstance(value, float):
        return CONTEXT.create_decimal(Decimal(value))
    return to_decimal(value)


def from_decimal(value: Decimal) -> Decimal128:
    # Not `plus`, which takes the sign off a zero.
    with decimal.localcontext(CONTEXT):
        return Decimal128(CONTEXT.create_decimal(value))


def integer(value: int, *operands: Any, strict: bool = False) -> Any:
    """`value` as int, long or (when neither holds it) double; long if any operand was. None when `strict` overflows."""
    if not INT64_MIN <= value <= INT64_MAX:
        return None if strict else float(value)
    if any(type(item) is Int64 for item in operands) or not INT32_MIN <= value <= INT32_MAX:
        return Int64(value)
    return int(value)


def combine(left: Number, right: Number, how: Callable[[Any, Any], Any], *, strict: bool = False) -> Any:
    """One arithmetic step in the widest of the two types; None when `strict` and two integers overflow a long."""
    if isinstance(left, Decimal128) or isinstance(right, Decimal128):
        with decimal.localcontext(CONTEXT):
            return from_decimal(how(to_decimal(left), to_decimal(right)))
    if isinstance(left, float) or isinstance(right, float):
        try:
            return float(how(float(left), float(right)))
        except OverflowError:
            return float("inf")
    return integer(how(int(left), int(right)), left, right, strict=strict)


def add(left: Number, right: Number, *, strict: bool = False) -> Any:
    return combine(left, right, operator.add, strict=strict)


def subtract(left: Number, right: Number) -> Any:
    return combine(left, right, operator.sub)


def multiply(left: Number, right: Number, *, strict: bool = False) -> Any:
    return combine(left, right, operator.mul, strict=strict)


def divide(left: Number, right: Number) -> Any:
    """`$divide`: always a double, unless a decimal takes part. The caller has refused a zero divisor."""
    if isinstance(left, Decimal128) or isinstance(right, Decimal128):
        return combine(left, right, operator.truediv)
    return float(left) / float(right)


def as_integer(value: Any) -> int | None:
    """The whole number that `value` is, or None: 2, 2.0, Decimal128("2") are; 2.5, NaN, 2**70, "2" and true are not."""
    if type(value) in (int, Int64):
        return int(value)
    if type(value) not in (float, Decimal128):
        return None
    number = Decimal(value) if type(value) is float else value.to_decimal()
    if not number.is_finite() or abs(number) > INT64_MAX:
        return None
    return int(number) if number == int(number) else None


def cut(value: Any) -> int | None:
    """The integer that commands make of a number: NaN is 0, doubles are cut, decimals rounded half to even.

    What is out of a long's range becomes its nearest end. None for what is no number. Source: the server's
    `BSONElement::safeNumberLong`.
    """
    if type(value) in (int, Int64):
        return int(value)
    if type(value) not in (float, Decimal128):
        return None
    number = Decimal(value) if type(value) is float else value.to_decimal()
    if number.is_nan():
        return 0
    if abs(number) > INT64_MAX:
        return INT64_MAX if number > 0 else INT64_MIN
    return int(number) if type(value) is float else int(number.to_integral_value(decimal.ROUND_HALF_EVEN))
