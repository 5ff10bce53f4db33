"""How .NET values behave: exceptions, text, equality. Chars are one-letter strings, arrays and lists are lists."""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from emulators.apim.csharp.clr_types import UNSPECIFIED, ancestry

#: A policy expression may not build anything larger: characters of a text, elements of a collection.
MAX_SIZE = 8 * 1024 * 1024
MAX_ITEMS = 1024 * 1024


class ClrError(Exception):
    """A .NET exception in flight; `type_name` decides which catch takes it."""

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(message)
        self.type_name = type_name
        self.message = message

    def is_a(self, type_name: str) -> bool:
        return type_name in ancestry(self.type_name)


class EvaluationLimit(Exception):
    """The expression ran too long or built too much. No catch clause takes it."""


#: What Python raises where a member was given a null, or a value it cannot take.
PYTHON_ERRORS = (TypeError, AttributeError, ValueError, LookupError, ArithmeticError)
#: What it raises where there is no room left.
PYTHON_LIMITS = (RecursionError, MemoryError)


def translated(error: Exception) -> ClrError:
    """The .NET exception that stands for a Python one: a null where none may be, else an invalid operation."""
    if isinstance(error, TypeError | AttributeError):
        return ClrError("ArgumentNullException", "Value cannot be null, or is not of the type that is needed.")
    return ClrError("InvalidOperationException", "Operation is not valid due to the current state of the object.")


def null_reference() -> ClrError:
    return ClrError("NullReferenceException", "Object reference not set to an instance of an object.")


def null_argument(name: str) -> ClrError:
    return ClrError("ArgumentNullException", f"Value cannot be null. Parameter name: {name}")


def key_not_found() -> ClrError:
    return ClrError("KeyNotFoundException", "The given key was not present in the dictionary.")


@dataclass(frozen=True)
class Pair:
    """KeyValuePair<,>."""

    key: Any
    value: Any


class JToken:
    """A view on parsed JSON: `raw` is the plain Python value, shared with every other view on it."""

    __slots__ = ("raw",)

    def __init__(self, raw: Any) -> None:
        self.raw = raw


class JObject(JToken):
    __slots__ = ()


class JArray(JToken):
    __slots__ = ()


class JValue(JToken):
    __slots__ = ()


class JProperty(JToken):
    """`raw` is the value; the name is beside it."""

    __slots__ = ("name",)

    def __init__(self, name: str, raw: Any) -> None:
        super().__init__(raw)
        self.name = name


def wrap(raw: Any) -> JToken:
    """The view for a plain JSON value; JSON null is a JValue, not a missing token."""
    if isinstance(raw, dict):
        return JObject(raw)
    return JArray(raw) if isinstance(raw, list) else JValue(raw)


def unwrap(value: Any) -> Any:
    """The plain JSON value of whatever Newtonsoft.Json converts to a token."""
    if isinstance(value, JToken):
        return value.raw
    if isinstance(value, list | tuple | set):
        return [unwrap(item) for item in value]
    if isinstance(value, Mapping):
        return {to_text(key): unwrap(item) for key, item in value.items()}
    if value is None or isinstance(value, str | bool | int | float | Decimal):
        return value
    return iso(value) if isinstance(value, datetime) else to_text(value)


def iso(value: datetime) -> str:
    """Newtonsoft.Json's date format: ISO 8601 without trailing zeros."""
    text = value.replace(tzinfo=None).isoformat()
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text + ("Z" if value.tzinfo is UTC else "" if value.tzinfo is UNSPECIFIED else "+00:00")


