"""The commands of README.md run as they are written, from the repository's root, with the examples that are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from emulators.apim import single_policy
from emulators.apim.__main__ import main

_HERE = Path(__file__).parents[1]
_PROGRAM = "python -m emulators.apim "
COMMANDS = [
    line.partition("  #")[0].strip()
    for block in re.findall(r"^```sh\n(.*?)^```", (_HERE / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    for line in block.replace("\\\n", " ").splitlines()
]
PRINTS = {
    "check": "1 file: 1 would run, 0 would not (0 refused)",
    "try": "forward-request: POST http://backend.example/orders",
    "test": "6 cases: 6 passed, 0 failed",
    "serve": "",
}


def test_each_command_has_one_that_is_shown() -> None:
    """`run` wants an applied state, so that it stands alone."""
    assert [line.removeprefix(_PROGRAM).split()[0] for line in COMMANDS] == list(PRINTS)


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: line.removeprefix(_PROGRAM).split()[0])
def test_a_command_runs_as_written(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 0, and what the command is for. `serve` is stopped where it would listen."""
    served: list[Any] = []
    monkeypatch.chdir(_HERE.parents[1])
    monkeypatch.setattr(single_policy.serving, "listen", lambda host, port, remedy: (host, port))
    monkeypatch.setattr(single_policy.process, "serve", lambda server, listener, client: served.append(listener))
    arguments = shlex.split(line.removeprefix(_PROGRAM))
    assert main(arguments) == 0, capsys.readouterr().err
    assert PRINTS[arguments[0]] in capsys.readouterr().out
    assert served == ([("127.0.0.1", 8080)] if arguments[0] == "serve" else [])
