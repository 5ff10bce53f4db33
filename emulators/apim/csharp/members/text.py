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
from emulators.apim.csharp.formats import composite, format_value
from emulators.apim.csharp.library import declare, enum
from emulators.apim.csharp.members.comparers import compared, fold

enum("StringSplitOptions", "None", "RemoveEmptyEntries")
_COMPARISON = "StringComparison comparisonType"

declare("string", "static string Empty")(lambda: "")
declare("string", "int Length")(len)
declare("string", "char this[int index]")(lambda value, index: _at(value, index))


def _at(value: str, index: int) -> str:
    if not 0 <= index < len(value):
        raise ClrError("IndexOutOfRangeException", "Index was outside the bounds of the array.")
    return value[index]


def _needed(value: Any, name: str) -> Any:
    if value is None:
        raise ClrError("ArgumentNullException", f"Value cannot be null. Parameter name: {name}")
    return value


declare("object", "string ToString()")(to_text)
for _type in ("int", "long", "byte", "double", "decimal", "DateTime", "TimeSpan", "Guid"):
    declare(_type, "string ToString(string format)")(format_value)


@declare("JToken", "string ToString(Formatting formatting)")
def _token_text(value: JToken, layout: str) -> str:
    if isinstance(value, JProperty):
        return to_text(value)
    return to_json(value.raw, indented=layout == "Indented")


declare("object", "bool Equals(object obj)")(equals)
declare("object", "static bool Equals(object objA, object objB)")(equals)
declare("object", "static bool ReferenceEquals(object objA, object objB)")(lambda left, right: left is right)


@declare("string", "bool Equals(string value)", f"bool Equals(string value, {_COMPARISON})")
@declare("string", "static bool Equals(string a, string b)", f"static bool Equals(string a, string b, {_COMPARISON})")
def _string_equals(left: Any, right: Any, comparison: Any = None) -> bool:
    return bool(fold(left, comparison) == fold(right, comparison))


@declare("string", "bool Contains(string value)", f"bool Contains(string value, {_COMPARISON})")
def _contains(value: str, part: str, comparison: Any = None) -> bool:
    return fold(_needed(part, "value"), comparison) in fold(value, comparison)


@declare("string", "bool StartsWith(string value)", f"bool StartsWith(string value, {_COMPARISON})")
def _starts(value: str, part: str, comparison: Any = None) -> bool:
    return bool(fold(value, comparison).startswith(fold(_needed(part, "value"), comparison)))


@declare("string", "bool EndsWith(string value)", f"bool EndsWith(string value, {_COMPARISON})")
def _ends(value: str, part: str, comparison: Any = None) -> bool:
    return bool(fold(value, comparison).endswith(fold(_needed(part, "value"), comparison)))


def _from(value: str, start: int) -> int:
    if not 0 <= start <= len(value):
        raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
    return start


@declare("string", "int IndexOf(string value)", "int IndexOf(char value)")
@declare("string", "int IndexOf(string value, int startIndex)", "int IndexOf(char value, int startIndex)")
@declare("string", f"int IndexOf(string value, int startIndex, {_COMPARISON})")
def _index(value: str, part: str, start: int = 0, comparison: Any = None) -> int:
    return int(fold(value, comparison).find(fold(_needed(part, "value"), comparison), _from(value, start)))


declare("string", f"int IndexOf(string value, {_COMPARISON})")(
    lambda value, part, comparison: _index(value, part, 0, comparison)
)


@declare("string", "int LastIndexOf(string value)", "int LastIndexOf(char value)")
@declare("string", f"int LastIndexOf(string value, {_COMPARISON})")
def _last_index(value: str, part: str, comparison: Any = None) -> int:
    return int(fold(value, comparison).rfind(fold(_needed(part, "value"), comparison)))


@declare("string", "int IndexOfAny(char[] anyOf)")
def _index_any(value: str, parts: Any) -> int:
    return min((value.find(part) for part in _needed(parts, "anyOf") if part in value), default=-1)