def utf8(text: str) -> bytes:
    """As Encoding.UTF8 writes it: a surrogate without its other half is U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def to_json(raw: Any, *, indented: bool) -> str:
    """Newtonsoft.Json writes what is no number of JSON as a text (FloatFormatHandling.String)."""
    measured(raw)
    try:
        return _dumped(raw, indented=indented)
    except ValueError:
        return _dumped(_spelt(raw), indented=indented)


def _spelt(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {name: _spelt(item) for name, item in raw.items()}
    if isinstance(raw, list):
        return [_spelt(item) for item in raw]
    return _float_text(raw) if isinstance(raw, float) and not math.isfinite(raw) else raw


def _dumped(raw: Any, *, indented: bool) -> str:
    """A decimal is written with all its digits, and with one after the point at least (JsonConvert.ToString)."""
    mark, decimals = secrets.token_hex(8), list[str]()

    def number(value: Decimal) -> str:
        text = decimal_text(value)
        decimals.append(text if "." in text else f"{text}.0")
        return mark

    separators = None if indented else (",", ":")
    text = json.dumps(
        raw, ensure_ascii=False, indent=2 if indented else None, separators=separators, allow_nan=False, default=number
    )
    if decimals:
        found = iter(decimals)
        text = re.sub(f'"{mark}"', lambda _: next(found), text)
    return text.replace("\n", "\r\n") if indented else text


def measured(raw: Any) -> None:
    """Raises EvaluationLimit where JSON holds more than MAX_ITEMS values: what holds itself twice doubles."""
    if not isinstance(raw, dict | list):
        return
    queue, left = [raw], MAX_ITEMS
    while queue:
        container = queue.pop()
        left -= len(container)
        if left < 0:
            raise _too_large()
        items = container.values() if isinstance(container, dict) else container
        queue.extend([item for item in items if item.__class__ is dict or item.__class__ is list])


_SPELLED = (str, int, UUID)


def to_text(value: Any) -> str:
    """`ToString()` in the invariant culture; null is the empty string, as in concatenation."""
    if value.__class__ is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, _SPELLED):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, Decimal):
        return decimal_text(value)
    return _object_text(value)


def decimal_text(value: Decimal) -> str:
    """With all its digits, and no sign before zero."""
    return f"{value.copy_abs() if value.is_zero() else value:f}"


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value).upper()


def _object_text(value: Any) -> str:
    if isinstance(value, JProperty):
        return f'"{value.name}": {to_json(value.raw, indented=True)}'
    if isinstance(value, JValue):
        return to_text(value.raw)
    if isinstance(value, JToken):
        return to_json(value.raw, indented=True)
    if isinstance(value, datetime):
        return f"{value.month:02}/{value.day:02}/{value.year:04} {value:%H:%M:%S}"
    if isinstance(value, timedelta):
        return timespan_text(value)
    if isinstance(value, list):
        return "System.Object[]"
    return str(value)


def timespan_text(value: timedelta) -> str:
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    text = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    text = f"{value.days}.{text}" if value.days else text
    return sign + (f"{text}.{value.microseconds:06}0" if value.microseconds else text)


def equals(left: Any, right: Any) -> bool:
    """`==` on what the type checker let through: values by value, JSON tokens by identity of what they view."""
    if isinstance(left, JToken) and isinstance(right, JToken):
        return left is right or (left.raw is right.raw and isinstance(left.raw, dict | list))
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, list | dict):
        return left is right
    return bool(left == right)


def iterate(value: Any) -> Iterable[Any]:
    """What foreach and LINQ see."""
    if isinstance(value, list | str | tuple | set):
        return value
    if value is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    if isinstance(value, JObject):
        return [Pair(name, wrap(item)) for name, item in value.raw.items()]
    if isinstance(value, JToken):
        return [wrap(item) for item in value.raw] if isinstance(value.raw, list) else []
    if isinstance(value, Mapping):
        return [Pair(key, item) for key, item in value.items()]
    found: Iterator[Any] = iter(value)
    return list(found)


def limited(value: Any) -> Any:
    """`value`, unless it has grown past MAX_SIZE or MAX_ITEMS."""
    kind = value.__class__
    if kind is str:
        if len(value) > MAX_SIZE:
            raise _too_large()
    elif kind is list and len(value) > MAX_ITEMS:
        raise _too_large()
    return value


def _too_large() -> EvaluationLimit:
    return EvaluationLimit(f"an expression built more than {MAX_SIZE} characters or {MAX_ITEMS} elements")


def room(characters: int) -> int:
    """The number, unless a text of so many characters may not be built. To be asked before it is."""
    if characters > MAX_SIZE:
        raise _too_large()
    return characters


def room_for_items(count: int) -> int:
    """The same for the elements of a collection. A negative count is an exception, as in .NET."""
    if count > MAX_ITEMS:
        raise _too_large()
    if count < 0:
        raise ClrError("ArgumentOutOfRangeException", "Specified argument was out of the range of valid values.")
    return count
