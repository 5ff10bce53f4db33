"""`invoke gateway.check`: the report, and what the exit code says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.program import Program

import tasks

Run = Callable[..., int]
GOOD = "<policies><inbound><base/><set-method>GET</set-method></inbound></policies>"
BAD = "<policies><inbound>\n<wait/></inbound></policies>"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `invoke …`; its exit code."""
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def invoke(*arguments: str) -> int:
        try:
            Program(namespace=tasks.namespace).run(["invoke", *arguments])
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return invoke


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bad.xml").write_text(BAD, encoding="utf-8")
    (tmp_path / "good.xml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_all_would_run(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and a summary line."""
    assert run("gateway.check", str(folder / "good.xml")) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{folder / 'good.xml'}: would run",
        "  line 1: set-method runs",
        "1 file: 1 would run, 0 would not (0 refused)",
    ]


def test_something_would_not(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 where one of several files would not run; name and line are shown."""
    assert run("gateway.check", str(folder / "good.xml"), "--also", str(folder / "bad.xml")) == 1
    shown = capsys.readouterr()
    assert "  line 2: refused: <wait> is not supported by the local gateway" in shown.out
    assert "2 files: 1 would run, 1 would not (1 refused)" in shown.err


def test_as_json(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for machines."""
    assert run("gateway.check", str(folder), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["summary"] == {"files": 2, "would_run": 1, "would_not": 1, "refused": 1}
    message = "<wait> is not supported by the local gateway"
    assert found["files"][0]["problems"] == [{"line": 2, "name": "wait", "kind": "UnknownElement", "message": message}]


def test_no_such_path(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked wrongly: exit code 2."""
    assert run("gateway.check", str(tmp_path / "none")) == 2
    assert "does not exist" in capsys.readouterr().err
