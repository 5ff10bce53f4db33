"""Arithmetic expressions. Null or missing answers null; anything else that is not a number is a TypeMismatch (14)."""

from __future__ import annotations

import decimal
import math
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bson import Decimal128, Int64

from emulators.mongodb import numeric
from emulators.mongodb.errors import CommandError, bad_value, not_supported, type_mismatch
from emulators.mongodb.expr.core import Expression, Scope, nothing, simple, special
from emulators.mongodb.values import INT64_MAX, INT64_MIN, from_millis, is_nan, is_number, millis, type_name


def number(name: str, value: Any, code: int = 28765) -> Any:
    if not is_number(value):
        raise CommandError(code, f"{name} only supports numeric types, not {type_name(value)}")
    return value


def sum_of_doubles(values: list[float]) -> float:
    """Sum without drift; Infinity where it leaves a double's range, as in C."""
    if not all(map(math.isfinite, values)):
        return float(sum(values))
    try:
        return math.fsum(values)
    except OverflowError:
        return float(sum(values))


def exact_sum(values: list[Any]) -> Any:
    """Sum without drift between doubles, in the widest type among `values`, which are numbers.

    Source: `DoubleDoubleSummation` in the server, which decimals are added to last.
    """
    decimals = [value.to_decimal() for value in values if isinstance(value, Decimal128)]
    doubles = [value for value in values if isinstance(value, float)]
    integers = [value for value in values if not isinstance(value, float | Decimal128)]
    whole = sum(int(value) for value in integers)
    if decimals:
        with decimal.localcontext(numeric.CONTEXT):
            rest = numeric.exact_decimal(sum_of_doubles([*doubles, whole]) if doubles else whole)
            return numeric.from_decimal(sum(decimals, Decimal(0)) + rest)
    if doubles:
        return sum_of_doubles([*doubles, whole])
    return numeric.integer(whole, *integers)


@simple("$add", 0, -1)
def _add(*values: Any) -> Any:
    if any(nothing(value) for value in values):
        return None
    dates = [value for value in values if type_name(value) == "date"]
    others = [value for value in values if type_name(value) != "date"]
    for value in others:
        if not is_number(value):
            raise type_mismatch(f"$add only supports numeric or date types, not {type_name(value)}")
    if len(dates) > 1:
        raise CommandError(16612, "only one date allowed in an $add expression")
    if any(isinstance(value, Decimal128) for value in others):
        # Unlike in `$sum`, a double becomes a decimal of 15 digits, zeros included.
        total: Any = others[0]
        for value in others[1:]:
            total = numeric.add(total, value)
    else:
        total = exact_sum(others)
    return _moved("$add", dates[0], total, 1) if dates else total


def _moved(name: str, date: Any, by: Any, sign: int) -> Any:
    """A date some milliseconds later; 15 where that is no date. Half a millisecond goes away from zero."""
    if isinstance(by, float) and math.isfinite(by):
        # C's llround: half away from zero.
        distance = int(Decimal(by).to_integral_value(decimal.ROUND_HALF_UP))
    elif numeric.to_decimal(by).is_finite():
        distance = int(numeric.to_decimal(by).to_integral_value(decimal.ROUND_HALF_EVEN))
    else:
        raise CommandError(15, f"date overflow in {name}")
    result = millis(date) + sign * distance
    if not INT64_MIN <= result <= INT64_MAX or not INT64_MIN <= distance <= INT64_MAX:
        raise CommandError(15, f"date overflow in {name}")
    return from_millis(result)


@simple("$subtract", 2, nulls=True)
def _subtract(left: Any, right: Any) -> Any:
    if type_name(left) == "date":
        if type_name(right) == "date":
            return Int64(millis(left) - millis(right))
        return _moved("$subtract", left, number("$subtract", right, 14), -1)
    if not is_number(left) or not is_number(right):
        raise type_mismatch(f"can't $subtract {type_name(right)} from {type_name(left)}")
    return numeric.subtract(left, right)


