r"""PCRE2 patterns on the `regex` package: translated where the two differ, and bounded in time whatever the pattern.

MongoDB compiles with UTF but without UCP (`src/mongo/util/pcre.cpp`): `\w`, `\d`, `\s`, `\b` and POSIX classes know
ASCII only, while letters compare without case by Unicode's rules. PCRE2 gives up after a number of steps; here a match
ends when its time is up, which needs the package's `timeout`, as Python's own `re` cannot be stopped.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import regex
from bson import Regex

from emulators.mongodb.deadline import running
from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.turns import aside

MAX_PATTERN = 32_764  # bytes; the server's RegexMatchExpression::kMaxPatternSize
_QUICK_SECONDS = 0.005
MATCH_SECONDS = 0.5  # of the processor, for one match; PCRE2 gives up after 10,000,000 steps, which is about that
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": 0}
_WORD, _DIGIT, _SPACE = "A-Za-z0-9_", "0-9", r" \t\n\v\f\r"
_CLASSES = {
    "w": _WORD,
    "d": _DIGIT,
    "s": _SPACE,
    "h": r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
    "v": r"\n\v\f\r\x85\u2028\u2029",
}
_POSIX = {
    "alpha": "A-Za-z", "digit": _DIGIT, "alnum": "A-Za-z0-9", "upper": "A-Z", "lower": "a-z", "space": _SPACE,
    "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "word": _WORD, "cntrl": r"\x00-\x1f\x7f",
    "graph": "!-~", "print": " -~", "ascii": r"\x00-\x7f",
}  # fmt: skip
_BOUNDARY = rf"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_INSIDE = rf"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))"
_PLAIN = {
    "b": _BOUNDARY, "B": _INSIDE, "Z": r"(?=\n?(?![\s\S]))", "z": r"(?![\s\S])", "N": r"[^\n]", "e": r"\x1b",
    "a": r"\x07", "R": r"(?>\r\n|[\n\v\f\r\x85\u2028\u2029])", "A": r"\A", "G": r"\G", "K": r"\K", "X": r"\X",
    "n": r"\n", "r": r"\r", "t": r"\t", "f": r"\f",
}  # fmt: skip
_VERBS = re.compile(r"(?:\(\*(?:UTF8?|UCP)\))+")
_QUANTIFIER = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
# The package prepares to search for a long text in the third power of its length, without looking at the clock: an
# assertion that always holds, after so many characters, keeps every text short.
_TEXT_AT_MOST, _BREAK = 40, "(?!(?!))"
# The package writes a counted repetition out, and takes about 260 bytes for each piece: `(?:a{65535}){65535}` would
# take all the memory that there is. It also prepares in Python, about 5 µs for a character.
MAX_PIECES, MAX_HELD, _MAX_WRITTEN, _LONG = 100_000, 400_000, 200_000, 1_000
_MAX_COUNT = 65_535  # PCRE2's, of a repetition
_HEADER = re.compile(
    r"\(\?(?:P?<[A-Za-z_]\w*>|'\w+'|<[=!]|[:=!>|]|\((?:\d+|\w+|<\w+>|'\w+'|[?]<?[=!])\)?|[imsx-]+:|&\w+|P[>=]\w+|R|[+-]?\d+)"
)
_OPTIONS = re.compile(r"\(\?([imsx-]+)\)")
_OTHERS = re.compile(r"\(\?(?:[imsxnJUa^-]+[:)]|C)")
# One pattern is prepared at a time and some are matched at a time beside the others' work: each takes memory.
_PREPARING = threading.Lock()
_MATCHING = threading.BoundedSemaphore(4)


class Match(Protocol):
    """What is asked of a match."""

    def group(self, number: int, /) -> Any: ...
    def groups(self) -> tuple[Any, ...]: ...
    def start(self) -> int: ...


class Pattern:
    """A compiled expression. Each match is bounded by what is left of the command's time, and by MATCH_SECONDS."""

    def __init__(self, pattern: str, options: str, compiled: regex.Pattern[str], pieces: int) -> None:
        self.pattern, self.options, self._compiled, self.pieces = pattern, options, compiled, pieces

    def search(self, text: str) -> Match | None:
        found: Match | None = self._bounded(lambda seconds: self._compiled.search(text, timeout=seconds))
        return found

    def all(self, text: str) -> list[Match]:
        """Every match, left to right; the time of one bounds them all."""
        found: list[Match] = self._bounded(lambda seconds: list(self._compiled.finditer(text, timeout=seconds)))
        return found

    def _bounded(self, match: Callable[[float], Any]) -> Any:
        """Tries shortly first, with the turn in hand; what takes longer goes on beside the others' work."""
        deadline = running()  # beside the others' work it is theirs that runs
        try:
            try:
                return match(_QUICK_SECONDS)
            except TimeoutError:
                deadline.give_way()
            with aside(), _MATCHING:
                return match(deadline.left(MATCH_SECONDS))
        except TimeoutError:
            deadline.check()
            raise CommandError(
                51156,
                f"the regular expression {self.pattern!r} took more than {MATCH_SECONDS:g} s on one text: match limit "
                "exceeded",
            ) from None
        except (RecursionError, MemoryError):
            raise CommandError(51156, f"the regular expression {self.pattern!r} needs too much memory") from None


