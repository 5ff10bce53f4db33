"""Tests of one value: what `$eq`, `$gt`, `$in`, `$type`, `$mod`, `$regex` and the `$bits…` operators ask of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bson import Binary, MaxKey, MinKey, Regex

from emulators.mongodb.errors import bad_value, failed_to_parse, type_mismatch
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.regex import held_regex
from emulators.mongodb.values import (
    INT32_MAX,
    INT64_MAX,
    MISSING,
    NUMERIC,
    TYPE_CODES,
    TYPE_NAMES,
    is_number,
    key,
    rank,
    text_key,
    type_name,
)

Test = Callable[[Any], bool]


def equals(operand: Any) -> Test:
    """Null also matches a missing field; numbers match across types; true is not 1."""
    if operand is None:
        return lambda value: value is None or value is MISSING
    if type(operand) is str and text_key() is None:
        return lambda value: type(value) is str and value == operand
    wanted = key(operand)
    return lambda value: key(value) == wanted


def matches(pattern: Any, options: str = "") -> Test:
    """Text that the expression finds, or a stored regular expression that is the same one."""
    compiled = held_regex(pattern, options)
    same = (50, compiled.pattern, "".join(sorted(letter for letter in compiled.options if letter != "u")))

    def test(value: Any) -> bool:
        if type(value) is str:
            return compiled.search(value) is not None
        return type(value) is Regex and key(value) == same

    return test


def within(operand: Any) -> Test:
    if not isinstance(operand, list):
        raise bad_value("$in needs an array")
    patterns = [matches(item) for item in operand if isinstance(item, Regex)]
    if any(isinstance(item, dict) and next(iter(item), "").startswith("$") and "$ref" not in item for item in operand):
        raise bad_value("cannot nest $ under $in")
    wanted = {key(item) for item in operand if not isinstance(item, Regex)}
    if None in operand:
        wanted.add(key(MISSING))
    if not patterns:
        return lambda value: key(value) in wanted
    return lambda value: key(value) in wanted or any(pattern(value) for pattern in patterns)


def ordered(name: str, operand: Any) -> Test:
    """`$gt`, `$gte`, `$lt`, `$lte`: values of the operand's own type only (the manual's "type bracketing")."""
    if isinstance(operand, Regex | re.Pattern):
        raise bad_value(f"Can't have RegEx as arg to predicate over field '{name}'.")
    if isinstance(operand, MinKey | MaxKey):
        # These are compared with values of every type: all are above the one and below the other.
        end, same = rank(operand), name in ("$gte", "$lte")
        others = name in ("$gt", "$gte") if isinstance(operand, MinKey) else name in ("$lt", "$lte")
        return lambda value: same if rank(value) == end else others
    if operand is None:
        return equals(None) if name in ("$gte", "$lte") else lambda _: False
    bound = key(operand)
    if bound == (10, 0):
        return equals(operand) if name in ("$gte", "$lte") else lambda _: False
    family, compare = bound[0], _COMPARE[name]

    def test(value: Any) -> bool:
        found = key(value)
        return found[0] == family and found != (10, 0) and compare(found, bound)

    return test


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda found, bound: found > bound,
    "$gte": lambda found, bound: found >= bound,
    "$lt": lambda found, bound: found < bound,
    "$lte": lambda found, bound: found <= bound,
}


def of_type(operand: Any) -> Test:
    wanted: set[str] = set()
    for item in operand if isinstance(operand, list) else [operand]:
        wanted |= type_names(item)
    if not wanted:
        raise failed_to_parse("$type must match at least one type")
    return lambda value: type_name(value) in wanted


def type_names(item: Any) -> set[str]:
    """The types that an alias or number stands for; "number" stands for four."""
    if type(item) is not str and not is_number(item):
        raise type_mismatch(f"type must be represented as a number or a string, not {type_name(item)}")
    if item == "number":
        return set(NUMERIC)
    if type(item) is str and item in TYPE_CODES:
        return {item}
    number = as_integer(item)
    if number in TYPE_NAMES:
        return {TYPE_NAMES[number]}
    raise bad_value(f"Unknown type name alias or code: {item!r}")


def modulo(operand: Any) -> Test:
    if not isinstance(operand, list) or len(operand) != 2:
        raise bad_value("malformed mod, needs to be an array of two numbers")
    if not all(is_number(item) for item in operand):
        raise bad_value("malformed mod, divisor and remainder must be numbers")
    divisor, remainder = _truncated(operand[0]), _truncated(operand[1])
    if any(number is None or not -INT64_MAX - 1 <= number <= INT64_MAX for number in (divisor, remainder)):
        raise bad_value("malformed mod, divisor and remainder must be finite and fit into 64 bits")
    assert divisor is not None
    if divisor == 0:
        raise bad_value("divisor cannot be 0")
    sign = 1 if divisor > 0 else -1

    def test(value: Any) -> bool:
        number = _truncated(value) if is_number(value) else None
        if number is None or not -INT64_MAX - 1 <= number <= INT64_MAX:
            return False
        rest = abs(number) % (divisor * sign)
        return (rest if number >= 0 else -rest) == remainder

    return test


def _truncated(value: Any) -> int | None:
    try:
        return int(value if not hasattr(value, "to_decimal") else value.to_decimal())
    except (OverflowError, ValueError, ArithmeticError):
        return None


def bits(name: str, operand: Any) -> Test:
    """`$bitsAllSet`, `$bitsAnySet`, `$bitsAllClear`, `$bitsAnyClear`, over whole numbers and binary data.

    Beyond its 64 bits a number has its sign for ever; beyond its end binary data has zeros.
    """
    positions = _positions(name, operand)
    wide = sum({1 << min(position, 63) for position in positions})
    decide = BITS[name]

    def test(value: Any) -> bool:
        if isinstance(value, bytes | Binary):
            data = value[4:] if getattr(value, "subtype", 0) == OLD_BINARY and len(value) >= 4 else value
            size = len(data) * 8
            mask = sum({1 << min(position, size) for position in positions})
            return decide(int.from_bytes(data, "little"), mask)
        number = as_integer(value)
        return number is not None and -(2**63) <= number < 2**63 and decide(number, wide)

    return test


OLD_BINARY = 2
BITS: dict[str, Callable[[int, int], bool]] = {
    "$bitsAllSet": lambda number, mask: number & mask == mask,
    "$bitsAnySet": lambda number, mask: number & mask != 0,
    "$bitsAllClear": lambda number, mask: number & mask == 0,
    "$bitsAnyClear": lambda number, mask: number & mask != mask,
}


def _positions(name: str, operand: Any) -> list[int]:
    if isinstance(operand, list):
        found = []
        for item in operand:
            if not is_number(item):
                raise bad_value(f"bit positions must be an integer but got: {item!r}")
            position = as_integer(item)
            if position is None or not 0 <= position <= INT32_MAX:
                raise bad_value(f"bit positions must be whole numbers from 0 to {INT32_MAX}, not {item!r}")
            found.append(position)
        return found
    if isinstance(operand, bytes | Binary):
        mask = int.from_bytes(operand, "little")
    elif is_number(operand):
        number = as_integer(operand)
        if number is None or not 0 <= number <= INT64_MAX:
            raise failed_to_parse(f"{name} takes a nonnegative whole number, not {operand!r}")
        mask = number
    else:
        raise bad_value(f"{name} takes an Array, a number, or a BinData but received: {type_name(operand)}")
    return [position for position in range(mask.bit_length()) if mask >> position & 1]
