"""JSON as Newtonsoft.Json reads it, which is more than RFC 8259 has: texts in single quotes, bare names, comments,
trailing commas, NaN and Infinity, hexadecimal and octal numbers, a byte-order mark, `undefined` (JsonTextReader).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from emulators.apim.csharp.clr import ClrError

_SPACE = re.compile(r"(?:\s|﻿|/\*.*?\*/|//[^\n\r]*)*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_$]+")
_WORD = re.compile(r"[A-Za-z0-9_.+-]+")
_PLAIN = re.compile(r"[^\"'\\]+")
_WORDS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": None,
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
}
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "/": "/", "\\": "\\", '"': '"', "'": "'"}
_MAX_DEPTH = 500


def read(text: str) -> Any:
    """The plain value. Raises ClrError (JsonReaderException) with the place where reading ended."""
    try:
        return json.loads(text)
    except RecursionError:
        raise _failure(text, 0, "The reader's MaxDepth has been exceeded.") from None
    except ValueError:
        return _Reader(text).document()


def _failure(text: str, at: int, why: str) -> ClrError:
    line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1)
    return ClrError("JsonReaderException", f"{why} Path '', line {line}, position {column}.")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def document(self) -> Any:
        found = self.value(0)
        self.skip()
        if self.at < len(self.text):
            raise self.fail("Additional text encountered after finished reading JSON content.")
        return found

    def fail(self, why: str = "") -> ClrError:
        shown = self.text[self.at : self.at + 1]
        unexpected = f"Unexpected character encountered while parsing value: {shown}."
        return _failure(self.text, self.at, why or (unexpected if shown else "Unexpected end of content."))

    def skip(self) -> str:
        """The next character that means something, which stays."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found is not None else self.at
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise self.fail("The reader's MaxDepth has been exceeded.")
        sign = self.skip()
        if sign == "{":
            return self.object(depth)
        if sign == "[":
            return self.array(depth)
        if sign in ("'", '"'):
            return self.string()
        return self.word()

    def object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        while (sign := self.skip()) != "}":
            if sign in ("'", '"'):
                name = self.string()
            else:
                bare = _NAME.match(self.text, self.at)
                if bare is None:
                    raise self.fail("Invalid property identifier character." if sign else "")
                name, self.at = bare.group(), bare.end()
            self.expect(":")
            found[name] = self.value(depth + 1)
            self.separate("}")
        self.at += 1
        return found

    def array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        while self.skip() != "]":
            found.append(self.value(depth + 1))
            self.separate("]")
        self.at += 1
        return found

    def expect(self, sign: str) -> None:
        if self.skip() != sign:
            raise self.fail()
        self.at += 1

    def separate(self, close: str) -> None:
        """A comma, which may also stand before the bracket that closes."""
        if self.skip() == ",":
            self.at += 1
        elif self.skip() != close:
            raise self.fail("After parsing a value an unexpected character was encountered." if self.skip() else "")

    def string(self) -> str:
        quote, parts = self.text[self.at], list[str]()
        self.at += 1
        while True:
            plain = _PLAIN.match(self.text, self.at)
            if plain is not None:
                parts.append(plain.group())
                self.at = plain.end()
            sign = self.text[self.at : self.at + 1]
            if not sign:
                raise self.fail("Unterminated string.")
            self.at += 1
            if sign == quote:
                return _joined_surrogates("".join(parts))
            parts.append(self.escape() if sign == "\\" else sign)

    def escape(self) -> str:
        sign = self.text[self.at : self.at + 1]
        self.at += 1
        if sign == "u":
            digits = self.text[self.at : self.at + 4]
            self.at += 4
            if not re.fullmatch(r"[0-9A-Fa-f]{4}", digits):
                raise self.fail("Invalid Unicode escape sequence.")
            return chr(int(digits, 16))
        if sign not in _ESCAPES or not sign:
            raise self.fail("Bad JSON escape sequence.")
        return _ESCAPES[sign]

    def word(self) -> Any:
        found = _WORD.match(self.text, self.at)
        text = found.group() if found is not None else ""
        if text in _WORDS:
            self.at += len(text)
            return _WORDS[text]
        number = _number(text)
        if number is None:
            raise self.fail()
        self.at += len(text)
        return number


def _joined_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _number(text: str) -> int | float | None:
    if re.fullmatch(r"-?0[xX][0-9A-Fa-f]+", text):
        return int(text, 16)
    if re.fullmatch(r"0[0-7]+", text):
        return int(text, 8)
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        return float(text)
    return None
