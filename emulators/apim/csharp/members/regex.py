"""System.Text.RegularExpressions on Python's `re`: .NET syntax is translated where it differs."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from emulators.apim.csharp.clr import ClrError, EvaluationLimit, room, to_text
from emulators.apim.csharp.clr_types import BOOL, INT, OBJECT, STRING, T, array
from emulators.apim.csharp.library import constructor, indexer, method, prop, static, static_prop

#: Text longer than this is not searched, and a longer pattern is not compiled.
MAX_TEXT, MAX_PATTERN = 256 * 1024, 16 * 1024
_FLAGS = {
    "IgnoreCase": re.IGNORECASE,
    "Multiline": re.MULTILINE,
    "Singleline": re.DOTALL,
    "IgnorePatternWhitespace": re.VERBOSE,
}
_OPTIONS = T("RegexOptions")
_NAMED = re.compile(r"\(\?<([A-Za-z_]\w*)>")
_REFERENCE = re.compile(r"\$(?:(\$)|(\d+)|\{(\w+)\}|(&))")


for _name, _flag in {**_FLAGS, "None": 0, "Compiled": 0, "CultureInvariant": 0}.items():
    static_prop("RegexOptions", _name, _OPTIONS, lambda flag=int(_flag): flag)  # type: ignore[misc]


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


_FUNCTIONS: dict[str, tuple[T, Callable[..., Any]]] = {
    "IsMatch": (BOOL, _is_match),
    "Match": (T("Match"), _match),
    "Matches": (T("MatchCollection"), _matches),
    "Split": (array(STRING), _split),
}


def _register(name: str, returns: T, function: Callable[..., Any]) -> None:
    @static("Regex", name, returns)
    def _static(text: str, pattern: str, options: Any = 0) -> Any:
        return function(compiled(pattern, options), text)

    @method("Regex", name, returns)
    def _instance(pattern: Any, text: str) -> Any:
        return function(pattern, text)


for _name, (_returns, _function) in _FUNCTIONS.items():
    _register(_name, _returns, _function)


def _evaluator(receiver: T, count: int, types: list[T]) -> list[T]:
    return [T("Match")] * count


@static("Regex", "Replace", STRING, lambdas=_evaluator)
def _static_replace(text: str, pattern: str, replacement: Any, options: Any = 0) -> str:
    return _replace(compiled(pattern, options), text, replacement)


@method("Regex", "Replace", STRING, lambdas=_evaluator)
def _instance_replace(pattern: Any, text: str, replacement: Any) -> str:
    return _replace(pattern, text, replacement)


constructor("Regex")(lambda pattern, options=0: compiled(pattern, options))
static("Regex", "Unescape", STRING)(lambda text: re.sub(r"\\(.)", r"\1", text))
prop("Capture", "Value", STRING, lambda group: group.value or "")
prop("Capture", "Index", INT, lambda group: group.start)
prop("Capture", "Length", INT, lambda group: len(group.value or ""))
static_prop("Match", "Empty", T("Match"), lambda: Match(None))
prop("Group", "Captures", T("CaptureCollection"), lambda group: _captures(group), note="the last one only")
prop("CaptureCollection", "Count", INT, len)
indexer("CaptureCollection", T("Capture"), INT)(lambda captures, index: captures[index])
prop("Group", "Success", BOOL, lambda group: group.value is not None)
prop("Match", "Groups", T("GroupCollection"), Groups)
method("Match", "Result", STRING)(lambda match, template: _expand(template, match.found) if match.found else "")
prop("GroupCollection", "Count", INT, len)
prop("MatchCollection", "Count", INT, len)
indexer("GroupCollection", T("Group"), OBJECT)(lambda groups, key: groups.match.group(key))


@indexer("MatchCollection", T("Match"), INT)
def _at(matches: list[Match], index: int) -> Match:
    if not 0 <= index < len(matches):
        raise ClrError("ArgumentOutOfRangeException", "Index was out of range.")
    return matches[index]