@simple("$multiply", 0, -1, nulls=True)
def _multiply(*values: Any) -> Any:
    result: Any = 1
    for value in values:
        result = numeric.multiply(result, number("$multiply", value, 14))
    return result


@simple("$divide", 2, nulls=True)
def _divide(left: Any, right: Any) -> Any:
    if not is_number(left) or not is_number(right):
        raise type_mismatch(f"$divide only supports numeric types, not {type_name(left)} and {type_name(right)}")
    if numeric.to_decimal(right) == 0:
        raise bad_value("can't $divide by zero")
    return numeric.divide(left, right)


@simple("$mod", 2, nulls=True)
def _mod(left: Any, right: Any) -> Any:
    number("$mod", left, 16611), number("$mod", right, 16611)
    if numeric.to_decimal(right) == 0:
        decimals = isinstance(left, Decimal128) or isinstance(right, Decimal128)
        raise CommandError(5733415 if decimals else 16610, "can't $mod by zero")
    return numeric.combine(left, right, _remainder)


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, float):
        return math.fmod(left, right) if math.isfinite(left) else math.nan
    if isinstance(left, Decimal):
        if not left.is_finite() or right.is_nan():
            return Decimal("NaN")
        if right.is_infinite():
            return left
        # The whole quotient has to fit.
        with decimal.localcontext(decimal.Context(prec=_WIDE, Emin=-99_999, Emax=99_999)):
            return (left % right).copy_sign(left)
    return (abs(left) % abs(right)) * (1 if left >= 0 else -1)


_WIDE = 13_000  # digits between the largest decimal and the smallest, twice


@simple("$abs", 1, nulls=True)
def _abs(value: Any) -> Any:
    if type_name(number("$abs", value)) == "long" and int(value) == INT64_MIN:
        raise CommandError(28680, "can't take $abs of long long min")
    return _each(value, abs)


def _each(value: Any, how: Callable[[Any], Any]) -> Any:
    if isinstance(value, Decimal128):
        with decimal.localcontext(numeric.CONTEXT):
            return numeric.from_decimal(how(value.to_decimal()))
    if isinstance(value, float):
        return float(how(value))
    return numeric.integer(int(how(int(value))), value)


@simple("$ceil", 1, nulls=True)
def _ceil(value: Any) -> Any:
    return _integral(number("$ceil", value), decimal.ROUND_CEILING)


@simple("$floor", 1, nulls=True)
def _floor(value: Any) -> Any:
    return _integral(number("$floor", value), decimal.ROUND_FLOOR)


def _integral(value: Any, rounding: str) -> Any:
    """`_to_places` to none; a decimal of more than 34 digits before its point is NaN, as its library says."""
    if isinstance(value, Decimal128):
        exact = value.to_decimal()
        if exact.is_infinite() or (exact.is_finite() and exact != 0 and exact.adjusted() >= numeric.CONTEXT.prec):
            return Decimal128("NaN")
    return _to_places(value, 0, rounding)


def _rounding(name: str, rounding: str) -> None:
    @simple(name, 1, 2, nulls=True)
    def run(value: Any, places: Any = 0) -> Any:
        number(name, value, 51081)
        if not is_number(places):
            raise CommandError(16004, f"can't convert from BSON type {type_name(places)} to long in {name}")
        if isinstance(places, float) and not math.isfinite(places):
            raise CommandError(31109, f"can't coerce out of range value {places} to long in {name}")
        if isinstance(places, Decimal128) and places.to_decimal().is_infinite():
            raise CommandError(31109, f"can't coerce out of range value {places} to long in {name}")
        whole = numeric.as_integer(places)
        if whole is None:
            raise CommandError(51082, f"precision argument to {name} must be a integral value")
        if not -20 <= whole <= 100:
            raise CommandError(51083, f"cannot apply {name} with precision value {whole}: value must be in [-20, 100]")
        return _to_places(value, whole, rounding)


