"""Captures show what is left on a terminal, in its colours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.captures.__main__ import draw
from tools.captures.screen import Screen


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("starting …\r\x1b[2Khere\r\nit is\r\n", ["here", "it is"]),
        ("⠋ stage 1\x1b[?25l\r⠙ stage 1 … 2 s\r\x1b[2K✓ stage 1\n", ["✓ stage 1"]),
        ("one\ntwo\x1b[1A\rONE", ["ONE", "two"]),
        ("abc\rX", ["Xbc"]),
        ("abc\r\x1b[K", []),
    ],
)
def test_what_was_wiped_is_gone(written: str, left: list[str]) -> None:
    screen = Screen()
    screen.feed(written)
    assert screen.lines() == left


def test_colours_stay() -> None:
    screen = Screen()
    screen.feed("\x1b[1;32mok\x1b[0m it is")
    assert screen.lines() == ["\x1b[0m\x1b[1;32mok\x1b[0m it is"]


def test_a_picture_has_the_command_and_what_it_said(tmp_path: Path) -> None:
    draw("status-80", "invoke status", "healthy  \x1b[32myes\x1b[0m\r\n", 80, tmp_path)
    assert (tmp_path / "status-80.txt").read_text(encoding="utf-8").splitlines() == ["$ invoke status", "healthy  yes"]
    assert "healthy" in (tmp_path / "status-80.svg").read_text(encoding="utf-8")


def test_a_line_that_is_too_long_goes_on_in_the_next(tmp_path: Path) -> None:
    draw("x", "x", "a" * 25, 10, tmp_path)
    assert (tmp_path / "x.txt").read_text(encoding="utf-8").split() == ["$", "x", "a" * 10, "a" * 10, "a" * 5]
