"""Regular expressions of PCRE2 as trees, as far as `regexes` calculates with them ("pcre2pattern", PCRE2 manual).

Only what is known is read: for anything else `parse` raises UnknownSyntaxError, which names it. What a database would
refuse as malformed may be read in any way.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from functools import cached_property, reduce

MAX_REPEAT = 1_000  # what a counted repetition may ask for
MAX_DEPTH = 100  # groups in each other
_ASCII = 128
_REST = 1 << _ASCII  # every character that is not ASCII
_ALL = (_REST << 1) - 1
# In mode `i` these are also characters beyond ASCII ("CaseFolding.txt", Unicode): the Kelvin sign and the long s.
_FOLD_BEYOND = frozenset("kKsS")


class UnknownSyntaxError(Exception):
    """Its text names what is not known, as in "a reference to a group"."""


@dataclass(frozen=True)
class Characters:
    """One character of a set: a bit for each of ASCII, and one for all others. Upper and lower case count as the same,
    so that the options of the expression need not be known."""

    bits: int

    @classmethod
    def of(cls, text: str) -> Characters:
        bits = 0
        for char in text:
            for cased in {char, char.lower(), char.upper()}:
                bits |= 1 << ord(cased) if len(cased) == 1 and ord(cased) < _ASCII else _REST
            bits |= _REST if char in _FOLD_BEYOND else 0
        return cls(bits)

    def disjoint(self, other: Characters) -> bool:
        return not self.bits & other.bits

    def __or__(self, other: Characters) -> Characters:
        return Characters(self.bits | other.bits)

    def inverted(self) -> Characters:
        # Cased pairs are whole in a set, but a range of others is one bit: it may be on both sides.
        return Characters(_ALL & ~self.bits | _REST)

    @property
    def first(self) -> Characters:
        return self

    @property
    def empty(self) -> bool:
        return False

    @property
    def width(self) -> int:
        return 1

    @property
    def run(self) -> tuple[Characters, ...]:
        return (self,)


NOTHING = Characters(0)
ANYTHING = Characters(_ALL)


@dataclass(frozen=True)
class Look:
    """Matches no character: an anchor (`inner` None; `start` for the text's beginning), or a look around."""

    inner: Node | None = None
    start: bool = False

    @cached_property
    def first(self) -> Characters:
        """What a look around does is done before the next character is looked at: nothing is told by that one."""
        return NOTHING if self.inner is None else ANYTHING

    @property
    def empty(self) -> bool:
        return True

    @property
    def width(self) -> int:
        return 1

    @property
    def run(self) -> tuple[Characters, ...]:
        return ()


@dataclass(frozen=True)
class Atomic:
    """A group that gives nothing back: `(?>…)`, or a possessive repetition."""

    inner: Node

    @cached_property
    def first(self) -> Characters:
        return self.inner.first

    @cached_property
    def empty(self) -> bool:
        return self.inner.empty

    @cached_property
    def width(self) -> int:
        return self.inner.width

    @cached_property
    def run(self) -> tuple[Characters, ...]:
        return self.inner.run


@dataclass(frozen=True)
class Sequence:
    parts: tuple[Node, ...]

    @cached_property
    def first(self) -> Characters:
        found = NOTHING
        for part in self.parts:
            found |= part.first
            if not part.empty:
                break
        return found

    @cached_property
    def empty(self) -> bool:
        return all(part.empty for part in self.parts)

    @cached_property
    def width(self) -> int:
        found = 0
        for part in self.parts:
            found += part.width
            if not part.empty:
                break
        return max(found, 1)

    @cached_property
    def run(self) -> tuple[Characters, ...]:
        """The characters that it begins with in any case, one set for each place."""
        found: tuple[Characters, ...] = ()
        for part in self.parts:
            found += part.run
            if not isinstance(part, Characters):
                break
        return found


@dataclass(frozen=True)
class Alternation:
    branches: tuple[Node, ...]

    @cached_property
    def first(self) -> Characters:
        return reduce(Characters.__or__, (branch.first for branch in self.branches), NOTHING)

    @cached_property
    def empty(self) -> bool:
        return any(branch.empty for branch in self.branches)

    @cached_property
    def width(self) -> int:
        return sum(branch.width for branch in self.branches)

    @property
    def run(self) -> tuple[Characters, ...]:
        return () if self.empty else (self.first,)

    @cached_property
    def exclusive(self) -> bool:
        """Whether no text matches two of the branches from one place."""
        seen: list[tuple[Characters, ...]] = []
        for run in (branch.run for branch in self.branches):
            if not all(any(map(Characters.disjoint, run, other)) for other in seen):
                return False
            seen.append(run)
        return True


@dataclass(frozen=True)
class Repetition:
    """`most` None is without end."""

    inner: Node
    least: int
    most: int | None

    @cached_property
    def first(self) -> Characters:
        return self.inner.first

    @cached_property
    def empty(self) -> bool:
        return self.least == 0 or self.inner.empty

    @cached_property
    def width(self) -> int:
        return self.inner.width + 1

    @property
    def run(self) -> tuple[Characters, ...]:
        return () if self.empty else (self.first,)


Node = Characters | Look | Atomic | Sequence | Alternation | Repetition

_DIGITS = Characters.of(string.digits)
_WORD = Characters.of(string.ascii_letters + string.digits + "_")
_SPACE = Characters.of(" \t\n\r\f\v")
_SETS = {
    **{"d": _DIGITS, "w": _WORD, "s": _SPACE, "h": Characters.of(" \t\xa0"), "v": Characters.of("\n\v\f\r\x85")},
    **{"R": Characters.of("\n\v\f\r\x85"), "N": ANYTHING},
}
_ANCHORS = frozenset("bBAZzG")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "e": "\x1b", "a": "\x07"}
_NUMBERED = re.compile(r"x(?:\{\s*([0-9A-Fa-f]{1,8})\s*\}|([0-9A-Fa-f]{0,2}))|o\{\s*([0-7]{1,11})\s*\}|(0[0-7]{0,2})")
_SOME = re.compile(r"[pP](?:\{[^}]{0,60}\}|[A-Za-z])|c.", re.DOTALL)  # by property, or with the control key
_QUANTIFIER = re.compile(r"\{\s*(\d{1,9})?\s*(,)?\s*(\d{1,9})?\s*\}")
_NAMED_GROUP = re.compile(r"\?(?:P?<(?![=!])|')[^>')]{0,100}[>']")
_FLAGS = re.compile(r"\?(\^?[imsxnJU]*(?:-[imsxnJU]*)?)([:)])")
_POSIX = re.compile(r"\[:\^?[a-z]+:\]")
_START = re.compile(r"\(\*(?:UCP|UTF8?)\)")
_COMMENT = re.compile(r"\(\?#[^)]*\)")


