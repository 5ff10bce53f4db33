"""Files that a running process takes over: written, announced, confirmed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulators.base import live
from twin.errors import RuntimeFailure
from twin.supervise import part
from twin.supervise.part import Part
from twin.supervise.spec import Health, ProcessSpec


class Process:
    """A child that confirms what it reads when it is asked to, or never."""

    def __init__(self, file: Path, *, deaf: bool = False) -> None:
        self.requests = 0
        self.keep_log_short = lambda: None
        self._file, self._deaf = file, deaf

    def signal_reload(self) -> None:
        self.requests += 1
        if not self._deaf:
            text = self._file.read_text(encoding="utf-8")
            asyncio.get_running_loop().call_later(0.01, live.confirm, self._file, text)


def spec(file: Path, text: str) -> ProcessSpec:
    return ProcessSpec("mongo", "mongo", ("x",), 1, Health("mongo"), "/", live={str(file): text})


def running(file: Path, child: Any) -> Part:
    made = Part(spec(file, "old"), file.with_suffix(".log"), lambda: None)
    made._child = child
    live.write(made.spec.live)
    live.confirm(file, "old")
    return made


async def test_it_returns_when_the_process_has_taken_it_over(tmp_path: Path) -> None:
    """So a key that was regenerated counts when the task says so."""
    file, child = tmp_path / "users.json", Process(tmp_path / "users.json")
    mongo = running(file, child)
    await mongo.adopt(spec(file, "new"))
    assert (child.requests, file.read_text(encoding="utf-8"), live.is_taken({str(file): "new"})) == (1, "new", True)
    assert mongo.spec.live == {str(file): "new"}


async def test_what_is_the_same_tells_nobody(tmp_path: Path) -> None:
    child = Process(tmp_path / "users.json")
    await running(tmp_path / "users.json", child).adopt(spec(tmp_path / "users.json", "old"))
    assert child.requests == 0


async def test_one_that_is_not_there_reads_it_when_it_starts(tmp_path: Path) -> None:
    """The file is written for its next life."""
    file = tmp_path / "users.json"
    await running(file, None).adopt(spec(file, "new"))
    assert file.read_text(encoding="utf-8") == "new"


async def test_one_that_does_not_react_is_a_failure_and_is_asked_again(tmp_path: Path) -> None:
    """The next reload does not take it for done."""
    file, child = tmp_path / "users.json", Process(tmp_path / "users.json", deaf=True)
    mongo = running(file, child)
    for _ in range(2):
        with pytest.raises(RuntimeFailure, match="mongo did not take over"):
            await mongo.adopt(spec(file, "new"), seconds=0.05)
    assert child.requests == 2


async def test_serving_what_was_before_is_not_serving_what_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway answers for seconds before it refuses new policies and ends; whoever waits is told at once then."""
    checked = asyncio.Semaphore(0)

    async def check(*_: Any) -> str:
        checked.release()
        return ""

    monkeypatch.setattr(part, "check", check)
    monkeypatch.setattr(part, "_WHILE_SERVING", 0.001)
    file, child = tmp_path / "users.json", Process(tmp_path / "users.json", deaf=True)
    mongo = running(file, child)
    watching = asyncio.create_task(mongo._monitor(child))  # type: ignore[arg-type]
    with pytest.raises(RuntimeFailure):
        await mongo.adopt(spec(file, "new"), seconds=0.01)
    for _ in range(2):  # one check may have begun before it was told
        await checked.acquire()
    assert not mongo._ever_served
    live.confirm(file, "new")
    while not checked.locked():
        await checked.acquire()
    for _ in range(2):  # one check may have begun before the confirmation
        await checked.acquire()
    assert mongo._ever_served
    watching.cancel()


def test_only_the_files_names_are_part_of_what_a_process_is(tmp_path: Path) -> None:
    """Other contents are no other process; another file is."""
    one = spec(tmp_path / "users.json", "old")
    assert one.fingerprint == spec(tmp_path / "users.json", "new").fingerprint
    assert one.fingerprint != spec(tmp_path / "others.json", "old").fingerprint
    assert one.fingerprint != replace(one, live={}).fingerprint


def test_what_is_written_is_its_owners_only(tmp_path: Path) -> None:
    """These files hold keys, and the confirmation does not."""
    file = tmp_path / "users.json"
    live.write({str(file): "secret"})
    live.confirm(file, "secret")
    assert [path.stat().st_mode & 0o777 for path in sorted(tmp_path.iterdir())] == [0o600, 0o600]
    assert "secret" not in (tmp_path / "users.json.taken").read_text(encoding="utf-8")