@declare("string", "string Substring(int startIndex)", "string Substring(int startIndex, int length)")
def _substring(value: str, start: int, length: int | None = None) -> str:
    end = len(value) if length is None else start + length
    if not 0 <= start <= end <= len(value):
        raise ClrError("ArgumentOutOfRangeException", "Index and length must refer to a location within the string.")
    return value[start:end]


@declare("string", "string Remove(int startIndex)", "string Remove(int startIndex, int count)")
def _remove(value: str, start: int, count: int | None = None) -> str:
    end = len(value) if count is None else start + count
    if not 0 <= start <= end <= len(value):
        raise ClrError("ArgumentOutOfRangeException", "Index and count must refer to a location within the string.")
    return value[:start] + value[end:]


@declare("string", "string Insert(int startIndex, string value)")
def _insert(value: str, start: int, part: str) -> str:
    if not 0 <= start <= len(value):
        raise ClrError("ArgumentOutOfRangeException", "Specified argument was out of the range of valid values.")
    return value[:start] + str(_needed(part, "value")) + value[start:]


@declare("string", "string Replace(char oldChar, char newChar)", "string Replace(string oldValue, string newValue)")
@declare("string", f"string Replace(string oldValue, string newValue, {_COMPARISON})")
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


def _split(value: str, separators: Any, count: int | None = None, options: str = "None") -> list[str]:
    """Without separators, at white space. `count`: so many parts at most, the last with what is left."""
    if count is not None and count < 0:
        raise ClrError("ArgumentOutOfRangeException", "Count cannot be less than zero.")
    flat, drop = [part for part in separators or [] if part], options == "RemoveEmptyEntries"
    simple = count is None and len(flat) == 1
    parts = value.split(flat[0]) if simple else _parts(value, flat, count, drop=drop)
    return [part for part in parts if part] if drop else parts


declare("string", "string[] Split(params char[] separator)")(_split)
for _separators in ("char[]", "string[]"):
    _name = f"{_separators} separator"
    declare("string", f"string[] Split({_name}, StringSplitOptions options)")(
        lambda value, separators, options: _split(value, separators, None, options)
    )
    declare("string", f"string[] Split({_name}, int count, StringSplitOptions options)")(_split)
declare("string", "string[] Split(char[] separator, int count)")(_split)
# .NET since 2.0, which API Management's expressions take too.
for _separator in ("char", "string"):
    declare("string", f'string[] Split({_separator} separator, StringSplitOptions options = "None")')(
        lambda value, separator, options: _split(value, [separator], None, options)
    )


def _parts(value: str, separators: list[str], count: int | None, *, drop: bool) -> list[str]:
    parts: list[str] = []
    start = position = 0
    while position < len(value) and not (count is not None and len(parts) >= count - 1):
        found = next((s for s in separators if value.startswith(s, position)), None)
        if found is None and not separators and value[position].isspace():
            found = value[position]
        if found is None:
            position += 1
            continue
        if position > start or not drop:
            parts.append(value[start:position])
        start = position = position + len(found)
    if count == 0:
        return []
    while drop and count is not None and (cut := next((s for s in separators if value.startswith(s, start)), None)):
        start += len(cut)
    return [*parts, value[start:]]


def _trimmer(strip: Callable[[str, str | None], str]) -> Callable[..., str]:
    return lambda value, characters: strip(value, "".join(characters or ()) or None)


for _name, _strip in (("Trim", str.strip), ("TrimStart", str.lstrip), ("TrimEnd", str.rstrip)):
    declare("string", f"string {_name}(params char[] trimChars)")(_trimmer(_strip))
for _name in ("ToLower", "ToLowerInvariant"):
    declare("string", f"string {_name}()")(str.lower)
    declare("char", f"static char {_name}(char c)")(str.lower)
for _name in ("ToUpper", "ToUpperInvariant"):
    declare("string", f"string {_name}()")(str.upper)
    declare("char", f"static char {_name}(char c)")(str.upper)
