"""A task's first words: at once, before anything is loaded, and gone when the task shows something."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from rich.live import Live

from ops.cli import output, spinner


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]  # io.StringIO has none

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What both the waiting and the tasks write to."""
    made = Terminal()
    monkeypatch.setattr(spinner, "sys", SimpleNamespace(stderr=made))  # pytest puts its own back into sys
    monkeypatch.setattr(spinner, "_PERIOD", 0.01)
    monkeypatch.setattr(
        output, "console", output.SpinnerEndingConsole(file=made, width=80, force_terminal=True, no_color=True)
    )
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("CI", raising=False)
    return made


def test_a_person_sees_that_a_task_works_until_it_speaks(terminal: Terminal) -> None:
    with spinner.spinner():
        assert terminal.getvalue().startswith("starting …")
        while not re.search(r"working … \d+ s", terminal.getvalue()):
            time.sleep(0.001)
        output.say("here it is")
        begun = terminal.getvalue().rpartition("\r\x1b[2K")[2]
        output.say("and more")
    assert begun == "here it is\n"
    assert terminal.getvalue().endswith("here it is\nand more\n")


def test_what_a_machine_reads_ends_the_waiting_too(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    with spinner.spinner():
        output.data("a-token")
        assert terminal.getvalue().endswith("\r\x1b[2K")
    assert capsys.readouterr().out == "a-token\n"


def test_a_live_table_ends_the_waiting(terminal: Terminal) -> None:
    """`invoke watch` has one, and prints nothing."""
    with spinner.spinner(), Live("calls", console=output.console, auto_refresh=False):
        assert spinner._running == []
    assert "working" not in terminal.getvalue().rpartition("\r\x1b[2K")[2]


def test_a_task_that_says_nothing_leaves_nothing(terminal: Terminal) -> None:
    with spinner.spinner():
        pass
    assert terminal.getvalue().endswith("\r\x1b[2K")


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_a_log_gets_none_of_it(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with spinner.spinner():
        pass
    assert terminal.getvalue() == ""


def test_tasks_load_nothing_slow_before_their_first_words() -> None:
    """Settings, output and the twin's parts are loaded by the task that runs, while the person sees that it does."""
    loaded = "import invoke.main, sys; before = set(sys.modules); import tasks; print(*set(sys.modules) - before)"
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    slow = {"rich", "pydantic", "pydantic_settings", "asyncio", "ops.cli.output", "ops.config.settings"}
    assert "ops.cli.task" in ran.stdout.split()
    assert not slow & set(ran.stdout.split())
