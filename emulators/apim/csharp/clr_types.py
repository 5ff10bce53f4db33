"""Static types of policy expressions, and C#'s implicit conversions between them.

Knowing the type at load is what lets the gateway refuse `string s = context.Variables["x"]` as the real compiler does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class T:
    """A C# type: canonical short name and generic arguments. Arrays are `Array` of one argument; lambdas are `Func`."""

    name: str
    args: tuple[T, ...] = ()

    def __str__(self) -> str:
        if self.name == "Array":
            return f"{self.args[0]}[]"
        if self.name == "Nullable":
            return f"{self.args[0]}?"
        return f"{self.name}<{', '.join(map(str, self.args))}>" if self.args else self.name


STRING, CHAR, BOOL, INT, LONG, DOUBLE = T("string"), T("char"), T("bool"), T("int"), T("long"), T("double")
DECIMAL, BYTE, OBJECT, VOID, NULL = T("decimal"), T("byte"), T("object"), T("void"), T("null")
JTOKEN, JOBJECT, JARRAY, JPROPERTY = T("JToken"), T("JObject"), T("JArray"), T("JProperty")
DATETIME, TIMESPAN, GUID, URI, EXCEPTION = T("DateTime"), T("TimeSpan"), T("Guid"), T("Uri"), T("Exception")

#: Widening order of the numeric types (C# specification, "Implicit numeric conversions").
NUMERIC = {"byte": 0, "int": 1, "long": 2, "double": 3, "decimal": 3}
VALUE_TYPES = {*NUMERIC, "bool", "char", "DateTime", "TimeSpan", "Guid", "Nullable", "KeyValuePair", "DateTimeOffset"}
SEQUENCES = {"Array", "List", "IEnumerable", "IList", "ICollection", "IReadOnlyList", "IReadOnlyCollection", "HashSet"}
SEQUENCES |= {"IOrderedEnumerable", "Queue", "Stack"}
DICTIONARIES = {"Dictionary", "IDictionary", "IReadOnlyDictionary"}

#: What a type also is. Members are looked up along this chain.
BASES: dict[str, tuple[str, ...]] = {
    "JObject": ("JContainer",),
    "JArray": ("JContainer",),
    "JProperty": ("JContainer",),
    "JContainer": ("JToken",),
    "JValue": ("JToken",),
    "Array": ("IList", "IReadOnlyList"),
    "List": ("IList", "IReadOnlyList"),
    "HashSet": ("ICollection",),
    "IList": ("ICollection",),
    "IReadOnlyList": ("IReadOnlyCollection",),
    "ICollection": ("IEnumerable",),
    "IReadOnlyCollection": ("IEnumerable",),
    "IOrderedEnumerable": ("IEnumerable",),
    "IGrouping": ("IEnumerable",),
    "Queue": ("IReadOnlyCollection",),
    "Stack": ("IReadOnlyCollection",),
    "Dictionary": ("IDictionary", "IReadOnlyDictionary"),
    "IHeaders": ("IReadOnlyDictionary",),
    "IQuery": ("IReadOnlyDictionary",),
    "IVariables": ("IReadOnlyDictionary",),
    "IClaims": ("IReadOnlyDictionary",),
    "Match": ("Group",),
    "Group": ("Capture",),
    **dict.fromkeys(
        (
            "KeyNotFoundException",
            "NullReferenceException",
            "FormatException",
            "InvalidCastException",
            "ArgumentException",
            "IndexOutOfRangeException",
            "InvalidOperationException",
            "OverflowException",
            "JsonReaderException",
            "DivideByZeroException",
            "CryptographicException",
        ),
        ("Exception",),
    ),
    "ArgumentNullException": ("ArgumentException",),
    "ArgumentOutOfRangeException": ("ArgumentException",),
}

#: What Newtonsoft.Json converts to a JToken by itself.
_TO_JTOKEN = {"string", "bool", "byte", "int", "long", "double", "decimal", "DateTime", "TimeSpan", "Guid", "Uri"}


#: Bits of the integer types; arithmetic that leaves them wraps around, as C# does outside `checked`.
BITS = {"int": 32, "long": 64}


