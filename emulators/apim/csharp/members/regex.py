"""System.Text.RegularExpressions on Python's `re`: .NET syntax is translated where it differs."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from emulators.apim.csharp.clr import ClrError, EvaluationLimit, room, to_text
from emulators.apim.csharp.library import declare

#: Text longer than this is not searched, and a longer pattern is not compiled.
MAX_TEXT, MAX_PATTERN = 256 * 1024, 16 * 1024
_FLAGS = {
    "IgnoreCase": re.IGNORECASE,
    "Multiline": re.MULTILINE,
    "Singleline": re.DOTALL,
    "IgnorePatternWhitespace": re.VERBOSE,
}
_NAMED = re.compile(r"\(\?<([A-Za-z_]\w*)>")
_REFERENCE = re.compile(r"\$(?:(\$)|(\d+)|\{(\w+)\}|(&))")


for _name, _flag in {**_FLAGS, "None": 0, "Compiled": 0, "CultureInvariant": 0}.items():
    declare("RegexOptions", f"static RegexOptions {_name}")(lambda flag=int(_flag): flag)


#: What .NET's engine knows and Python's does not, or takes for something else.
_UNKNOWN = {
    "Unicode categories (\\p{…})": re.compile(r"(?<!\\)(?:\\\\)*\\[pP]\{"),
    "class subtraction ([a-z-[aeiou]])": re.compile(r"\[[^\]]*-\["),
    "balancing groups": re.compile(r"\(\?<\w*-\w+>"),
    "the anchor \\G": re.compile(r"(?<!\\)(?:\\\\)*\\G"),
}
_ANCHORS = re.compile(r"\\(?:\\|[zZe])|\(\?'(\w+)'")
_ANCHOR = {r"\z": r"\Z", r"\Z": r"(?=\n?\Z)", r"\e": r"\x1b"}


def _anchor(found: re.Match[str]) -> str:
    return f"(?P<{found.group(1)}>" if found.group(1) else _ANCHOR.get(found.group(0), found.group(0))


def reject_unknown(pattern: str) -> None:
    """Raises EvaluationLimit, which no catch takes: what cannot be reproduced must not look like a bad pattern."""
    for what, sign in _UNKNOWN.items():
        if sign.search(pattern):
            raise EvaluationLimit(f"the local gateway's Regex does not know {what}: write the characters out")


@lru_cache(maxsize=512)
def compiled(pattern: str, options: int = 0) -> re.Pattern[str]:
    """The pattern in Python's syntax: named groups, `\\z`; `$` keeps its meaning, which is the same in both."""
    if len(pattern) > MAX_PATTERN:
        raise EvaluationLimit(f"a regular expression has more than {MAX_PATTERN} characters")
    reject_unknown(pattern)
    translated = _ANCHORS.sub(_anchor, _NAMED.sub(r"(?P<\1>", pattern))
    try:
        return re.compile(translated, options)
    except re.error as error:
        raise ClrError("ArgumentException", f'parsing "{pattern}" - {error}.') from error


def _text(value: Any) -> str:
    if value is None:
        raise ClrError("ArgumentNullException", "Value cannot be null. Parameter name: input")
    if len(value) > MAX_TEXT:
        raise EvaluationLimit(f"a regular expression was given more than {MAX_TEXT} characters")
    return str(value)


class Group:
    """Group and Capture: `span` is None where the group took no part."""

    __slots__ = ("start", "value")

    def __init__(self, value: str | None, start: int = 0) -> None:
        self.value, self.start = value, start

    def __str__(self) -> str:
        return self.value or ""


class Match(Group):
    __slots__ = ("found",)

    def __init__(self, found: re.Match[str] | None) -> None:
        super().__init__(found.group() if found else None, found.start() if found else 0)
        self.found = found

    def group(self, key: Any) -> Group:
        """A group that does not exist is an unsuccessful one, as in .NET."""
        if self.found is None:
            return Group(None)
        try:
            return Group(self.found.group(key), max(self.found.start(key), 0))
        except IndexError:
            return Group(None)