def compile_regex(pattern: Any, options: str = "", *, invalid: int = 51091) -> Pattern:
    """A compiled pattern from text or a BSON regular expression; `invalid` when it does not parse."""
    if isinstance(pattern, Regex):
        options = options or "".join(letter for letter, flag in _FLAGS.items() if flag and pattern.flags & flag)
        pattern = pattern.pattern
    if isinstance(pattern, bytes):
        pattern = pattern.decode()
    if type(pattern) is not str:
        raise bad_value("$regex has to be a string or a regular expression")
    small = len(pattern) < _LONG and "{" not in pattern
    return _kept(pattern, options, invalid) if small else _compile(pattern, options, invalid)


def held_regex(pattern: Any, options: str = "", *, invalid: int = 51091) -> Pattern:
    """A pattern that its command keeps to its end; 146 for one that keeps too many."""
    found = compile_regex(pattern, options, invalid=invalid)
    deadline = running()
    deadline.pieces += found.pieces
    if deadline.pieces > MAX_HELD:
        raise CommandError(146, "the regular expressions of one command need too much memory")
    return found


def _compile(pattern: str, options: str, invalid: int) -> Pattern:
    flags = 0
    for letter in options:
        if letter not in _FLAGS:
            raise CommandError(51108, f"invalid flag in regex options: {letter}")
        flags |= _FLAGS[letter]
    if "\0" in pattern:
        raise CommandError(51109, "Regular expression cannot contain an embedded null byte")
    if len(pattern.encode()) > MAX_PATTERN:
        raise CommandError(invalid, "Regular expression is invalid: regular expression is too large")
    try:
        verbs = _VERBS.match(pattern)
        unicode = bool(verbs and "(*UCP)" in verbs[0])
        text = pattern[len(verbs[0]) if verbs else 0 :]
        translation = _Translation(text, bool(flags & re.VERBOSE), unicode, bool(flags & re.IGNORECASE))
        translated = translation.run()
        compiled = _prepared(translated, int(flags) | regex.VERSION0 | regex.UNICODE)
    except (regex.error, OverflowError, RecursionError, IndexError, ValueError) as error:
        raise CommandError(invalid, f"Regular expression is invalid: {error} in {pattern[:_LONG]!r}") from error
    return Pattern(pattern, options, compiled, translation.pieces)


_kept = lru_cache(maxsize=512)(_compile)


def _prepared(translated: str, flags: int) -> regex.Pattern[str]:
    """The package's own form; a long one is made beside the others' work."""
    if len(translated) < _LONG:
        return regex.compile(translated, flags, cache_pattern=False)
    if len(translated) > _MAX_WRITTEN:
        raise ValueError("regular expression is too large")
    deadline = running()
    deadline.give_way()
    with aside(), _PREPARING:
        found: regex.Pattern[str] = regex.compile(translated, flags, cache_pattern=False)
    deadline.check()
    return found


