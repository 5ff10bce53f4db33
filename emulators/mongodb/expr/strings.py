"""Text expressions. `…CP` counts code points, `…Bytes` UTF-8 bytes; case mapping is ASCII only, as documented."""

from __future__ import annotations

import string
from typing import Any

from bson import Decimal128, Regex

from emulators.mongodb.deadline import tick
from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.convert import coerced_text
from emulators.mongodb.expr.core import LEFT_OUT, checked_text, named, nothing, simple
from emulators.mongodb.numeric import as_integer, cut
from emulators.mongodb.query.regex import Match, Pattern, compile_regex
from emulators.mongodb.values import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, Document, is_number, type_name

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


def _text(name: str, value: Any, code: int = 16702) -> str:
    if type(value) is not str:
        raise CommandError(code, f"{name} only supports strings, not {type_name(value)}")
    return value


@simple("$concat", 0, -1)
def _concat(*values: Any) -> str | None:
    parts: list[str] = []
    for value in values:
        if nothing(value):
            return None
        parts.append(_text("$concat", value))
    return checked_text("".join(parts))


@simple("$toLower", 1)
def _to_lower(value: Any) -> str:
    return coerced_text("$toLower", value).translate(_LOWER)


@simple("$toUpper", 1)
def _to_upper(value: Any) -> str:
    return coerced_text("$toUpper", value).translate(_UPPER)


@simple("$strLenCP", 1)
def _length(value: Any) -> int:
    return len(_text("$strLenCP", value, 34471))


@simple("$strLenBytes", 1)
def _length_bytes(value: Any) -> int:
    return len(_text("$strLenBytes", value, 34473).encode())


@simple("$substrCP", 3)
def _substring(value: Any, start: Any, count: Any) -> str:
    text = coerced_text("$substrCP", value)
    begin = _int32("$substrCP", start, 34450, 34451)
    length = _int32("$substrCP", count, 34452, 34453)
    if length < 0:
        raise CommandError(34454, "$substrCP: the length must be a nonnegative integer")
    if begin < 0:
        raise CommandError(34455, "$substrCP: the starting index must be a nonnegative integer")
    return text[begin : begin + length]


def _int32(name: str, value: Any, no_number: int, not_whole: int) -> int:
    if not is_number(value):
        raise CommandError(no_number, f"{name}: an index must be a number, not {type_name(value)}")
    whole = as_integer(value)
    if whole is None or not INT32_MIN <= whole <= INT32_MAX:
        raise CommandError(not_whole, f"{name}: an index must be a whole number of 32 bits, not {value}")
    return whole


def _long(name: str, value: Any, code: int) -> int:
    """A number as a long: cut. A decimal that is none becomes the smallest one; of a double that is an error."""
    if isinstance(value, Decimal128):
        number = value.to_decimal()
        if not number.is_finite() or not INT64_MIN <= number <= INT64_MAX:
            return INT64_MIN
    if isinstance(value, float) and not -(2.0**63) <= value < 2.0**63:
        raise CommandError(31109, f"{name}: {value} is out of the range of a long")
    whole = cut(value)
    if whole is None:
        raise CommandError(code, f"{name}: a position must be a number, not {type_name(value)}")
    return whole


def _substring_bytes(value: Any, start: Any, count: Any) -> str:
    data = coerced_text("$substrBytes", value).encode()
    begin, length = _long("$substrBytes", start, 16034), _long("$substrBytes", count, 16035)
    if begin < 0:
        raise CommandError(50752, "$substrBytes: starting index must be non-negative")
    if begin < len(data) and 0x80 <= data[begin] < 0xC0:
        raise CommandError(28656, "$substrBytes: Invalid range, starting index is a UTF-8 continuation byte")
    end = len(data) if length < 0 else min(begin + length, len(data))
    if end < len(data) and 0x80 <= data[end] < 0xC0:
        raise CommandError(28657, "$substrBytes: Invalid range, ending index is in the middle of a UTF-8 character")
    return data[begin:end].decode()


simple("$substrBytes", 3)(_substring_bytes)
simple("$substr", 3)(_substring_bytes)


@simple("$split", 2, nulls=True)
def _split(value: Any, separator: Any) -> list[str]:
    text = _text("$split", value, 40085)
    if _text("$split", separator, 10503900) == "":
        raise CommandError(40087, "$split requires a non-empty separator")
    return text.split(separator)


@simple("$strcasecmp", 2)
def _case_compare(left: Any, right: Any) -> int:
    first, second = (coerced_text("$strcasecmp", value).translate(_UPPER) for value in (left, right))
    return (first > second) - (first < second)


