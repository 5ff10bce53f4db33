"""BSON values: their types, and the one order that MongoDB compares, sorts and groups by.

The order is the manual's "Comparison/Sort Order": MinKey, null, numbers, text, object, array, binary, ObjectId, bool,
date, timestamp, regular expression, code, MaxKey. `key` turns a value into a tuple that Python compares in that order,
so equality, hashing and sorting all share it: 1, 1.0 and Decimal128("1") are one value, and `true` is not 1.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

Document = dict[str, Any]
Key = tuple[Any, ...]

EPOCH = dt.datetime(1970, 1, 1)
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class Missing(enum.Enum):
    """A field that is not there; distinct from null."""

    MISSING = "missing"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING

TYPE_CODES = {
    "double": 1, "string": 2, "object": 3, "array": 4, "binData": 5, "undefined": 6, "objectId": 7, "bool": 8,
    "date": 9,     "null": 10, "regex": 11, "dbPointer": 12, "javascript": 13, "symbol": 14,
    "javascriptWithScope": 15, "int": 16,
    "timestamp": 17, "long": 18, "decimal": 19, "minKey": -1, "maxKey": 127,
}  # fmt: skip
TYPE_NAMES = {code: name for name, code in TYPE_CODES.items()}
NUMERIC = frozenset({"int", "long", "double", "decimal"})


def type_name(value: Any) -> str:
    """The `$type` alias of a value; "missing" for a field that is not there."""
    kind = type(value)
    if kind is int:
        return "int" if INT32_MIN <= value <= INT32_MAX else "long"
    if kind is Code:
        return "javascript" if value.scope is None else "javascriptWithScope"
    name = _NAME_OF_TYPE.get(kind)
    if name is None:
        if isinstance(value, list):
            return "array"
        raise TypeError(f"{kind.__name__} is not a BSON type this server decodes")
    return name


_NAME_OF_TYPE: dict[type, str] = {
    Missing: "missing", type(None): "null", bool: "bool", float: "double", Int64: "long", Decimal128: "decimal",
    str: "string",     dict: "object", DBRef: "object", list: "array", bytes: "binData", Binary: "binData",
    ObjectId: "objectId",
    dt.datetime: "date", DatetimeMS: "date", Timestamp: "timestamp", Regex: "regex", re.Pattern: "regex",
    MinKey: "minKey", MaxKey: "maxKey",
}  # fmt: skip


def millis(value: dt.datetime | DatetimeMS) -> int:
    """Milliseconds since 1970 UTC, the way BSON stores a date."""
    if isinstance(value, DatetimeMS):
        return int(value)
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    delta = value - EPOCH
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000


def from_millis(value: int) -> dt.datetime | DatetimeMS:
    """The inverse of `millis`; dates beyond Python's calendar stay a DatetimeMS."""
    try:
        return EPOCH + dt.timedelta(milliseconds=value)
    except OverflowError:
        return DatetimeMS(value)


def is_number(value: Any) -> bool:
    return type(value) in _NUMBER_TYPES


def is_nan(value: Any) -> bool:
    if type(value) is float:
        return math.isnan(value)
    return type(value) is Decimal128 and value.to_decimal().is_nan()


_NUMBER_TYPES = frozenset({int, Int64, float, Decimal128})


def key(value: Any) -> Key:
    """A hashable tuple that orders values as MongoDB does, texts by the running command's collation."""
    return (_KEY_OF.get(type(value)) or _key_of_other)(value)


def _key_of_int(value: int) -> Key:
    return (10, 1, value)


def _key_of_float(value: float) -> Key:
    return (10, 0) if value != value else (10, 1, value)


def _key_of_decimal(value: Decimal128) -> Key:
    number = value.to_decimal()
    return (10, 0) if number.is_nan() else (10, 1, _plain(number))


def _plain(number: Decimal) -> Decimal | float:
    # Python refuses to order a float infinity and a Decimal infinity only for NaN; a float keeps hashes equal.
    return float(number) if number.is_infinite() else number


def _key_of_dict(value: Document) -> Key:
    # Objects compare field by field: type first, then name, then value; a shorter object comes first.
    parts = []
    for name, item in value.items():
        item_key = key(item)
        parts.append((item_key[0], name, item_key))
    return (20, tuple(parts))


def _key_of_list(value: list[Any]) -> Key:
    return (25, tuple([key(item) for item in value]))


