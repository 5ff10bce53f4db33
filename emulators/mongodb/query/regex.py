"""PCRE patterns on Python's `re`: translated where the two agree, refused by name where they do not."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from bson import Regex

from emulators.mongodb.errors import CommandError, bad_value, not_supported

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": 0}
_DIFFERENT = (
    (re.compile(r"\[\[?:"), "a POSIX class such as [[:alpha:]]"),
    (re.compile(r"\{,"), "the quantifier {,n}"),
    (re.compile(r"(?<!\\)(?:\\\\)*\\[ZN]"), "the escape \\Z or \\N"),
    (re.compile(r"\(\*"), "a verb such as (*UTF8)"),
)
_CLASSES = re.compile(r"(?<!\\)(?:\\\\)*\\[wWdDsSbB]")


def compile_regex(pattern: Any, options: str = "") -> re.Pattern[str]:
    """A compiled pattern from text or a BSON regular expression; 51091 when it does not parse, as MongoDB answers."""
    if isinstance(pattern, Regex):
        options = options or "".join(letter for letter, flag in _FLAGS.items() if flag and pattern.flags & flag)
        pattern = pattern.pattern
    if type(pattern) is not str:
        raise bad_value("$regex has to be a string or a regular expression")
    return _compile(pattern, options)


@lru_cache(maxsize=512)
def _compile(pattern: str, options: str) -> re.Pattern[str]:
    flags = 0
    for letter in options:
        if letter not in _FLAGS:
            raise CommandError(51108, f"invalid flag in regex options: {letter}")
        flags |= _FLAGS[letter]
    if "\0" in pattern:
        raise CommandError(51109, "Regular expression cannot contain an embedded null byte")
    for difference, name in _DIFFERENT:
        if difference.search(pattern):
            raise not_supported(f"{name} in the regular expression {pattern!r}")
    if _CLASSES.search(pattern):
        # PCRE's \w, \d, \s and \b know ASCII only.
        if flags & re.IGNORECASE and not pattern.isascii():
            raise not_supported(f"'i' together with \\w, \\d, \\s or \\b and non-ASCII letters in {pattern!r}")
        flags |= re.ASCII
    try:
        return re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise CommandError(51091, f"Regular expression is invalid: {error} in {pattern!r}") from error
