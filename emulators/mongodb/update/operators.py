"""Update operators on one concrete place of a document. Each gets the old value and answers the new one.

UNCHANGED leaves the field alone; MISSING removes it. `$rename` is in apply.py, since it touches two places.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bson import Regex, Timestamp

from emulators.mongodb import numeric
from emulators.mongodb.errors import bad_value, failed_to_parse, type_mismatch
from emulators.mongodb.query.leaf import matches
from emulators.mongodb.query.match import compile_elem_match, compile_filter, is_operators
from emulators.mongodb.query.sort import element_order
from emulators.mongodb.values import MISSING, Document, clone, is_number, key, type_name


class Unchanged(enum.Enum):
    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


_last_time = Timestamp(1, 0)


def server_time() -> Timestamp:
    """The server's time, each later than the one before: within a second they are counted."""
    global _last_time
    now = int(time.time())
    _last_time = Timestamp(now, 1) if now > _last_time.time else Timestamp(_last_time.time, _last_time.inc + 1)
    return _last_time


@dataclass(frozen=True)
class Target:
    """What is being updated, for operators and their messages."""

    id: Any
    field: str
    inserting: bool


Operator = Callable[[Any, Any, Target], Any]


def _set(_: Any, operand: Any, __: Target) -> Any:
    return clone(operand)


def _set_on_insert(_: Any, operand: Any, target: Target) -> Any:
    return clone(operand) if target.inserting else UNCHANGED


def _unset(_: Any, __: Any, ___: Target) -> Any:
    return MISSING


def _arithmetic(name: str, verb: str, start: Callable[[Any], Any], how: Callable[..., Any]) -> Operator:
    def operator(old: Any, operand: Any, target: Target) -> Any:
        if not is_number(operand):
            raise type_mismatch(f"Cannot {verb} with non-numeric argument: {{{target.field}: {operand!r}}}")
        if old is MISSING:
            return start(operand)
        if not is_number(old):
            raise type_mismatch(
                f"Cannot apply {name} to a value of non-numeric type. {{_id: {target.id!r}}} has the field "
                f"'{target.field}' of non-numeric type {type_name(old)}"
            )
        result = how(old, operand, strict=True)
        if result is None:
            raise bad_value(
                f"Failed to apply {name} operations to current value ({old}) for document {{_id: {target.id!r}}}"
            )
        # What compares equal is not written: a zero keeps its sign.
        return UNCHANGED if type_name(result) == type_name(old) and is_zero(result) and is_zero(old) else result

    return operator


def is_zero(value: Any) -> bool:
    return bool(numeric.to_decimal(value) == 0)


def _zero_like(operand: Any) -> Any:
    return numeric.multiply(operand, 0)


def _bound(keep_smaller: bool) -> Operator:
    def operator(old: Any, operand: Any, _: Target) -> Any:
        if old is MISSING:
            return clone(operand)
        smaller = key(operand) < key(old)
        replace = smaller if keep_smaller else key(operand) > key(old)
        return clone(operand) if replace else UNCHANGED

    return operator


def _current_date(_: Any, operand: Any, __: Target) -> Any:
    kind = operand.get("$type") if isinstance(operand, dict) and list(operand) == ["$type"] else operand
    if kind is True or kind is False or kind == "date":
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)
    if kind == "timestamp":
        return server_time()
    raise bad_value("$currentDate takes true, {$type: 'date'} or {$type: 'timestamp'}")


def _array(old: Any, target: Target, operator: str) -> list[Any]:
    if old is MISSING:
        return []
    if type(old) is not list:
        raise bad_value(
            f"The field '{target.field}' must be an array but is of type {type_name(old)} in document "
            f"{{_id: {target.id!r}}} ({operator})"
        )
    return list(old)


def _push(old: Any, operand: Any, target: Target) -> Any:
    array = _array(old, target, "$push")
    if not (isinstance(operand, dict) and "$each" in operand):
        return [*array, clone(operand)]
    for name in operand:
        if name not in ("$each", "$slice", "$sort", "$position"):
            raise bad_value(f"Unrecognized clause in $push: {name}")
    if not isinstance(operand["$each"], list):
        raise bad_value("The argument to $each in $push must be an array")
    position = _modifier("$position", operand, len(array))
    place = position if position >= 0 else max(len(array) + position, 0)
    array[place:place] = clone(operand["$each"])
    if "$sort" in operand:
        array.sort(key=element_order(operand["$sort"]))
    if "$slice" in operand:
        count = _modifier("$slice", operand, 0)
        array = array[:count] if count >= 0 else array[count:]
    return array