def parse(pattern: str, *, extended: bool = False, multiline: bool = False) -> Node:
    """The tree of an expression. `extended` and `multiline` are the options `x` and `m`. Raises UnknownSyntaxError."""
    if "\0" in pattern:
        raise UnknownSyntaxError("a null character")
    at, unicode = 0, False
    while (verb := _START.match(pattern, at)) is not None:
        unicode, at = unicode or "UCP" in verb.group(), verb.end()
    parser = _Parser(pattern, at, unicode=unicode)
    parser.modes = [_Mode(extended=extended, multiline=multiline)]
    return parser.whole()


@dataclass(frozen=True)
class _Mode:
    extended: bool
    multiline: bool


@dataclass
class _Parser:
    text: str
    at: int
    unicode: bool  # `(*UCP)`: \\d, \\w and \\s hold characters beyond ASCII too
    modes: list[_Mode] = field(default_factory=list)

    def whole(self) -> Node:
        branches = [self.alternation()]
        while self.at < len(self.text):  # a bracket that closes nothing
            self.at += 1
            branches.append(self.alternation())
        return branches[0] if len(branches) == 1 else Sequence(tuple(branches))

    def alternation(self) -> Node:
        if len(self.modes) > MAX_DEPTH:
            raise UnknownSyntaxError(f"more than {MAX_DEPTH} groups in each other")
        mode = self.modes[-1]
        self.modes.append(mode)
        branches = [self.sequence()]
        while self._peek() == "|":
            self.at += 1
            branches.append(self.sequence())
        self.modes.pop()
        return branches[0] if len(branches) == 1 else Alternation(tuple(branches))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while True:
            self._skip()
            if self._peek() in ("", "|", ")"):
                return parts[0] if len(parts) == 1 else Sequence(tuple(parts))
            atom = self.atom()
            if atom is not None:
                parts.append(self.quantified(atom))

    def atom(self) -> Node | None:
        """None for what stands for nothing, such as a change of options."""
        char = self._peek()
        self.at += 1
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._class()
        if char == "(":
            return self._group()
        if char == ".":
            return ANYTHING
        if char == "^":
            return Look(start=not self.modes[-1].multiline)
        if char == "$":
            return Look()
        return Characters.of(char)

    def quantified(self, atom: Node) -> Node:
        while True:
            self._skip()
            bounds = self._bounds()
            if bounds is None:
                return atom
            atom = Repetition(atom, *bounds)
            self._skip()
            if self._peek() == "?":
                self.at += 1  # lazy: another order of the same paths
            elif self._peek() == "+":
                self.at += 1
                atom = Atomic(atom)

    def _bounds(self) -> tuple[int, int | None] | None:
        char = self._peek()
        if char and char in "*+?":
            self.at += 1
            return int(char == "+"), 1 if char == "?" else None
        found = _QUANTIFIER.match(self.text, self.at)
        if found is None or not (found.group(1) or found.group(3)):
            return None
        self.at = found.end()
        least, comma, most = int(found.group(1) or 0), found.group(2), found.group(3)
        if max(least, int(most or 0)) > MAX_REPEAT:
            raise UnknownSyntaxError(f"a repetition of more than {MAX_REPEAT} times")
        return least, least if comma is None else int(most) if most else None

    def _group(self) -> Node | None:
        self.at -= 1
        if (comment := _COMMENT.match(self.text, self.at)) is not None:
            self.at = comment.end()
            return None
        self.at += 1
        if self._peek() == "*":
            raise UnknownSyntaxError("a verb `(*…)`")
        if self._peek() != "?":
            return self._inside()
        if (named := _NAMED_GROUP.match(self.text, self.at)) is not None:
            self.at = named.end()
            return self._inside()
        if (flags := _FLAGS.match(self.text, self.at)) is not None:
            return self._options(flags)
        kind = next((opening for opening in _OPENINGS if self.text.startswith(opening, self.at)), None)
        if kind is not None:
            self.at += len(kind)
            inner = self._inside()
            return inner if kind == "?|" else Atomic(inner) if kind == "?>" else Look(inner)
        raise UnknownSyntaxError(f"`({self.text[self.at : self.at + 3]}…`")

    def _options(self, flags: re.Match[str]) -> Node | None:
        self.at = flags.end()
        on, _, off = flags.group(1).removeprefix("^").partition("-")
        before = self.modes[-1]
        kept = before if not flags.group(1).startswith("^") else _Mode(extended=False, multiline=False)
        mode = _Mode(
            extended=("x" in on or kept.extended) and "x" not in off,
            multiline=("m" in on or kept.multiline) and "m" not in off,
        )
        self.modes[-1] = mode
        if flags.group(2) == ")":
            return None
        inner = self._inside()
        self.modes[-1] = before
        return inner

    def _inside(self) -> Node:
        inner = self.alternation()
        self.at += self._peek() == ")"
        return inner

    def _escape(self, *, in_class: bool = False) -> Node | None:
        char = self._peek()
        if char == "":
            return Characters.of("\\")
        if char == "Q":
            return self._literal(in_class=in_class)
        if (found := _NUMBERED.match(self.text, self.at)) is not None:
            self.at = found.end()
            hexadecimal, octal = found.group(1) or found.group(2), found.group(3) or found.group(4)
            return _by_number(octal, 8) if octal else _by_number(hexadecimal or "0", 16)
        if (found := _SOME.match(self.text, self.at)) is not None:
            self.at = found.end()
            return ANYTHING
        self.at += 1
        if char == "E":
            return None
        if char.lower() in _SETS and (char in _SETS or char in "DWSHV"):
            return self._set(char)
        if in_class and char == "b":
            return Characters.of("\b")
        if char in _ANCHORS:
            return Look(start=char == "A")
        if char in _CONTROLS:
            return Characters.of(_CONTROLS[char])
        if char in "123456789gk" and not in_class:
            raise UnknownSyntaxError("a reference to a group")
        if char in string.ascii_letters:
            raise UnknownSyntaxError(f"`\\{char}`")
        return ANYTHING if in_class and char.isdigit() else Characters.of(char)

    def _literal(self, *, in_class: bool) -> Node | None:
        """`\\Q…\\E`. A quantifier behind it repeats its last character."""
        end = self.text.find("\\E", self.at)
        literal = self.text[self.at + 1 : end if end >= 0 else len(self.text)]
        self.at = end + 2 if end >= 0 else len(self.text)
        if in_class:
            return Characters.of(literal)
        if not literal:
            return None
        return Sequence((*map(Characters.of, literal[:-1]), self.quantified(Characters.of(literal[-1]))))

    def _set(self, char: str) -> Characters:
        chosen = _SETS.get(char) or _SETS[char.lower()].inverted()
        return Characters(chosen.bits | _REST) if self.unicode else chosen

    def _class(self) -> Characters:
        negated = self._peek() == "^"
        self.at += negated
        found, begun = NOTHING, False
        while self.at < len(self.text) and (self._peek() != "]" or not begun):
            begun = True
            low, single = self._member()
            if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("", "]"):
                self.at += 1
                high, also_single = self._member()
                found |= _range(single, also_single) if single and also_single else low | high | Characters.of("-")
            else:
                found |= low
        self.at += 1
        return found.inverted() if negated else found

    def _member(self) -> tuple[Characters, str | None]:
        """What it adds to the class; and the character, where it is a plain one that a range may begin or end with."""
        if (posix := _POSIX.match(self.text, self.at)) is not None:
            self.at = posix.end()
            return ANYTHING, None
        char = self._peek()
        self.at += 1
        if char != "\\":
            return Characters.of(char), char
        escaped = self._escape(in_class=True)
        if isinstance(escaped, Characters):
            plain = self.text[self.at - 1]
            return escaped, plain if escaped == Characters.of(plain) and not plain.isalnum() else None
        return ANYTHING if escaped is not None else NOTHING, None

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip(self) -> None:
        """White space and comments, where they do not count."""
        while self.modes[-1].extended and self.at < len(self.text):
            if self.text[self.at].isspace():
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = end + 1 if end >= 0 else len(self.text)
            else:
                return


_OPENINGS = ("?=", "?!", "?<=", "?<!", "?>", "?|")


def _by_number(digits: str, base: int) -> Characters:
    number = int(digits, base)
    return Characters.of(chr(number)) if number < _ASCII else Characters(_REST)


def _range(low: str, high: str) -> Characters:
    """Both ends and all between; whatever the order, because the database refuses the wrong one."""
    begin, end = sorted((ord(low), ord(high)))
    beyond = Characters(_REST) if end >= _ASCII else NOTHING
    return Characters.of("".join(map(chr, range(begin, min(end + 1, _ASCII))))) | beyond