_rounding("$round", decimal.ROUND_HALF_EVEN)
_rounding("$trunc", decimal.ROUND_DOWN)


def _to_places(value: Any, places: int, rounding: str) -> Any:
    """Rounds without leaving the type; a double is rounded by its exact value. A long that overflows is refused."""
    if isinstance(value, float) and not math.isfinite(value):
        return value
    exact = Decimal(value) if isinstance(value, float) else numeric.to_decimal(value)
    if not exact.is_finite():
        return value
    padded = isinstance(value, Decimal128) and exact.adjusted() + 1 + places <= numeric.CONTEXT.prec
    if int(exact.as_tuple().exponent) >= -places and not padded:
        return value
    with decimal.localcontext(prec=2000):
        rounded = exact.quantize(Decimal(1).scaleb(-places), rounding=rounding)
    if isinstance(value, Decimal128):
        return numeric.from_decimal(rounded)
    if isinstance(value, float):
        return math.copysign(float(rounded), value)
    if not INT64_MIN <= int(rounded) <= INT64_MAX:
        raise CommandError(
            51080, f"invalid conversion from Decimal128 result in $round resulting from arguments: {value}"
        )
    return numeric.integer(int(rounded), value)


@simple("$pow", 2, nulls=True)
def _pow(base: Any, exponent: Any) -> Any:
    number("$pow", base, 28762), number("$pow", exponent, 28763)
    if is_nan(base) or is_nan(exponent):
        return numeric.multiply(base, exponent)
    if numeric.to_decimal(base) == 0 and numeric.to_decimal(exponent) < 0:
        raise CommandError(28764, "$pow cannot take a base of 0 and a negative exponent")
    if isinstance(base, Decimal128) or isinstance(exponent, Decimal128):
        return numeric.combine(base, exponent, _decimal_pow)
    if isinstance(base, float) or isinstance(exponent, float):
        return _float_pow(float(base), float(exponent))
    if abs(int(base)) <= 1:  # 0 to a negative power has been refused
        return (
            numeric.integer(int(base) ** (abs(int(exponent)) % 2 + 2), base, exponent)
            if exponent
            else _one(base, exponent)
        )
    if int(exponent) < 0 or int(exponent) > 64:
        return _float_pow(float(base), float(exponent))
    return numeric.integer(int(base) ** int(exponent), base, exponent)


def _one(base: Any, exponent: Any) -> Any:
    return numeric.integer(1, base, exponent)


def _decimal_pow(left: Decimal, right: Decimal) -> Decimal:
    """The library of decimals computes by logarithms: 34 digits always, no signed zero, and no largest decimal."""
    result = left**right
    if result == 0:
        return Decimal("0E-6176")
    if not result.is_finite() or right == 0:
        return result
    if abs(result) == _LARGEST and right != 0:
        return Decimal("Infinity").copy_sign(result)
    if right == 1 and left == 1:
        return result
    return result.quantize(Decimal((0, (1,), max(result.adjusted() - numeric.CONTEXT.prec + 1, -6176))))


_LARGEST = Decimal((0, (9,) * 34, 6111))


def _float_pow(base: float, exponent: float) -> float:
    try:
        result = base**exponent
    except OverflowError:
        return math.inf if base > 0 or exponent % 2 == 0 else -math.inf
    return math.nan if isinstance(result, complex) else result


def _transcendental(
    name: str, floats: Callable[[float], float], decimals: Callable[[Decimal], Decimal], accept: str, code: int
) -> None:
    @simple(name, 1, nulls=True)
    def run(value: Any) -> Any:
        number(name, value)
        if is_nan(value):
            return math.nan if accept == "positive" else value
        exact = numeric.to_decimal(value)
        if (accept == "positive" and exact <= 0) or (accept == "not negative" and exact < 0):
            raise CommandError(code, f"{name}'s argument must be a {accept} number, but is {value}")
        if isinstance(value, Decimal128):
            with decimal.localcontext(numeric.CONTEXT):
                found = decimals(exact)
                if name == "$exp" and found == 0:
                    return Decimal128("0E-6176" if exact.is_finite() else "0")
                return numeric.from_decimal(_short(found) if name in ("$exp", "$log10") else found)
        try:
            return floats(float(value))
        except OverflowError:
            return math.inf