class Groups:
    __slots__ = ("match",)

    def __init__(self, match: Match) -> None:
        self.match = match

    def __len__(self) -> int:
        return 1 + (self.match.found.re.groups if self.match.found else 0)

    def __iter__(self) -> Any:
        return iter([self.match.group(index) for index in range(len(self))])


def _captures(group: Group) -> list[Group]:
    return [group] if group.value is not None else []


def _expand(template: str, found: re.Match[str]) -> str:
    def reference(part: re.Match[str]) -> str:
        if part.group(1):
            return "$"
        key: Any = 0 if part.group(4) else int(part.group(2)) if part.group(2) else part.group(3)
        try:
            return found.group(key) or ""
        except IndexError:
            return part.group(0)

    return _REFERENCE.sub(reference, template)


def _is_match(pattern: re.Pattern[str], text: Any) -> bool:
    return pattern.search(_text(text)) is not None


def _match(pattern: re.Pattern[str], text: Any) -> Match:
    return Match(pattern.search(_text(text)))


def _matches(pattern: re.Pattern[str], text: Any) -> list[Match]:
    return [Match(found) for found in pattern.finditer(_text(text))]


def _replace(pattern: re.Pattern[str], text: Any, replacement: Any) -> str:
    size = len(_text(text))

    def put(found: re.Match[str]) -> str:
        nonlocal size
        new = _expand(replacement, found) if isinstance(replacement, str) else to_text(replacement(Match(found)))
        size = room(size + len(new))
        return new

    return pattern.sub(put, _text(text))


def _split(pattern: re.Pattern[str], text: Any) -> list[str]:
    return [part or "" for part in pattern.split(_text(text))]


_FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "IsMatch": ("bool", _is_match),
    "Match": ("Match", _match),
    "Matches": ("MatchCollection", _matches),
    "Split": ("string[]", _split),
}
_OPTIONS = "RegexOptions options"
for _name, (_returns, _function) in _FUNCTIONS.items():
    declare(
        "Regex",
        f"static {_returns} {_name}(string input, string pattern)",
        f"static {_returns} {_name}(string input, string pattern, {_OPTIONS})",
    )(lambda text, pattern, options=0, function=_function: function(compiled(pattern, options), text))
    declare("Regex", f"{_returns} {_name}(string input)")(_function)
for _new in ("string replacement", "Func<Match, string> evaluator"):
    declare(
        "Regex",
        f"static string Replace(string input, string pattern, {_new})",
        f"static string Replace(string input, string pattern, {_new}, {_OPTIONS})",
    )(lambda text, pattern, new, options=0: _replace(compiled(pattern, options), text, new))
    declare("Regex", f"string Replace(string input, {_new})")(_replace)
declare("Regex", "Regex(string pattern)", f"Regex(string pattern, {_OPTIONS})")(compiled)
declare("Regex", "static string Unescape(string str)")(lambda text: re.sub(r"\\(.)", r"\1", text))
declare("Capture", "string Value")(lambda group: group.value or "")
declare("Capture", "int Index")(lambda group: group.start)
declare("Capture", "int Length")(lambda group: len(group.value or ""))
declare("Match", "static Match Empty")(lambda: Match(None))
declare("Group", "CaptureCollection Captures", note="the last one only")(_captures)
declare("CaptureCollection", "int Count")(len)
declare("CaptureCollection", "Capture this[int i]")(lambda captures, index: _capture(captures, index))


def _capture(captures: list[Any], index: int) -> Any:
    if not 0 <= index < len(captures):
        raise ClrError("ArgumentOutOfRangeException", "Specified argument was out of the range of valid values.")
    return captures[index]


declare("Group", "bool Success")(lambda group: group.value is not None)
declare("Match", "GroupCollection Groups")(Groups)
declare("Match", "string Result(string replacement)")(
    lambda match, template: _expand(template, match.found) if match.found else ""
)
declare("GroupCollection", "int Count")(len)
declare("MatchCollection", "int Count")(len)
declare("GroupCollection", "Group this[object key]")(lambda groups, key: groups.match.group(key))


@declare("MatchCollection", "Match this[int i]")
def _at(matches: list[Match], index: int) -> Match:
    if not 0 <= index < len(matches):
        raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
    return matches[index]
