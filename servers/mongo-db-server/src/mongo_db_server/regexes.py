"""Regular expressions that a database could spend its life on.

MongoDB's engine backtracks: a repetition of something that itself repeats without bound takes exponential time on text
that almost matches ("Regular expression Denial of Service", OWASP). `maxTimeMS` does not interrupt the engine within
one document, so such expressions are refused before they are sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mongo_db_server.errors import RefusedError

MAX_UNBOUNDED = 10
MAX_REPEAT = 1_000
MAX_POWER = 3  # how often a group that holds an open repetition may be repeated
_BRACES = re.compile(r"\{(\d+)(,(\d*))?\}")


@dataclass
class _Group:
    varies: bool = False  # holds a part of no fixed length
    unbounded: bool = False
    branches: bool = False


def check_regex(pattern: str, max_length: int) -> None:
    """Raises RefusedError for an expression that is too long or repeats a repetition."""
    if len(pattern) > max_length:
        raise RefusedError(f"A regular expression is longer than {max_length} characters (`MCP_REGEX_LENGTH_CEILING`).")
    _Scan(pattern).run()


class _Scan:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._open = [_Group()]
        self._unbounded = 0

    def run(self) -> None:
        while self._at < len(self._text):
            closed = self._atom()
            self._quantifier(closed)

    def _atom(self) -> _Group | None:
        """Steps over one atom; a group that has just been closed is returned."""
        char = self._text[self._at]
        self._at += 1
        if char == "\\":
            self._escape()
        elif char == "[":
            self._character_class()
        elif char == "(":
            self._open.append(_Group())
            self._at += self._text[self._at : self._at + 1] == "?"
        elif char == "|":
            self._open[-1].branches = True
        elif char == ")" and len(self._open) > 1:
            closed = self._open.pop()
            self._open[-1].varies |= closed.varies
            self._open[-1].unbounded |= closed.unbounded
            self._open[-1].branches |= closed.branches
            return closed
        return None

    def _escape(self) -> None:
        if self._at < len(self._text) and self._text[self._at] in "123456789gk":
            raise RefusedError("A regular expression refers back to a group, which takes unbounded time: refused.")
        self._at += 1

    def _character_class(self) -> None:
        self._at += 1 if self._text[self._at : self._at + 1] == "^" else 0
        self._at += 1 if self._text[self._at : self._at + 1] == "]" else 0
        while self._at < len(self._text) and self._text[self._at] != "]":
            self._at += 2 if self._text[self._at] == "\\" else 1
        self._at += 1

    def _quantifier(self, closed: _Group | None) -> None:
        least, most = self._repetition()
        if (least, most) == (1, 1):
            return
        if closed is not None and _explodes(closed, most):
            raise RefusedError(
                "A regular expression repeats a group that repeats or branches itself, which takes exponential time on "
                "some texts: write it without the nesting."
            )
        group = self._open[-1]
        group.varies |= least != most
        group.unbounded |= most is None
        self._unbounded += most is None
        if self._unbounded > MAX_UNBOUNDED:
            raise RefusedError(f"A regular expression holds more than {MAX_UNBOUNDED} open repetitions: refused.")

    def _repetition(self) -> tuple[int, int | None]:
        """Least and most times that the atom before occurs; None is without end."""
        char = self._text[self._at : self._at + 1]
        if char in ("*", "+", "?") and char:
            self._at += 1
            return int(char == "+"), 1 if char == "?" else None
        braces = _BRACES.match(self._text, self._at)
        if braces is None:
            return 1, 1
        self._at += len(braces.group())
        least, comma, most = int(braces.group(1)), braces.group(2), braces.group(3)
        if max(least, int(most or 0)) > MAX_REPEAT:
            raise RefusedError(f"A regular expression repeats more than {MAX_REPEAT} times: refused.")
        if comma is None:
            return least, least
        return least, int(most) if most else None


def _explodes(group: _Group, most: int | None) -> bool:
    if most is None:
        return group.varies or group.branches
    return group.unbounded and most > MAX_POWER
