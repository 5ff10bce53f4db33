"""How `nox -s newcomer` reads the README: nothing is left out in silence."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tools.newcomer import __main__ as newcomer
from tools.newcomer import terminal
from tools.newcomer.readme import commands
from tools.newcomer.terminal import Ran, last_words

README = Path(__file__).parents[3] / "README.md"


def test_the_two_commands_and_the_look_around_are_run() -> None:
    run = [command.text for command in commands(README.read_text(encoding="utf-8")) if not command.reason]
    assert "pip install -r requirements.txt && invoke deploy" in run
    assert "pip install -r requirements.txt && nox" in run
    assert {"invoke status", "invoke destroy", "invoke doctor"} <= set(run)


def test_what_needs_azure_is_listed_with_its_reason() -> None:
    left_out = [command for command in commands(README.read_text(encoding="utf-8")) if command.reason]
    assert {"invoke bootstrap.identity --env dev", "invoke deploy --env dev"} <= {c.text for c in left_out}
    assert all(" " in command.reason for command in left_out)


def test_a_command_is_read_without_its_comment_and_in_one_line() -> None:
    text = "words\n\n```sh\ninvoke status   # what runs\naz group create \\\n  --name x\n```\n"
    found = commands(text)
    assert [command.text for command in found] == ["invoke status", "az group create --name x"]
    assert [bool(command.reason) for command in found] == [False, True]


def test_failures_and_long_silences_are_problems() -> None:
    ran = [
        Ran("true", 0, 9.0, 4.9, "", ""),
        Ran("false", 1, 0.1, 0.0, "", "bad\nworse\n"),
        Ran("slow", 0, 9.0, 6.0, "Installing", ""),
    ]
    assert newcomer.problems(ran) == [
        "error: `false` ended with code 1: worse",
        "error: `slow` said nothing for 6.0 s after: Installing",
    ]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_silence_of_pip_or_venv_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told by what runs in the terminal at its end."""
    monkeypatch.setattr(terminal, "THEIRS", re.compile("^sleep"))
    with terminal.Shell(tmp_path, {"PATH": os.environ["PATH"]}) as shell:
        step = shell.run("sleep 0.6; echo done")
    assert step.theirs >= 0.5
    assert step.silence < step.theirs


def test_the_page_has_a_row_for_each_command() -> None:
    written = newcomer.page([Ran("invoke deploy", 0, 30.25, 1.5, "a | b `c`", "", 0.5)])
    assert "| `invoke deploy` | 0 | 30.2 | 1.5 | 0.5 | a / b c |" in written


def test_a_first_shell_has_no_caches(tmp_path: Path) -> None:
    """An empty home, and nothing of the environment that runs the script."""
    given = {
        "PATH": "/venv/bin:/usr/bin",
        "VIRTUAL_ENV": "/venv",
        "XDG_CACHE_HOME": "/c",
        "UV_CACHE_DIR": "/c",
        "CI": "true",
    }
    found = newcomer.surroundings(given, tmp_path / "home")
    assert (found["PATH"], found["HOME"]) == ("/usr/bin", str(tmp_path / "home"))
    assert not {"VIRTUAL_ENV", "XDG_CACHE_HOME", "UV_CACHE_DIR", "CI"} & set(found)


def test_control_sequences_are_no_words() -> None:
    assert last_words("one\r\n\x1b[2K\x1b[32m✓\x1b[0m two\n\x1b[?25l\n") == "✓ two"


# Commands of pages that the README does not have, and what runs each.
RUN_BY = {
    "invoke add-server release-notes": ("tests/integration/platform/test_add_server.py", '"add-server"'),
    "invoke rollback --server mongodb": ("tests/integration/platform/test_rolling.py", '"rollback"'),
    "invoke heal": ("tests/integration/platform/test_rolling.py", '"heal"'),
    "invoke console": ("tests/browser/conftest.py", 'invoke("console")'),
    "invoke trace": ("tests/integration/platform/test_console.py", 'invoke("trace"'),
    "invoke trace --json": ("tests/integration/platform/test_console.py", 'invoke("trace"'),
    "invoke watch": ("tests/unit/ops/observe/test_watch.py", "watch."),
    "invoke connect": ("tests/unit/docs/test_pages.py", "connect.configuration(platform, client)"),
    "python -m emulators.azurerm --store /tmp/cloud.json": (
        "tests/integration/platform/test_documented_commands.py",
        '"emulators.azurerm", "--store"',
    ),
}
ROOT = README.parent
FOLDERS = ("docs/*.md", "twin/**/*.md", "servers/*/*.md", "terraform/*.md")
PAGES = sorted(path for folder in FOLDERS for path in ROOT.glob(folder))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_runs_somewhere_or_says_why_not(page: Path) -> None:
    """As part of the README, in a test that is named here, or not here because it needs Azure."""
    shown = [command.text for command in commands(README.read_text(encoding="utf-8")) if not command.reason]
    run = {part for text in shown for part in text.split(" && ")}
    for command in commands(page.read_text(encoding="utf-8")):
        if command.reason or command.text in run:
            continue
        assert command.text in RUN_BY, f"add it to RUN_BY with the test that runs it: {command.text}"
        file, words = RUN_BY[command.text]
        assert words in (ROOT / file).read_text(encoding="utf-8"), f"{file} does not run {command.text}"