declare("string", "char[] ToCharArray()")(list)
for _name, _pad in (("PadLeft", str.rjust), ("PadRight", str.ljust)):
    declare("string", f"string {_name}(int totalWidth)", f"string {_name}(int totalWidth, char paddingChar)")(
        lambda value, width, fill=" ", pad=_pad: pad(value, _width(width), fill)
    )
declare("string", "string Normalize()")(lambda value: unicodedata.normalize("NFC", value))
declare("string", "int GetHashCode()", note="not .NET's number")(lambda value: hash(value) & 0x7FFFFFFF)
declare("string", "static bool IsNullOrEmpty(string value)")(lambda value: not value)
declare("string", "static bool IsNullOrWhiteSpace(string value)")(lambda value: value is None or not value.strip())


def _width(width: int) -> int:
    if width < 0:
        raise ClrError("ArgumentOutOfRangeException", "Non-negative number required. Parameter name: totalWidth")
    return room(width)


_CULTURE = "without a culture's rules for accents and hyphens"
declare("string", "int CompareTo(string strB)", note=_CULTURE)(compared)
declare("string", "static int Compare(string strA, string strB)", note=_CULTURE)(compared)
declare("string", f"static int Compare(string strA, string strB, {_COMPARISON})", note=_CULTURE)(compared)
declare("string", "static int Compare(string strA, string strB, bool ignoreCase)", note=_CULTURE)(
    lambda left, right, ignore: compared(left, right, "InvariantCultureIgnoreCase" if ignore else "InvariantCulture")
)
declare("string", "static int CompareOrdinal(string strA, string strB)")(
    lambda left, right: compared(left, right, "Ordinal")
)


def _join(separator: str | None, values: Any) -> str:
    texts, between = [to_text(item) for item in iterate(values)], separator or ""
    room(sum(map(len, texts)) + len(between) * max(len(texts) - 1, 0))
    return between.join(texts)


def _concat(*values: Any) -> str:
    return limited("".join(to_text(item) for item in values))  # type: ignore[no-any-return]


declare("string", "static string Join(string separator, params string[] value)")(_join)
declare("string", "static string Join<T>(string separator, IEnumerable<T> values)")(_join)
declare("string", "static string Join(string separator, params object[] values)")(_join)
declare("string", "static string Concat<T>(IEnumerable<T> values)")(lambda values: _join("", values))
declare("string", "static string Concat(params object[] args)")(lambda values: _join("", values))
declare("string", "static string Format(string format, params object[] args)")(
    lambda pattern, values: limited(composite(pattern, list(values)))
)
declare("string", "string(char[] value)")(lambda characters: "".join(characters or ()))
declare("string", "string(char c, int count)")(lambda character, count: character * _width(count))
declare("string", "static string Copy(string str)")(lambda value: _needed(value, "str"))


_CHAR_TESTS: dict[str, Callable[[str], bool]] = {
    "IsDigit": str.isdigit,
    "IsLetter": str.isalpha,
    "IsLetterOrDigit": str.isalnum,
    "IsWhiteSpace": str.isspace,
    "IsUpper": str.isupper,
    "IsLower": str.islower,
}
for _test, _impl in _CHAR_TESTS.items():
    declare("char", f"static bool {_test}(char c)")(_impl)


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


_BUILDER = "StringBuilder"
declare(_BUILDER, "StringBuilder()", "StringBuilder(string value)")(lambda start="": StringBuilder(start or ""))
declare(_BUILDER, "StringBuilder(int capacity)")(lambda capacity: StringBuilder())
declare(_BUILDER, "int Length")(lambda builder: builder.size)
declare(_BUILDER, "StringBuilder Append(object value)")(StringBuilder.append)
declare(_BUILDER, "StringBuilder Append(char value, int repeatCount)")(
    lambda builder, value, count: builder.append(value * room(count))
)
declare(_BUILDER, "StringBuilder AppendLine()", "StringBuilder AppendLine(string value)")(
    lambda builder, value="": builder.append(to_text(value) + "\r\n")
)
declare(_BUILDER, "StringBuilder AppendFormat(string format, params object[] args)")(
    lambda builder, pattern, values: builder.append(composite(pattern, list(values)))
)