def _short(value: Decimal) -> Decimal:
    """A whole number without the zeros behind its point."""
    return value.quantize(Decimal(1)) if value.is_finite() and value == value.to_integral_value() else value


_transcendental("$sqrt", math.sqrt, Decimal.sqrt, "not negative", 28714)
_transcendental("$exp", math.exp, Decimal.exp, "any", 0)
_transcendental("$ln", math.log, Decimal.ln, "positive", 28766)
_transcendental("$log10", math.log10, Decimal.log10, "positive", 28761)


@simple("$log", 2, nulls=True)
def _log(value: Any, base: Any) -> Any:
    number("$log", value, 28756), number("$log", base, 28757)
    if is_nan(value) or is_nan(base):
        return math.nan
    if numeric.to_decimal(value) <= 0:
        raise CommandError(28758, f"$log's argument must be a positive number, but is {value}")
    if numeric.to_decimal(base) <= 0 or numeric.to_decimal(base) == 1:
        raise CommandError(28759, f"$log's base must be a positive number not equal to 1, but is {base}")
    if isinstance(value, Decimal128) or isinstance(base, Decimal128):
        return numeric.combine(value, base, lambda left, right: left.ln() / right.ln())
    return math.log(float(value)) / math.log(float(base))


def _trigonometric(name: str, function: Callable[[float], float]) -> None:
    @simple(name, 1, nulls=True)
    def run(value: Any) -> float:
        if isinstance(number(name, value), Decimal128):
            raise not_supported(f"{name} of a decimal")
        try:
            return function(float(value))
        except ValueError:
            raise CommandError(50989, f"cannot apply {name} to {value}") from None


for _function in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"):
    _trigonometric(f"${_function}", getattr(math, _function))
_trigonometric("$degreesToRadians", math.radians)
_trigonometric("$radiansToDegrees", math.degrees)


@simple("$atan2", 2, nulls=True)
def _atan2(left: Any, right: Any) -> float:
    if isinstance(number("$atan2", left), Decimal128) or isinstance(number("$atan2", right), Decimal128):
        raise not_supported("$atan2 of a decimal")
    return math.atan2(float(left), float(right))


def _bitwise(name: str, start: int, how: Callable[[int, int], int]) -> None:
    @simple(name, 0, -1, nulls=True)
    def run(*values: Any) -> Any:
        result = start
        for value in values:
            if type_name(value) not in ("int", "long"):
                raise type_mismatch(f"{name} only supports int and long operands, not {type_name(value)}")
            result = how(result, int(value))
        return numeric.integer(result, *values)


_bitwise("$bitAnd", -1, lambda left, right: left & right)
_bitwise("$bitOr", 0, lambda left, right: left | right)
_bitwise("$bitXor", 0, lambda left, right: left ^ right)


@simple("$bitNot", 1, nulls=True)
def _bit_not(value: Any) -> Any:
    if type_name(value) not in ("int", "long"):
        raise type_mismatch(f"$bitNot only supports int and long, not: {type_name(value)}.")
    return numeric.integer(~int(value), value)


@simple("$isNumber", 1)
def _is_number(value: Any) -> bool:
    return is_number(value)


@special("$rand")
def _rand(argument: Any, _: Scope) -> Expression:
    if not isinstance(argument, dict | list):
        raise CommandError(10065, "invalid parameter: expected an object ($rand)")
    if argument:
        raise CommandError(3040501, "$rand does not currently accept arguments")
    return lambda document, variables: random.random()  # noqa: S311 - it is no secret