class _Translation:
    """One walk through a pattern, which writes each piece as the package understands it."""

    def __init__(self, pattern: str, verbose: bool, unicode: bool, caseless: bool = False) -> None:
        self._text, self._at, self._verbose, self._unicode = pattern, 0, verbose, unicode
        self._caseless = caseless
        self._out: list[str] = []
        self._characters = self._groups = 0
        self._open = [0]  # for each group that is open, the groups that options have opened inside it
        self._weights = [[0, 0]]  # for each of them the pieces written out so far, and those of its last item

    def run(self) -> str:
        while self._at < len(self._text):
            self._piece(self._text[self._at])
        return "".join(self._out) + ")" * self._open[-1]

    @property
    def pieces(self) -> int:
        """How many there are once counted repetitions are written out."""
        return sum(map(sum, self._weights))

    def _weigh(self, weight: int) -> None:
        level = self._weights[-1]
        level[0], level[1] = level[0] + level[1], weight
        self._bound(level)

    def _repeat(self, quantifier: re.Match[str]) -> None:
        """The package writes as many copies as there have to be."""
        least, most = (int(quantifier[group] or 0) for group in (1, 2))
        if max(least, most) > _MAX_COUNT:
            raise ValueError("number too big in {} quantifier")
        level = self._weights[-1]
        level[1] *= max(least, 1)
        self._bound(level)

    def _bound(self, level: list[int]) -> None:
        if sum(level) > MAX_PIECES:
            raise ValueError("regular expression is too large")

    def _piece(self, letter: str) -> None:
        if letter == "\\":
            self._escape()
        elif letter == "[":
            self._set()
        elif letter == "(":
            self._group()
        elif letter == ")":
            extra = 0
            if len(self._open) > 1:
                extra = self._open.pop()
                self._weigh(1 + sum(self._weights.pop()))
            self._copy(1, ")" * extra)
        elif letter == "|" and self._open[-1]:
            raise not_supported("an option such as (?i) in front of an alternative of the same group")
        elif letter == "{":
            quantifier = _QUANTIFIER.match(self._text, self._at)
            if quantifier:
                self._repeat(quantifier)
                self._copy(len(quantifier[0]))
            else:
                self._literal("\\{", 1)
        elif letter == "#" and self._verbose:
            end = self._text.find("\n", self._at)
            self._copy((len(self._text) if end < 0 else end + 1) - self._at, "", replace=True)
        elif letter in "*+?.^$|" or (self._verbose and letter.isspace()):
            if letter in ".^$|":
                self._weigh(1)
            self._copy(1)
        elif self._caseless and letter in "iI":
            # To the package the dotted capital and the dotless small letter of Turkish are this one too.
            self._literal("(?-i:[iI])", 1)
        else:
            self._literal(letter, 1)

    def _literal(self, written: str, count: int) -> None:
        """A character that stands for itself, behind a break where it would make a text too long."""
        if self._characters >= _TEXT_AT_MOST:
            self._out.append(_BREAK)
            self._characters = 0
        self._characters += 1
        self._weigh(1 + len(written) // 8)
        self._out.append(written)
        self._at += count

    def _copy(self, count: int, before: str = "", *, replace: bool = False) -> None:
        self._out.append(before if replace else before + self._text[self._at : self._at + count])
        self._at += count

    def _group(self) -> None:
        if self._text.startswith("(*", self._at):
            raise not_supported("a verb such as (*UTF8) in a regular expression")
        if self._text.startswith("(?#", self._at):
            self._copy(self._text.index(")", self._at) + 1 - self._at, "", replace=True)
            return
        options = _OPTIONS.match(self._text, self._at)
        if options:
            # In PCRE2 they hold to the end of their group; the package wants them around what they are for.
            self._open[-1] += 1
            self._copy(len(options[0]), f"(?{options[1]}:", replace=True)
            return
        header = _HEADER.match(self._text, self._at)
        if header is None and self._text.startswith("(?", self._at):
            if _OTHERS.match(self._text, self._at):
                raise not_supported("(?n), (?J), (?U), (?^) or a callout in a regular expression")
            # The package knows more here: (?r), (?e), fuzzy matching and its own flags.
            raise ValueError(f"unrecognized character after (? or (?- at position {self._at + 2}")
        self._open.append(0)
        self._weights.append([0, 0])
        capturing = header is None or (header[0].startswith(("(?<", "(?P<", "(?'")) and header[0][3:4] not in "=!")
        self._groups += capturing
        self._copy(len(header[0]) if header else 1)

    def _escape(self) -> None:
        if self._at + 1 >= len(self._text):
            raise ValueError("\\ at end of pattern")
        letter = self._text[self._at + 1]
        if letter == "Q":
            end = self._text.find("\\E", self._at)
            quoted = self._text[self._at + 2 : len(self._text) if end < 0 else end]
            for character in quoted:
                self._literal(regex.escape(character), 0)
            self._at += len(quoted) + (2 if end < 0 else 4)
        elif letter == "E":
            self._copy(2, "", replace=True)
        elif self._unicode and letter in "wWdDsSbB":
            self._weigh(1)
            self._copy(2)
        elif letter.lower() in _CLASSES:
            negated = "^" if letter.isupper() else ""
            self._weigh(2)
            self._copy(2, f"[{negated}{_CLASSES[letter.lower()]}]", replace=True)
        elif letter in _PLAIN:
            self._literal(_PLAIN[letter], 2)
        else:
            self._character(letter)

    def _character(self, letter: str) -> None:
        """A character by its number, a reference, a property, or the letter itself."""
        rest = self._text[self._at :]
        numbered = re.match(r"\\x\{([0-9A-Fa-f]+)\}|\\o\{([0-7]+)\}|\\x([0-9A-Fa-f]{0,2})|\\(0[0-7]{0,2})|\\c(.)", rest)
        if numbered:
            code = _number(numbered)
            self._literal(regex.escape(chr(code)), len(numbered[0]))
        elif letter in "pP":
            found = re.match(r"\\[pP](?:\{\^?\w+\}|[A-Z])", rest)
            if not found:
                raise ValueError("malformed \\P or \\p sequence")
            self._weigh(1)
            self._copy(len(found[0]))
        elif letter in "gk":
            self._reference(rest)
        elif letter.isdigit():
            self._weigh(1)
            self._copy(len(re.match(r"\\\d+", rest)[0]))  # type: ignore[index]  # it begins so
        elif letter.isascii() and letter.isalpha():
            raise ValueError(f"unrecognized character follows \\: {letter}")
        else:
            self._literal(regex.escape(letter), 2)

    def _reference(self, rest: str) -> None:
        found = re.match(r"\\g\{?(-?\d+)\}?|\\[gk](?:\{(\w+)\}|<(\w+)>|'(\w+)')", rest)
        if not found:
            raise ValueError("a reference that is none")
        if found[1]:
            number = int(found[1])
            if number < 0:
                number += 1 + self._groups
            self._weigh(2)
            self._copy(len(found[0]), f"(?:\\{number})", replace=True)
        else:
            self._weigh(2)
            self._copy(len(found[0]), f"(?P={found[2] or found[3] or found[4]})", replace=True)

    def _set(self) -> None:
        """A class in brackets, whose contents are written as plain ranges."""
        text, at = self._text, self._at + 1
        out = "["
        if text.startswith("^", at):
            out, at = "[^", at + 1
        if text.startswith("]", at):
            out, at = out + "\\]", at + 1
        while text[at] != "]":
            posix = _POSIX_CLASS.match(text, at)
            if posix and self._unicode:
                out, at = out + posix[0], at + len(posix[0])
            elif posix:
                if posix[2] not in _POSIX:
                    raise ValueError("unknown POSIX class name")
                if posix[1]:
                    raise not_supported("a negated POSIX class such as [[:^alpha:]]")
                out, at = out + _POSIX[posix[2]], at + len(posix[0])
            elif text[at] == "\\" and self._unicode and text[at + 1] in "wWdDsS":
                out, at = out + text[at : at + 2], at + 2
            elif text[at] == "\\":
                piece, at = _in_set(text, at)
                out += piece
            else:
                out, at = out + (f"\\{text[at]}" if text[at] in "[&~|" else text[at]), at + 1
        self._literal(out + "]", at + 1 - self._at)  # a class of one character is that character to the package


def _in_set(text: str, at: int) -> tuple[str, int]:
    """An escape inside brackets, and where what follows it begins."""
    letter = text[at + 1]
    if letter in _CLASSES:
        return _CLASSES[letter], at + 2
    if letter in "WDS":
        return {"W": r"\x00-/:-@\[-^`{-\U0010ffff", "D": r"\x00-/:-\U0010ffff", "S": r"\x00-\x08\x0e-\x1f!-\U0010ffff"}[
            letter
        ], at + 2
    if letter == "b":
        return r"\x08", at + 2
    if letter == "Q":
        end = text.find("\\E", at)
        if end < 0:
            raise ValueError("missing terminating ] for character class")
        return regex.escape(text[at + 2 : end]), end + 2
    if letter == "E":
        return "", at + 2
    numbered = re.match(r"\\x\{([0-9A-Fa-f]+)\}|\\o\{([0-7]+)\}|\\x([0-9A-Fa-f]{0,2})|\\([0-7]{1,3})|\\c(.)", text[at:])
    if numbered:
        return regex.escape(chr(_number(numbered)), special_only=False), at + len(numbered[0])
    if letter in "pP":
        found = re.match(r"\\[pP](?:\{\^?\w+\}|[A-Z])", text[at:])
        if not found:
            raise ValueError("malformed \\P or \\p sequence")
        return found[0], at + len(found[0])
    if letter in "nrtfea":
        return _PLAIN[letter], at + 2
    if letter.isascii() and letter.isalnum():
        raise ValueError(f"unrecognized character follows \\: {letter}")
    return regex.escape(letter, special_only=False), at + 2


def _number(found: re.Match[str]) -> int:
    for group, base in ((1, 16), (2, 8), (3, 16), (4, 8)):
        if found[group] is not None:
            code = int(found[group] or "0", base)
            if code > 0x10FFFF:
                raise ValueError("character code point value in \\x{} or \\o{} is too large")
            return code
    return ord(found[5].upper()) ^ 0x40