def _key_of_binary(value: bytes) -> Key:
    # The old subtype 2 is compared as the largest (the server's `compareElementValues`).
    subtype = getattr(value, "subtype", 0)
    return (30, len(value), 256 if subtype == 2 else subtype, bytes(value))


def _key_of_regex(value: Regex[Any] | re.Pattern[Any]) -> Key:
    return (50, str(value.pattern), regex_options(value.flags))


def _key_of_code(value: Code) -> Key:
    return (60, str(value)) if value.scope is None else (65, str(value), key(dict(value.scope)))


def _key_of_other(value: Any) -> Key:
    if isinstance(value, list):
        return _key_of_list(value)
    raise TypeError(f"{type(value).__name__} is not a BSON type this server decodes")


_KEY_OF: dict[type, Callable[[Any], Key]] = {
    Missing: lambda _: (-1,),
    MinKey: lambda _: (-2,),
    type(None): lambda _: (5,),
    int: _key_of_int,
    Int64: lambda value: (10, 1, int(value)),
    float: _key_of_float,
    Decimal128: _key_of_decimal,
    str: lambda value: (15, value),
    dict: _key_of_dict,
    DBRef: lambda value: _key_of_dict(dict(value.as_doc())),
    list: _key_of_list,
    bytes: _key_of_binary,
    Binary: _key_of_binary,
    ObjectId: lambda value: (35, value.binary),
    bool: lambda value: (40, value),
    dt.datetime: lambda value: (45, millis(value)),
    DatetimeMS: lambda value: (45, int(value)),
    Timestamp: lambda value: (47, value.time, value.inc),
    Regex: _key_of_regex,
    re.Pattern: _key_of_regex,
    Code: _key_of_code,
    MaxKey: lambda _: (127,),
}


_plain_text = _KEY_OF[str]


def text_key() -> Callable[[str], Key] | None:
    """How texts are compared at the moment; None for code points."""
    return None if _KEY_OF[str] is _plain_text else _KEY_OF[str]


def use_text_key(function: Callable[[str], Key] | None) -> None:
    """From now on texts are compared by this function's keys, wherever they stand in a value; None for code points."""
    _KEY_OF[str] = _plain_text if function is None else function


def key_with(value: Any, function: Callable[[str], Key] | None) -> Key:
    """`key` with texts compared by another function than the running command's."""
    running = _KEY_OF[str]
    _KEY_OF[str] = _plain_text if function is None else function
    try:
        return key(value)
    finally:
        _KEY_OF[str] = running


def rank(value: Any) -> int:
    """The place of a value's type in the comparison order; types of one rank compare by value."""
    return int(key(value)[0])


def equal(left: Any, right: Any) -> bool:
    return key(left) == key(right)


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1, as `$cmp` answers."""
    first, second = key(left), key(right)
    return (first > second) - (first < second)


def truthy(value: Any) -> bool:
    """An expression's value as a condition: false, null, missing and zero are false; everything else is true."""
    if value is None or value is MISSING or value is False:
        return False
    if type(value) is Decimal128:
        return bool(value.to_decimal() != 0)
    return not (is_number(value) and value == 0)


def clone(value: Any) -> Any:
    """A copy that shares nothing mutable with the stored document."""
    if type(value) is dict:
        return {name: clone(item) for name, item in value.items()}
    if type(value) is list:
        return [clone(item) for item in value]
    return value


_OPTION_FLAGS = (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL), ("x", re.VERBOSE))


def regex_options(flags: int) -> str:
    """BSON option letters, in alphabetical order, of Python flags."""
    return "".join(letter for letter, flag in _OPTION_FLAGS if flags & flag)


def same_bits(left: Any, right: Any) -> bool:
    """Whether two values are stored alike: equal, of one BSON type throughout, with fields in one order."""
    if type(left) is not type(right):
        return type(left) in (int, Int64) and type_name(left) == type_name(right) and int(left) == int(right)
    if type(left) is dict:
        return list(left) == list(right) and all(same_bits(left[name], right[name]) for name in left)
    if type(left) is list:
        return len(left) == len(right) and all(map(same_bits, left, right))
    if type(left) is Decimal128:
        return bool(left.bid == right.bid)
    if type(left) is str:
        return bool(left == right)
    return key(left) == key(right)
