"""System.String, Char, StringComparison, StringBuilder and the members every object has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from emulators.apim.csharp.clr import (
    MAX_SIZE,
    ClrError,
    EvaluationLimit,
    JProperty,
    JToken,
    equals,
    iterate,
    limited,
    room,
    to_json,
    to_text,
)
from emulators.apim.csharp.clr_types import BOOL, CHAR, INT, STRING, T, array
from emulators.apim.csharp.formats import composite, format_value
from emulators.apim.csharp.library import constructor, enum, indexer, method, prop, static, static_prop

enum(
    "StringComparison",
    "Ordinal",
    "OrdinalIgnoreCase",
    "InvariantCulture",
    "InvariantCultureIgnoreCase",
    "CurrentCulture",
    "CurrentCultureIgnoreCase",
)
enum("StringSplitOptions", "None", "RemoveEmptyEntries")
for _comparer in ("Ordinal", "OrdinalIgnoreCase", "InvariantCulture", "InvariantCultureIgnoreCase"):
    static_prop("StringComparer", _comparer, T("StringComparer"), lambda name=_comparer: name)  # type: ignore[misc]

static_prop("string", "Empty", STRING, lambda: "")
prop("string", "Length", INT, len)
indexer("string", CHAR, INT)(lambda value, index: _at(value, index))


def _at(value: str, index: int) -> str:
    if not 0 <= index < len(value):
        raise ClrError("IndexOutOfRangeException", "Index was outside the bounds of the array.")
    return value[index]


def fold(value: Any, comparison: Any = None) -> Any:
    """The value as the comparison sees it."""
    return value.lower() if isinstance(value, str) and str(comparison).endswith("IgnoreCase") else value


def _needed(value: Any, name: str) -> Any:
    if value is None:
        raise ClrError("ArgumentNullException", f"Value cannot be null. Parameter name: {name}")
    return value


@method("object", "ToString", STRING)
def _to_string(value: Any, layout: Any = None, culture: Any = None) -> str:
    if layout is None:
        return to_text(value)
    if isinstance(value, JToken) and layout in ("None", "Indented") and not isinstance(value, JProperty):
        return to_json(value.raw, indented=layout == "Indented")
    return format_value(value, layout) if isinstance(layout, str) else to_text(value)


@method("object", "Equals", BOOL)
def _equals(value: Any, other: Any, comparison: Any = None) -> bool:
    return equals(fold(value, comparison), fold(other, comparison))


@static("string", "Equals", BOOL)
def _string_equals(left: str, right: str, comparison: Any = None) -> bool:
    return bool(fold(left, comparison) == fold(right, comparison))


@static("object", "Equals", BOOL)
def _object_equals(left: Any, right: Any) -> bool:
    return equals(left, right)


@method("string", "Contains", BOOL)
def _contains(value: str, part: str, comparison: Any = None) -> bool:
    return fold(_needed(part, "value"), comparison) in fold(value, comparison)


@method("string", "StartsWith", BOOL)
def _starts(value: str, part: str, comparison: Any = None) -> bool:
    return bool(fold(value, comparison).startswith(fold(_needed(part, "value"), comparison)))


@method("string", "EndsWith", BOOL)
def _ends(value: str, part: str, comparison: Any = None) -> bool:
    return bool(fold(value, comparison).endswith(fold(_needed(part, "value"), comparison)))


@method("string", "IndexOf", INT)
def _index(value: str, part: str, start: Any = None, comparison: Any = None) -> int:
    if isinstance(start, str):
        start, comparison = None, start
    return int(fold(value, comparison).find(fold(_needed(part, "value"), comparison), start or 0))


@method("string", "LastIndexOf", INT)
def _last_index(value: str, part: str, comparison: Any = None) -> int:
    return int(fold(value, comparison).rfind(fold(_needed(part, "value"), comparison)))


@method("string", "IndexOfAny", INT)
def _index_any(value: str, parts: Any) -> int:
    return min((value.find(part) for part in parts if part in value), default=-1)


@method("string", "Substring", STRING)
def _substring(value: str, start: int, length: int = -1) -> str:
    end = len(value) if length == -1 else start + length
    if not 0 <= start <= end <= len(value):
        raise ClrError("ArgumentOutOfRangeException", "Index and length must refer to a location within the string.")
    return value[start:end]


@method("string", "Remove", STRING)
def _remove(value: str, start: int, count: int = -1) -> str:
    end = len(value) if count == -1 else start + count
    if not 0 <= start <= end <= len(value):
        raise ClrError("ArgumentOutOfRangeException", "Index and count must refer to a location within the string.")
    return value[:start] + value[end:]


@method("string", "Insert", STRING)
def _insert(value: str, start: int, part: str) -> str:
    if not 0 <= start <= len(value):
        raise ClrError("ArgumentOutOfRangeException", "Specified argument was out of the range of valid values.")
    return value[:start] + part + value[start:]


@method("string", "Replace", STRING)
def _replace(value: str, old: str, new: str, comparison: Any = None) -> str:
    if not old:
        raise ClrError("ArgumentException", "String cannot be of zero length.")
    if comparison is not None and str(comparison).endswith("IgnoreCase"):
        return _replace_ignoring_case(value, old, new or "")
    room(len(value) + value.count(old) * (len(new or "") - len(old)))
    return value.replace(old, new or "")


def _replace_ignoring_case(value: str, old: str, new: str) -> str:
    found = re.compile(re.escape(old), re.IGNORECASE)
    room(len(value) + len(found.findall(value)) * (len(new) - len(old)))
    return found.sub(lambda match: new, value)


@method("string", "Split", array(STRING))
def _split(value: str, *arguments: Any) -> list[str]:
    """`Split('a', 'b')`, `Split(new[] {'a'}, 2, options)`, `Split("ab")`."""
    if len(arguments) == 1 and arguments[0].__class__ is str and arguments[0]:
        return value.split(arguments[0])
    options = "RemoveEmptyEntries" in arguments
    count = next((item for item in arguments if isinstance(item, int)), 0)
    separators = [
        item for item in arguments if item not in ("RemoveEmptyEntries", "None") and not isinstance(item, int)
    ]
    flat = [part for item in separators for part in (item if isinstance(item, list) else [item]) if part]
    simple = len(flat) == 1 and (not count or options)
    parts = value.split(flat[0]) if simple else _parts(value, flat, count if not options else 0)
    return [part for part in parts if part] if options else parts


def _parts(value: str, separators: list[str], count: int) -> list[str]:
    parts: list[str] = []
    start = position = 0
    while position < len(value) and not (count and len(parts) == count - 1):
        found = next((s for s in separators if value.startswith(s, position)), None)
        if found is None and not separators and value[position].isspace():
            found = value[position]
        if found is None:
            position += 1
            continue
        parts.append(value[start:position])
        start = position = position + len(found)
    return [*parts, value[start:]]


def _trimmer(strip: Callable[[str, str | None], str]) -> Callable[..., str]:
    def trim(value: str, *characters: Any) -> str:
        flat = "".join("".join(item) if isinstance(item, list) else item for item in characters)
        return strip(value, flat or None)

    return trim


method("string", "Trim", STRING)(_trimmer(lambda value, what: value.strip(what)))
method("string", "TrimStart", STRING)(_trimmer(lambda value, what: value.lstrip(what)))
method("string", "TrimEnd", STRING)(_trimmer(lambda value, what: value.rstrip(what)))
for _name in ("ToLower", "ToLowerInvariant"):
    method("string", _name, STRING)(lambda value: value.lower())
for _name in ("ToUpper", "ToUpperInvariant"):
    method("string", _name, STRING)(lambda value: value.upper())
method("string", "ToCharArray", array(CHAR))(lambda value: list(value))
method("string", "PadLeft", STRING)(lambda value, width, fill=" ": value.rjust(room(width), fill))
method("string", "PadRight", STRING)(lambda value, width, fill=" ": value.ljust(room(width), fill))
method("string", "Normalize", STRING)(lambda value: unicodedata.normalize("NFC", value))
method("string", "GetHashCode", INT)(hash)
static("string", "IsNullOrEmpty", BOOL)(lambda value: not value)
static("string", "IsNullOrWhiteSpace", BOOL)(lambda value: value is None or not value.strip())


def order_key(value: Any) -> Any:
    """How the invariant culture sorts texts: letters before their case, lower case first; null before all."""
    return (value.lower(), value.swapcase()) if isinstance(value, str) else value


def compared(left: Any, right: Any) -> int:
    if left is None or right is None:
        return int(left is not None) - int(right is not None)
    one, two = order_key(left), order_key(right)
    return int(one > two) - int(one < two)


@method("string", "CompareTo", INT, note="without a culture's rules for accents and hyphens")
def _compare_to(value: str, other: str) -> int:
    return compared(value, other)


@static("string", "Compare", INT, note="without a culture's rules for accents and hyphens")
def _compare(left: str, right: str, comparison: Any = None) -> int:
    if comparison is True:  # Compare(a, b, ignoreCase)
        comparison = "InvariantCultureIgnoreCase"
    one, two = fold(left, comparison), fold(right, comparison)
    return _compare_ordinal(one, two) if str(comparison).startswith("Ordinal") else compared(one, two)


@static("string", "CompareOrdinal", INT)
def _compare_ordinal(left: str, right: str) -> int:
    one, two = left or "", right or ""
    return int(one > two) - int(one < two)


@static("string", "Join", STRING)
def _join(separator: str, *values: Any) -> str:
    items = iterate(values[0]) if len(values) == 1 and not isinstance(values[0], str) else values
    texts, between = [to_text(item) for item in items], to_text(separator)
    room(sum(map(len, texts)) + len(between) * max(len(texts) - 1, 0))
    return between.join(texts)


@static("string", "Concat", STRING)
def _concat(*values: Any) -> str:
    items = iterate(values[0]) if len(values) == 1 and not isinstance(values[0], str) else values
    return limited("".join(to_text(item) for item in items))  # type: ignore[no-any-return]


@static("string", "Format", STRING)
def _format(pattern: str, *values: Any) -> str:
    flat = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    return limited(composite(pattern, list(flat)))  # type: ignore[no-any-return]


@constructor("string")
def _new_string(character: Any, count: int = 1) -> str:
    return "".join(character) if isinstance(character, list) else character * room(count)


_CHAR_TESTS: dict[str, Callable[[str], bool]] = {
    "IsDigit": str.isdigit,
    "IsLetter": str.isalpha,
    "IsLetterOrDigit": str.isalnum,
    "IsWhiteSpace": str.isspace,
    "IsUpper": str.isupper,
    "IsLower": str.islower,
}
for _test, _impl in _CHAR_TESTS.items():
    static("char", _test, BOOL)(lambda value, test=_impl: test(value))
for _name in ("ToLower", "ToLowerInvariant"):
    static("char", _name, CHAR)(lambda value: value.lower())
for _name in ("ToUpper", "ToUpperInvariant"):
    static("char", _name, CHAR)(lambda value: value.upper())


class StringBuilder:
    """System.Text.StringBuilder: append-only, which is what policies use it for."""

    __slots__ = ("parts", "size")

    def __init__(self, start: str = "") -> None:
        self.parts = [start]
        self.size = len(start)

    def append(self, value: Any) -> StringBuilder:
        text = to_text(value)
        self.size += len(text)
        if self.size > MAX_SIZE:
            raise EvaluationLimit(f"a StringBuilder holds more than {MAX_SIZE} characters")
        self.parts.append(text)
        return self

    def __str__(self) -> str:
        return limited("".join(self.parts))  # type: ignore[no-any-return]


_BUILDER = T("StringBuilder")
constructor("StringBuilder")(lambda start="": StringBuilder(start))
prop("StringBuilder", "Length", INT, lambda builder: builder.size)
method("StringBuilder", "Append", _BUILDER)(lambda builder, value: builder.append(value))
method("StringBuilder", "AppendLine", _BUILDER)(lambda builder, value="": builder.append(to_text(value) + "\r\n"))
method("StringBuilder", "AppendFormat", _BUILDER)(
    lambda builder, pattern, *values: builder.append(composite(pattern, list(values)))
)