def wrap(value: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return value if -half <= value < half else (value + half) % (1 << bits) - half


#: The kinds of DateTime besides Utc. The gateway's own time zone is UTC, so all three compare alike.
UNSPECIFIED, LOCAL = timezone(timedelta(0), "Unspecified"), timezone(timedelta(0), "Local")
_DEFAULTS: dict[str, Any] = {
    "bool": False,
    "char": "\0",
    "DateTime": datetime(1, 1, 1, tzinfo=UNSPECIFIED),
    "DateTimeOffset": datetime(1, 1, 1, tzinfo=UTC),
    "TimeSpan": timedelta(0),
    "Guid": UUID(int=0),
}


def default_value(type_: T) -> Any:
    """`default(T)`; null where the local gateway has no other."""
    if type_.name in ("int", "long", "byte"):
        return 0
    if type_.name == "double":
        return 0.0
    if type_.name == "decimal":
        return Decimal(0)
    return _DEFAULTS.get(type_.name)


def array(element: T) -> T:
    return T("Array", (element,))


def enumerable(element: T) -> T:
    return T("IEnumerable", (element,))


def nullable(inner: T) -> T:
    return inner if inner.name == "Nullable" or is_reference(inner) else T("Nullable", (inner,))


def pair(key: T, value: T) -> T:
    return T("KeyValuePair", (key, value))


def is_reference(type_: T) -> bool:
    return type_.name not in VALUE_TYPES and type_.name != "void"


def is_numeric(type_: T) -> bool:
    return type_.name in NUMERIC


def ancestry(name: str) -> list[str]:
    """The type and everything it also is, nearest first, `object` last."""
    found, queue = [], [name]
    while queue:
        current = queue.pop(0)
        if current not in found:
            found.append(current)
            queue.extend(BASES.get(current, ()))
    return [*found, "object"]


def dictionary_of(type_: T) -> tuple[T, T] | None:
    """Key and value type of anything that is a dictionary."""
    if type_.name in DICTIONARIES:
        return (type_.args[0], type_.args[1]) if len(type_.args) == 2 else (STRING, OBJECT)
    fixed = {"IHeaders": array(STRING), "IQuery": array(STRING), "IClaims": array(STRING), "IVariables": OBJECT}
    return (STRING, fixed[type_.name]) if type_.name in fixed else None


def element_of(type_: T) -> T | None:
    """What iterating over the type yields, or None where it cannot be iterated."""
    if type_.name in SEQUENCES:
        return type_.args[0] if type_.args else OBJECT
    if type_.name == "IGrouping":
        return type_.args[1]
    if (entry := dictionary_of(type_)) is not None:
        return pair(*entry)
    fixed = {
        "string": CHAR,
        "JToken": JTOKEN,
        "JArray": JTOKEN,
        "JContainer": JTOKEN,
        "JObject": pair(STRING, JTOKEN),
        "MatchCollection": T("Match"),
        "GroupCollection": T("Group"),
        "CaptureCollection": T("Capture"),
    }
    return fixed.get(type_.name)


def assignable(source: T, target: T) -> bool:
    """Whether C# converts `source` to `target` without a cast."""
    if source == target or target.name == "object":
        return source.name != "void"
    if source.name == "null":
        return is_reference(target) or target.name == "Nullable"
    if target.name == "Nullable":
        return assignable(source, target.args[0])
    if source.name == "char" and target.name in ("int", "long", "double", "decimal"):
        return True
    if is_numeric(source) and is_numeric(target):
        return NUMERIC[source.name] < NUMERIC[target.name] and source.name != "double"
    if target.name == "JToken" and source.name in _TO_JTOKEN:
        return True
    return _reference_conversion(source, target)


def _reference_conversion(source: T, target: T) -> bool:
    if source.name == "Func" and target.name == "Func":
        if len(source.args) != len(target.args):
            return False
        inputs = zip(source.args[:-1], target.args[:-1], strict=True)
        result = target.args[-1].name == "void" or assignable(source.args[-1], target.args[-1])
        return result and all(assignable(wanted, given) for given, wanted in inputs)
    if target.name not in ancestry(source.name) and not (source.name == "JArray" and target.name == "IEnumerable"):
        return False
    if not target.args:
        return True
    if (mine := dictionary_of(source)) is not None and target.name in DICTIONARIES:
        return mine == target.args
    element = element_of(source)
    return (
        element is None
        or element == target.args[0]
        or (target.name.startswith("I") and is_reference(element) and assignable(element, target.args[0]))
    )


def castable(source: T, target: T) -> bool:
    """Whether C# lets `(target)source` compile; whether it succeeds is known only when it runs."""
    if assignable(source, target) or assignable(target, source) or source.name == "object":
        return True
    if source.name == "Nullable":
        return castable(source.args[0], target)
    if target.name == "Nullable":
        return castable(source, target.args[0])
    if source.name in ("JToken", "JValue", "JProperty"):
        return target.name in _TO_JTOKEN or target == T("Array", (BYTE,))
    if {source.name, target.name} <= {*NUMERIC, "char"}:
        return True
    return (
        element_of(source) is not None and element_of(target) is not None and "string" not in (source.name, target.name)
    )


def unify(left: T, right: T) -> T | None:
    """The type of `c ? left : right`, or None where C# 7 finds none."""
    if left == right:
        return left
    if assignable(left, right):
        return right
    return left if assignable(right, left) else None
