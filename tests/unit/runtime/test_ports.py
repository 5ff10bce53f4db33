"""Ports are chosen long before anything listens on them: two platforms must not choose the same."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from twin.supervise import ports
from twin.supervise.ports import PortBook


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every port is free, and everybody draws the same numbers."""
    monkeypatch.setattr(ports, "is_free", lambda _: True)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))


def drawn(home: Path) -> int:
    random.seed(7)
    return PortBook(home / "ports.json").port_for("gateway")


def test_two_platforms_that_start_at_once_choose_different_ports(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert drawn(tmp_path / "a") != drawn(tmp_path / "b")


def test_a_choice_that_nobody_made_use_of_is_forgotten(tmp_path: Path) -> None:
    """After ten minutes: whoever listens is seen by listening."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = drawn(tmp_path / "a")
    mark = next(tmp_path.glob("mcp-ports-*/*"))
    os.utime(mark, (time.time() - 601, time.time() - 601))
    assert drawn(tmp_path / "b") == first


def test_without_a_place_for_marks_a_port_is_chosen_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    assert drawn(tmp_path) in range(20_000, 30_000)
