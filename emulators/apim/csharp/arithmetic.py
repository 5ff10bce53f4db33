"""Arithmetic as C# does it: whole numbers wrap around, division cuts towards zero, shifts take what fits the type."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from emulators.apim.csharp import decimals
from emulators.apim.csharp.clr import ClrError
from emulators.apim.csharp.clr_types import BITS, DECIMAL, DOUBLE, T, wrap


def divide(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        if right == 0:
            raise ClrError("DivideByZeroException", "Attempted to divide by zero.")
        return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return left / right if right else float("nan") if not left else float("inf") * (1 if left > 0 else -1)


def remainder(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        return left - right * divide(left, right)
    return math.fmod(left, right) if right else math.nan


def arithmetic(sign: str, type_: T) -> Callable[[Any, Any], Any]:
    """The operator on two numbers, as the type of their result computes it."""
    return decimals.operation(sign) if type_ == DECIMAL else wrapping(ARITHMETIC[sign], type_)


def wrapping(apply: Callable[[Any, Any], Any], type_: T) -> Callable[[Any, Any], Any]:
    bits = BITS.get(type_.name)
    if type_ == DOUBLE:
        return lambda left, right: apply(float(left), float(right))
    if bits is None:
        return apply

    def within(left: Any, right: Any) -> int:
        return wrap(apply(left, right), bits)

    return within


def shift(apply: Callable[[int, int], int], type_: T) -> Callable[[Any, Any], Any]:
    mask = BITS[type_.name] - 1
    return wrapping(lambda left, right: apply(left, right & mask), type_)


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divide,
    "%": remainder,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
SHIFTS: dict[str, Callable[[int, int], int]] = {"<<": operator.lshift, ">>": operator.rshift}


UNARY: dict[str, Callable[[Any], Any]] = {
    "!": operator.not_,
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
}
