"""Casts and type tests on values."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from emulators.apim.csharp import decimals
from emulators.apim.csharp.clr import ClrError, JArray, JObject, JProperty, JToken, JValue, Pair, to_text, wrap
from emulators.apim.csharp.clr_types import BITS, DICTIONARIES, NUMERIC, SEQUENCES, T, is_reference
from emulators.apim.csharp.clr_types import wrap as wrap_integer

_CLASSES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "bool": bool,
    "JToken": JToken,
    "JContainer": (JObject, JArray, JProperty),
    "JObject": JObject,
    "JArray": JArray,
    "JValue": JValue,
    "JProperty": JProperty,
    "DateTime": datetime,
    "TimeSpan": timedelta,
    "Guid": UUID,
    "KeyValuePair": Pair,
    "double": float,
    "decimal": Decimal,
    "char": str,
}


def register_class(name: str, class_: type) -> None:
    """Lets `is`, `as` and casts recognise a runtime class under its C# name."""
    _CLASSES[name] = class_


def instance_test(type_: T) -> Callable[[Any], bool]:
    """`x is T` on a boxed value."""
    if type_.name == "Nullable":
        return instance_test(type_.args[0])
    if type_.name == "object":
        return lambda value: value is not None
    if type_.name in ("int", "long", "byte"):
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    if type_.name in SEQUENCES:
        return lambda value: isinstance(value, list | set)
    if type_.name in DICTIONARIES:
        return lambda value: isinstance(value, dict)
    if type_.name.endswith("Exception"):
        return lambda value: isinstance(value, ClrError) and value.is_a(type_.name)
    class_ = _CLASSES.get(type_.name)
    if class_ is None:
        return lambda value: value is not None and type(value).__name__ == type_.name
    return lambda value: isinstance(value, class_)


def converter(source: T, target: T) -> Callable[[Any], Any]:
    """What `(target)value` does when it runs."""
    if source.name == "Nullable":
        source = source.args[0]
    if source.name in ("JToken", "JValue", "JProperty") and not target.name.startswith("J") and target.name != "object":
        return lambda value: _from_token(value, target)
    if {source.name, target.name} <= {*NUMERIC, "char"}:
        return lambda value: _numeric(value, target)
    if target.name == "JToken" and not source.name.startswith("J") and source.name != "object":
        return lambda value: value if isinstance(value, JToken) else wrap(value)
    return _checked(source, target)


def _checked(source: T, target: T) -> Callable[[Any], Any]:
    test = instance_test(target)

    def convert(value: Any) -> Any:
        if value is None:
            if is_reference(target) or target.name == "Nullable":
                return None
            raise ClrError("NullReferenceException", "Object reference not set to an instance of an object.")
        if target.name == "object" or test(value):
            return value
        raise invalid_cast(value, target)

    return convert


def invalid_cast(value: Any, target: T) -> ClrError:
    return ClrError("InvalidCastException", f"Unable to cast object of type '{clr_name(value)}' to type '{target}'.")


def clr_name(value: Any) -> str:
    """The type name of a value, as exceptions show it."""
    names = {str: "System.String", bool: "System.Boolean", int: "System.Int32", float: "System.Double"}
    names |= {Decimal: "System.Decimal"}
    if isinstance(value, JToken):
        return f"Newtonsoft.Json.Linq.{type(value).__name__}"
    return names.get(type(value), type(value).__name__)


#: From, and up to but without.
_INTEGERS = {"byte": (0, 256), "char": (0, 2**16), "int": (-(2**31), 2**31), "long": (-(2**63), 2**63)}


def _numeric(value: Any, target: T) -> Any:
    if isinstance(value, str):
        value = ord(value)
    if isinstance(value, Decimal) and target.name not in ("double", "decimal"):
        value = decimals.to_integer(value, *_INTEGERS[target.name])
    if target.name == "char":
        return chr(value)
    if target.name == "double":
        return float(value)
    if target.name == "decimal":
        return decimals.of_number(value)
    if isinstance(value, float) and not math.isfinite(value):
        return -(1 << (BITS.get(target.name, 1) - 1))
    return int(value) % 256 if target.name == "byte" else wrap_integer(int(value), BITS[target.name])


def _from_token(value: Any, target: T) -> Any:
    """Newtonsoft.Json's explicit conversions of a token."""
    if value is None:
        if is_reference(target) or target.name == "Nullable":
            return None
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    raw = value.raw
    if isinstance(raw, list) and target.name in SEQUENCES and target.args:
        return [element(item, target.args[0]) for item in raw]
    if isinstance(raw, dict) and target.name in DICTIONARIES and len(target.args) == 2:
        return {name: element(item, target.args[1]) for name, item in raw.items()}
    if isinstance(raw, dict | list):
        kind = "Object" if isinstance(raw, dict) else "Array"
        raise ClrError("ArgumentException", f"Can not convert {kind} to {target}.")
    inner = target.args[0] if target.name == "Nullable" else target
    if raw is None:
        if is_reference(target) or target.name == "Nullable":
            return None
        raise ClrError("ArgumentException", f"Can not convert Null to {target}.")
    return _scalar(raw, inner)


def element(raw: Any, type_: T) -> Any:
    """A value inside JSON as an element of a collection; `object` takes plain values, and tokens for the rest."""
    if type_.name == "object":
        return wrap(raw) if isinstance(raw, dict | list) else raw
    return converter(T("JToken"), type_)(wrap(raw))


def _scalar(raw: Any, target: T) -> Any:
    if target.name == "string":
        return to_text(raw)
    try:
        if target.name == "bool":
            return raw if isinstance(raw, bool) else _boolean(raw)
        if target.name in ("int", "long", "byte"):
            return round(raw) if isinstance(raw, int | float | Decimal) else int(raw)
        if target.name == "double":
            return float(raw)
        if target.name == "decimal":
            return decimals.parse(raw) if isinstance(raw, str) else decimals.of_number(raw)
        if target.name == "Guid":
            return UUID(raw)
        if target.name == "DateTime":
            return datetime.fromisoformat(raw)
    except (ValueError, TypeError, AttributeError) as error:
        raise ClrError("FormatException", f"Input string {to_text(raw)!r} was not in a correct format.") from error
    raise ClrError("ArgumentException", f"Can not convert to {target}.")


def _boolean(raw: Any) -> bool:
    if isinstance(raw, int | float | Decimal):
        return raw != 0
    if raw.strip().lower() not in ("true", "false"):
        raise ValueError(raw)
    return bool(raw.strip().lower() == "true")
