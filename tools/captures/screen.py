"""What is left on a terminal: lines that were wiped or written over are gone, colours stay."""

from __future__ import annotations

import re

_PART = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]|\x1b[78=>]|[\r\n]|[^\x1b\r\n]+")


class Screen:
    """Endless downwards. Each place holds a character and the colours (SGR) that it was written in."""

    def __init__(self) -> None:
        self._rows: list[list[tuple[str, str]]] = [[]]
        self._row = self._column = 0
        self._style = ""

    def feed(self, text: str) -> None:
        for part in _PART.finditer(text):
            said, number, letter = part.group(), part.group(1), part.group(2)
            if letter:
                self._control(number, letter)
            elif said == "\r":
                self._column = 0
            elif said == "\n":
                self._move(1)
                self._column = 0
            elif not said.startswith("\x1b"):
                self._write(said)

    def lines(self) -> list[str]:
        """Each with its colours as control sequences; empty ones at the end are left out."""
        shown = [_line(row) for row in self._rows]
        while shown and not re.sub(r"\x1b\[[0-9;]*m", "", shown[-1]).strip():
            shown.pop()
        return shown

    def _control(self, number: str, letter: str) -> None:
        count = int(number) if number.isdigit() else 1
        if letter == "m":
            self._style = "" if number in ("", "0") else f"{self._style}\x1b[{number}m"
        elif letter == "A":
            self._move(-count)
        elif letter == "B":
            self._move(count)
        elif letter == "K":
            row = self._rows[self._row]
            del row[0 if number == "2" else self._column :]

    def _move(self, by: int) -> None:
        self._row = max(0, self._row + by)
        while len(self._rows) <= self._row:
            self._rows.append([])

    def _write(self, text: str) -> None:
        row = self._rows[self._row]
        row.extend([(" ", "")] * (self._column - len(row)))
        row[self._column : self._column + len(text)] = [(character, self._style) for character in text]
        self._column += len(text)


def _line(row: list[tuple[str, str]]) -> str:
    written, last = [], ""
    for character, style in row:
        if style != last:
            written.append(f"\x1b[0m{style}")
            last = style
        written.append(character)
    return "".join(written).rstrip() + ("\x1b[0m" if last else "")