def _index_operator(name: str, codes: tuple[int, int], in_bytes: bool) -> None:
    @simple(name, 2, 4)
    def run(value: Any, wanted: Any, start: Any = LEFT_OUT, end: Any = LEFT_OUT) -> int | None:
        if nothing(value):
            return None
        text: Any = _text(name, value, codes[0])
        sought: Any = _text(name, wanted, codes[1])
        begin = 0 if start is LEFT_OUT else _index(name, start)
        stop = None if end is LEFT_OUT else _index(name, end)
        if in_bytes:
            text, sought = text.encode(), sought.encode()
        stop = len(text) if stop is None else min(stop, len(text))
        # Of code points, none begins at the end: there not even the empty text is found.
        if begin > stop or (not in_bytes and begin >= stop and not (begin == 0 and not text and end is LEFT_OUT)):
            return -1
        if in_bytes:
            return int(text.find(sought, begin, stop))
        found = int(text.find(sought, begin))  # of code points, the match has to begin before the end, not to end there
        return found if found < stop or (found == stop == 0) else -1


def _index(name: str, value: Any) -> int:
    whole = _int32(name, value, 40096, 40096)
    if whole < 0:
        raise CommandError(40097, f"{name} requires a nonnegative index, found: {whole}")
    return whole


_index_operator("$indexOfCP", (40093, 40094), in_bytes=False)
_index_operator("$indexOfBytes", (40091, 40092), in_bytes=True)

# The manual's "Whitespace Characters"; Python's strip() without arguments takes others.
_WHITESPACE = "\0\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B)))


def _trim(name: str, left: bool, right: bool) -> None:
    @named(name, "input", "chars")
    def run(input: Any, chars: Any) -> Any:
        if nothing(input):
            return None
        text = _text(name, input, 50699)
        if nothing(chars):
            return None
        removed = _WHITESPACE if chars is LEFT_OUT else _text(name, chars, 50700)
        if not removed:
            return text
        begin, end = 0, len(text)
        if len(removed) <= _FEW:
            begin = end - len(text.lstrip(removed)) if left else 0
            return text[begin:].rstrip(removed) if right else text[begin:]
        letters = frozenset(removed)  # `strip` compares each character with all of them, and cannot be stopped
        while left and begin < end and text[begin] in letters:
            tick()
            begin += 1
        while right and begin < end and text[end - 1] in letters:
            tick()
            end -= 1
        return text[begin:end]


_FEW = 64
_trim("$trim", True, True)
_trim("$ltrim", True, False)
_trim("$rtrim", False, True)


def _replace(name: str, count: int) -> None:
    @named(name, "input find replacement")
    def run(input: Any, find: Any, replacement: Any) -> Any:
        for value, code in ((input, 10503904), (find, 10503901), (replacement, 10503902)):
            if not nothing(value):
                _text(name, value, code)
        if nothing(input) or nothing(find) or nothing(replacement):
            return None
        if len(input) * len(replacement) > _MUCH and input.count(find) * len(replacement) > _MUCH:
            raise CommandError(16493, f"{name} makes a text of more than 16 MB")
        return checked_text(input.replace(find, replacement, count))


_MUCH = 16 * 1024 * 1024

_replace("$replaceOne", 1)
_replace("$replaceAll", -1)


def _pattern(name: str, input: Any, regex: Any, options: Any) -> Pattern | None:
    """The compiled pattern; None where the answer is null. Arguments are judged in the server's order."""
    if not nothing(regex) and not isinstance(regex, str | Regex):
        raise CommandError(51105, f"{name} needs 'regex' to be of type string or regex")
    letters = "" if nothing(options) or options is LEFT_OUT else options
    if type(letters) is not str:
        raise CommandError(51106, f"{name} needs 'options' to be of type string")
    if isinstance(regex, Regex) and regex.flags and letters:
        raise CommandError(51107, f"{name} found regex option(s) specified in both 'regex' and 'options'")
    if "\0" in letters:
        raise CommandError(51110, f"{name}: the options may not contain a null byte")
    if not nothing(input) and type(input) is not str:
        raise CommandError(51104, f"{name} needs 'input' to be of type string")
    if nothing(regex):
        return None
    compiled = compile_regex(regex, letters, invalid=51111)
    return None if nothing(input) else compiled


def _match_document(found: Match) -> Document:
    return {"match": found.group(0), "idx": found.start(), "captures": list(found.groups())}


@named("$regexMatch", "input regex", "options")
def _regex_match(input: Any, regex: Any, options: Any) -> bool:
    pattern = _pattern("$regexMatch", input, regex, options)
    return pattern is not None and pattern.search(input) is not None


@named("$regexFind", "input regex", "options")
def _regex_find(input: Any, regex: Any, options: Any) -> Any:
    pattern = _pattern("$regexFind", input, regex, options)
    found = pattern.search(input) if pattern is not None else None
    return _match_document(found) if found else None


@named("$regexFindAll", "input regex", "options")
def _regex_find_all(input: Any, regex: Any, options: Any) -> list[Document]:
    pattern = _pattern("$regexFindAll", input, regex, options)
    if pattern is None:
        return []
    # An empty match behind the last character is not looked for.
    return [_match_document(found) for found in pattern.all(input) if found.start() < len(input) or not input]
