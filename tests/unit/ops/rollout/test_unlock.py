"""A lock is not ended while its holder can be seen at work. No process is looked at here but made-up ones."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.azure import az
from ops.checks import doctor
from ops.cli.steps import Runner
from ops.config.environment import Environment
from ops.errors import BusyError, DeclinedError
from ops.rollout import unlock
from ops.rollout.unlock import Lock
from ops.terraform import binary
from ops.terraform.binary import Binary
from ops.terraform.cli import Stage, Terraform
from tests.unit.ops.conftest import Make

BACKEND = {
    "storage_account_name": "stmcptfstate",
    "resource_group_name": "rg-mcp",
    "container_name": "tfstate",
    "key": "stage1.tfstate",
}
HERE = Lock("1-2-3", f"ada@{socket.gethostname()}", "OperationTypeApply", "2026-11-23T08:00:00Z")
Running = Callable[..., Path]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(1, tmp_path / "stage1", tmp_path / "x", tmp_path / "y", tmp_path / "z", backend=BACKEND)
    (made.folder / ".terraform").mkdir(parents=True)
    return made


@pytest.fixture
def running(tmp_path: Path, stage: Stage) -> Running:
    """A /proc with one process; the folder that it works in is initialised with `backend`."""

    def make(*words: str, cwd: Path = tmp_path, backend: dict[str, str] = BACKEND) -> Path:
        place = tmp_path / "proc" / "4711"
        place.mkdir(parents=True)
        (place / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
        (place / "cwd").symlink_to(cwd)
        told = {"backend": {"type": "azurerm", "config": {**backend, "use_azuread_auth": True}}}
        (stage.folder / ".terraform" / "terraform.tfstate").write_text(json.dumps(told), encoding="utf-8")
        return tmp_path / "proc"

    return make


@pytest.mark.parametrize("words", [("/usr/bin/terraform", "-chdir=stage1", "apply"), ("terraform", "plan")])
def test_a_terraform_that_works_on_the_state_is_named(stage: Stage, running: Running, words: tuple[str, ...]) -> None:
    """However it was told where to work."""
    cwd = stage.folder.parent if "-chdir=stage1" in words else stage.folder
    with pytest.raises(BusyError, match=r"process 4711 on this machine still uses the lock of stage 1 .*; answer it"):
        unlock._require_left_behind(stage, HERE, running(*words, cwd=cwd))


def test_a_terraform_that_works_on_another_state_is_no_obstacle(stage: Stage, running: Running) -> None:
    processes = running("terraform", "plan", cwd=stage.folder, backend={**BACKEND, "key": "stage2.tfstate"})
    unlock._require_left_behind(stage, HERE, processes)


def test_another_program_is_no_obstacle(stage: Stage, running: Running) -> None:
    unlock._require_left_behind(stage, HERE, running("vim", "terraform", cwd=stage.folder))


def test_of_another_machine_nothing_is_known(stage: Stage, running: Running) -> None:
    """A person decides, as the question says."""
    unlock._require_left_behind(stage, replace(HERE, who="ada@laptop"), running("terraform", cwd=stage.folder))


def test_processes_that_cannot_be_seen_are_left_out(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "proc" / "1").mkdir(parents=True)
    unlock._require_left_behind(stage, HERE, tmp_path / "proc")
    unlock._require_left_behind(stage, HERE, tmp_path / "absent")


def test_a_lock_that_changed_hands_meanwhile_is_left(make: Make, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer was about another one."""
    environment: Environment = make("dev")
    now = replace(HERE, id="4-5-6", who="bob@laptop")
    monkeypatch.setattr(unlock, "_holder", lambda *_: now)
    with pytest.raises(BusyError, match=r"the lock of stage 1 is now bob@laptop, Apply, .* not the one that was shown"):
        unlock._require_same(environment, stage, HERE)
    monkeypatch.setattr(unlock, "_holder", lambda *_: HERE)
    unlock._require_same(environment, stage, HERE)


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Both states are locked, on another machine; Terraform ends a lock by its id."""
    ids = {"stage1.tfstate": "1-1", "stage2.tfstate": "2-2"}

    def find(*arguments: str) -> dict[str, str]:
        id_ = ids.get(arguments[arguments.index("--name") + 1])
        described = {"ID": id_, "Who": "ada@laptop", "Operation": "OperationTypeApply", "Created": "2026-11-23"}
        return {"terraformlockid": base64.b64encode(json.dumps(described).encode()).decode()} if id_ else {}

    def end(_: Terraform, stage: Stage, lock_id: str, typed: str) -> None:
        assert ids.pop(stage.backend["key"]) == lock_id

    monkeypatch.setattr(az, "find", find)
    monkeypatch.setattr(az, "require", lambda: "az")
    monkeypatch.setattr(doctor, "require", lambda *_: None)
    monkeypatch.setattr(binary, "find", lambda: Binary(Path("terraform"), "1.11.4"))
    monkeypatch.setattr(Terraform, "init", lambda *_: None)
    monkeypatch.setattr(Terraform, "unlock", end)
    return ids


def test_both_locks_are_shown_and_ended(make: Make, locked: dict[str, str], capsys: Any) -> None:
    unlock.unlock(make("dev", STORAGE_ACCOUNT="stmcptfstate", CONTAINER_NAME="tfstate"), Runner(yes=True))
    assert locked == {}
    assert capsys.readouterr().err.count("ada@laptop") == 2


def test_without_an_agreement_no_lock_is_ended(
    make: Make, locked: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(DeclinedError, match="held by ada@laptop, Apply, since 2026-11-23"):
        unlock.unlock(make("dev", STORAGE_ACCOUNT="stmcptfstate", CONTAINER_NAME="tfstate"), Runner())
    assert len(locked) == 2
