"""Text expressions. `…CP` counts code points, `…Bytes` UTF-8 bytes; case mapping is ASCII only, as documented."""

from __future__ import annotations

import re
import string
from typing import Any

from bson import Regex

from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.expr.convert import text_of
from emulators.mongodb.expr.core import named, nothing, simple
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.regex import compile_regex
from emulators.mongodb.values import MISSING, Document, type_name

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


def _text(name: str, value: Any, code: int = 16702) -> str:
    if type(value) is not str:
        raise CommandError(code, f"{name} only supports strings, not {type_name(value)}")
    return value


@simple("$concat", 0, -1, nulls=True)
def _concat(*values: Any) -> str:
    return "".join(_text("$concat", value) for value in values)


@simple("$toLower", 1)
def _to_lower(value: Any) -> str:
    return _coerced("$toLower", value).translate(_LOWER)


@simple("$toUpper", 1)
def _to_upper(value: Any) -> str:
    return _coerced("$toUpper", value).translate(_UPPER)


def _coerced(name: str, value: Any) -> str:
    """Null is the empty text; numbers and dates are written out; the rest cannot be text (16007)."""
    if nothing(value):
        return ""
    if type_name(value) in ("object", "array", "objectId", "bool", "binData", "regex", "minKey", "maxKey"):
        raise CommandError(16007, f"can't convert from BSON type {type_name(value)} to String in {name}")
    return text_of(value)


@simple("$strLenCP", 1)
def _length(value: Any) -> int:
    return len(_text("$strLenCP", value, 34471))


@simple("$strLenBytes", 1)
def _length_bytes(value: Any) -> int:
    return len(_text("$strLenBytes", value, 34473).encode())


@simple("$substrCP", 3)
def _substring(value: Any, start: Any, count: Any) -> str:
    text, begin, length = _coerced("$substrCP", value), _index("$substrCP", start), _index("$substrCP", count)
    if begin < 0 or length < 0:
        raise CommandError(34451, "$substrCP: starting index and length must be non-negative")
    return text[begin : begin + length]


def _index(name: str, value: Any) -> int:
    whole = as_integer(value)
    if whole is None:
        raise CommandError(34450, f"{name}: an index must be a whole number, not {type_name(value)}")
    return whole


def _substring_bytes(value: Any, start: Any, count: Any) -> str:
    data, begin, length = (
        _coerced("$substrBytes", value).encode(),
        _index("$substrBytes", start),
        _index("$substrBytes", count),
    )
    if begin < 0:
        raise CommandError(50752, "$substrBytes: starting index must be non-negative")
    piece = data[begin:] if length < 0 else data[begin : begin + length]
    try:
        return piece.decode()
    except UnicodeDecodeError:
        raise CommandError(28656, "$substrBytes: Invalid range, it cuts a UTF-8 character in two") from None


simple("$substrBytes", 3)(_substring_bytes)
simple("$substr", 3)(_substring_bytes)


@simple("$split", 2, nulls=True)
def _split(value: Any, separator: Any) -> list[str]:
    if _text("$split", separator, 40086) == "":
        raise CommandError(40087, "$split requires a non-empty separator")
    return _text("$split", value, 40085).split(separator)


@simple("$strcasecmp", 2)
def _case_compare(left: Any, right: Any) -> int:
    first, second = _coerced("$strcasecmp", left).translate(_UPPER), _coerced("$strcasecmp", right).translate(_UPPER)
    return (first > second) - (first < second)


@simple("$indexOfCP", 2, 4)
def _index_of(value: Any, wanted: Any, start: Any = 0, end: Any = MISSING) -> int | None:
    if nothing(value):
        return None
    text = _text("$indexOfCP", value, 40093)
    return _find(text, _text("$indexOfCP", wanted, 40094), start, end, len(text))


@simple("$indexOfBytes", 2, 4)
def _index_of_bytes(value: Any, wanted: Any, start: Any = 0, end: Any = MISSING) -> int | None:
    if nothing(value):
        return None
    data = _text("$indexOfBytes", value, 40091).encode()
    return _find(data, _text("$indexOfBytes", wanted, 40092).encode(), start, end, len(data))


def _find(text: Any, wanted: Any, start: Any, end: Any, length: int) -> int:
    begin = _index("$indexOf", start)
    stop = length if end is MISSING else min(_index("$indexOf", end), length)
    if begin < 0 or stop < 0:
        raise CommandError(40097, "$indexOf requires non-negative start and end indexes")
    return -1 if begin > stop else int(text.find(wanted, begin, stop))


def _trim(name: str, left: bool, right: bool) -> None:
    @named(name, "input", "chars")
    def run(input: Any, chars: Any) -> Any:
        if nothing(input) or chars is None:
            return None
        text = _text(name, input, 50699)
        # MongoDB's default set is the manual's "Whitespace Characters"; Python's strip() without arguments differs.
        removed = "\0\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) if chars is MISSING else chars
        if left:
            text = text.lstrip(_text(name, removed, 50700)) if removed else text
        return text.rstrip(_text(name, removed, 50700)) if right and removed else text


_trim("$trim", True, True)
_trim("$ltrim", True, False)
_trim("$rtrim", False, True)


def _replace(name: str, count: int) -> None:
    @named(name, "input find replacement")
    def run(input: Any, find: Any, replacement: Any) -> Any:
        if nothing(input) or nothing(find) or nothing(replacement):
            return None
        text, wanted = _text(name, input, 51746), _text(name, find, 51745)
        if not wanted:
            raise not_supported(f"{name} with an empty 'find'")
        return text.replace(wanted, _text(name, replacement, 51744), count)


_replace("$replaceOne", 1)
_replace("$replaceAll", -1)


def _pattern(name: str, regex: Any, options: Any) -> re.Pattern[str]:
    if not isinstance(regex, str | Regex):
        raise CommandError(51105, f"{name} needs 'regex' to be of type string or regex")
    if isinstance(regex, Regex) and regex.flags and not nothing(options):
        raise CommandError(51107, f"{name} found regex option(s) specified in both 'regex' and 'options'")
    return compile_regex(regex, "" if nothing(options) else options)


def _match_document(found: re.Match[str]) -> Document:
    return {"match": found.group(0), "idx": found.start(), "captures": list(found.groups())}


@named("$regexMatch", "input regex", "options")
def _regex_match(input: Any, regex: Any, options: Any) -> bool:
    if nothing(input) or nothing(regex):
        return False
    return _pattern("$regexMatch", regex, options).search(_text("$regexMatch", input, 51104)) is not None


@named("$regexFind", "input regex", "options")
def _regex_find(input: Any, regex: Any, options: Any) -> Any:
    if nothing(input) or nothing(regex):
        return None
    found = _pattern("$regexFind", regex, options).search(_text("$regexFind", input, 51104))
    return _match_document(found) if found else None


@named("$regexFindAll", "input regex", "options")
def _regex_find_all(input: Any, regex: Any, options: Any) -> list[Document]:
    if nothing(input) or nothing(regex):
        return []
    pattern = _pattern("$regexFindAll", regex, options)
    return [_match_document(found) for found in pattern.finditer(_text("$regexFindAll", input, 51104))]
