"""Programs that work in silence: a person sees for how long, and a log is as they wrote it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import elapsed

ROOT = Path(__file__).parents[3]
ADDED = r"\x1b7\x1b\[\?7l\x1b\[2m … \d+ s\x1b\[0m\x1b\[\?7h\x1b8"


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """The test run keeps its own."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_silence_is_filled_and_wiped_before_the_next_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's words, and its exit code, are its own."""
    monkeypatch.setattr(elapsed, "_QUIET", 0.05)
    noticed = tmp_path / "noticed"
    said: list[bytes] = []

    def write(words: bytes) -> None:
        said.append(words)
        if "…".encode() in words:
            noticed.touch()

    script = f"printf one; until test -e {noticed}; do sleep 0.01; done; printf two; exit 3"
    assert elapsed.run(["sh", "-c", script], write) == 3
    assert re.fullmatch(rf"one({ADDED})+\x1b\[Ktwo", b"".join(said).decode().removesuffix("\x1b[K"))


def test_a_signal_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nox ends its sessions so; nothing is left running."""

    def write(words: bytes) -> None:
        if b"ready" in words:
            signal.raise_signal(signal.SIGTERM)

    assert elapsed.run(["sh", "-c", "echo ready; exec sleep 60"], write) == 128 + signal.SIGTERM


def test_a_log_is_as_the_program_wrote_it() -> None:
    command = [sys.executable, "-m", "ops.elapsed", "sh", "-c", "echo one; echo two >&2; exit 4"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (4, "one\n", "two\n")