def _modifier(name: str, operand: Document, default: int) -> int:
    if name not in operand:
        return default
    whole = numeric.as_integer(operand[name])
    if whole is None:
        raise bad_value(f"The value for {name} must be a whole number, not {operand[name]!r}")
    return whole


def _add_to_set(old: Any, operand: Any, target: Target) -> Any:
    array = _array(old, target, "$addToSet")
    each = isinstance(operand, dict) and next(iter(operand), "") == "$each"
    if each and not isinstance(operand["$each"], list):
        raise type_mismatch("The argument to $each in $addToSet must be an array")
    if each and len(operand) > 1:
        raise bad_value(f"Found unexpected fields after $each in $addToSet: {operand}")
    items = operand["$each"] if each else [operand]
    seen = {key(item) for item in array}
    added = []
    for item in items:
        if key(item) not in seen:
            seen.add(key(item))
            added.append(clone(item))
    return array + added if added or old is MISSING else UNCHANGED


def _pop(old: Any, operand: Any, target: Target) -> Any:
    end = numeric.as_integer(operand)
    if end not in (1, -1):
        raise failed_to_parse("$pop expects 1 or -1")
    if old is MISSING:
        return UNCHANGED
    if type(old) is not list:
        raise type_mismatch(f"Path '{target.field}' contains an element of non-array type '{type_name(old)}'")
    return old[:-1] if end == 1 else old[1:]


def _pull(old: Any, operand: Any, target: Target) -> Any:
    if old is MISSING:
        return UNCHANGED
    array = _array(old, target, "$pull")
    test = _pull_test(operand)
    return [item for item in array if not test(item)]


def _pull_test(operand: Any) -> Callable[[Any], bool]:
    if isinstance(operand, Regex):
        return matches(operand)
    if is_operators(operand):
        return compile_elem_match(operand)
    if isinstance(operand, dict):
        fields = compile_filter(operand)
        return lambda item: type(item) is dict and fields(item)
    wanted = key(operand)
    return lambda item: key(item) == wanted


def _pull_all(old: Any, operand: Any, target: Target) -> Any:
    if not isinstance(operand, list):
        raise bad_value("$pullAll requires an array argument")
    if old is MISSING:
        return UNCHANGED
    unwanted = {key(item) for item in operand}
    return [item for item in _array(old, target, "$pullAll") if key(item) not in unwanted]


_BITS: dict[str, Callable[[int, int], int]] = {
    "and": lambda left, right: left & right,
    "or": lambda left, right: left | right,
    "xor": lambda left, right: left ^ right,
}


def _bit(old: Any, operand: Any, target: Target) -> Any:
    if not isinstance(operand, dict) or not operand:
        raise bad_value("The $bit modifier takes an object such as {and: 5}")
    result: Any = 0 if old is MISSING else old
    if type_name(result) not in ("int", "long"):
        raise bad_value(f"Cannot apply $bit to a value of non-integral type: {target.field} is {type_name(result)}")
    for name, mask in operand.items():
        if name not in _BITS or type_name(mask) not in ("int", "long"):
            raise bad_value(f"The $bit modifier knows and, or and xor with whole numbers, not {name}: {mask!r}")
        result = numeric.integer(functools.partial(_BITS[name], int(result))(int(mask)), result, mask)
    return result


OPERATORS: dict[str, Operator] = {
    "$set": _set,
    "$setOnInsert": _set_on_insert,
    "$unset": _unset,
    "$inc": _arithmetic("$inc", "increment", lambda operand: operand, numeric.add),
    "$mul": _arithmetic("$mul", "multiply", _zero_like, numeric.multiply),
    "$min": _bound(keep_smaller=True),
    "$max": _bound(keep_smaller=False),
    "$currentDate": _current_date,
    "$push": _push,
    "$addToSet": _add_to_set,
    "$pop": _pop,
    "$pull": _pull,
    "$pullAll": _pull_all,
    "$bit": _bit,
}
