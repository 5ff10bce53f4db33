"""`invoke unlock`: who holds the lock of a stage's state, and, if somebody agrees, its end."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.azure import az
from ops.checks import doctor
from ops.cli.steps import Runner, Step
from ops.config.environment import Environment
from ops.errors import AzError, BusyError, UsageError
from ops.terraform import workspace
from ops.terraform.cli import Stage
from ops.terraform.workspace import Workspace

_METADATA = "terraformlockid"  # where Terraform's azurerm backend keeps the lock's description


@dataclass(frozen=True)
class Lock:
    """As Terraform describes it."""

    id: str
    who: str
    operation: str
    created: str

    def operation_text(self) -> str:
        return self.operation.removeprefix("OperationType") or "unknown operation"

    def text(self) -> str:
        return f"{self.who}, {self.operation_text()}, since {self.created}"


def unlock(environment: Environment, runner: Runner) -> None:
    """Show the holder of each stage's lock and ask; a lock that somebody still uses protects the state."""
    if environment.is_local:
        raise UsageError(
            f"the state of {environment.name} is a file, whose lock ends with the process that holds it: "
            "there is nothing to unlock"
        )
    runner.run(doctor.required(environment, ("settings", "terraform", "az", "subscription")))
    with runner.lock(environment.home), workspace.opened(environment, {}, runner=runner) as space:
        found = [(stage, held) for stage in space.stages if (held := runner.run(_look(environment, stage)))]
        if not found:
            runner.say("nobody holds a lock")
            return
        rows = [(stage.name, held.who, held.operation_text(), held.created) for stage, held in found]
        runner.table("", ("state", "held by", "for", "since"), rows)
        for stage, held in found:
            _end(environment, space, stage, held)


def _end(environment: Environment, space: Workspace, stage: Stage, held: Lock) -> None:
    runner = space.runner
    runner.run(Step(lambda: _require_left_behind(stage, held), None))
    runner.confirm(f"End the lock of {stage.name}, held by {held.text()}? Make sure that it runs no more.")
    runner.run(Step(lambda: _require_same(environment, stage, held), None))
    with runner.progress(f"unlock {stage.name}"):
        space.terraform.init(stage)
        typed = f'"$(echo "${{{_variable(stage)}}}" | base64 --decode | jq --raw-output .ID)"'
        space.terraform.unlock(stage, held.id, typed if runner.dry_run else "")
    if runner.run(Step(lambda: _holder(environment, stage), None)):
        raise AzError(f"the lock of {stage.name} is held again: somebody works on {environment.name} now")


def _look(environment: Environment, stage: Stage) -> Step[Lock | None]:
    """Return the step that asks who holds a stage's lock; a dry run keeps the answer in a shell variable."""
    read = az.command(*_shown(environment, stage), "--query", _METADATA, "--output", "tsv")
    unknown = Lock("", "somebody", "", "")
    return Step(lambda: _holder(environment, stage), unknown, (f"{_variable(stage)}=$({read})",))


def _variable(stage: Stage) -> str:
    return f"LOCK_ID_{stage.number}"


def _require_left_behind(stage: Stage, held: Lock, processes: Path = Path("/proc")) -> None:
    """Raise BusyError where the holder runs on this machine; of another machine's processes nothing is known."""
    if held.who.rpartition("@")[2] != socket.gethostname():
        return
    for process, folder in _terraforms(processes):
        if _backend(folder) == dict(stage.backend):
            raise BusyError(
                f"process {process} on this machine still uses the lock of {stage.name} (Terraform in {folder}); "
                "answer it, wait for it, or end it with Ctrl-C, which gives the lock back"
            )


def _terraforms(processes: Path) -> Iterator[tuple[str, Path]]:
    """Yield every running Terraform that can be seen, and the folder that it works in; none without /proc."""
    for place in processes.glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
            folder = (place / "cwd").readlink()
        except OSError:
            continue  # it has ended, or is another person's
        if Path(words[0]).name == "terraform":
            changed = next((word.partition("=")[2] for word in words if word.startswith("-chdir=")), "")
            yield place.name, folder / changed


def _backend(folder: Path) -> dict[str, str]:
    """Return what Terraform was initialised with there, as far as it says which state is meant."""
    try:
        state = json.loads((folder / ".terraform" / "terraform.tfstate").read_text(encoding="utf-8"))
        config = state["backend"]["config"]
        return {name: config[name] for name in ("storage_account_name", "resource_group_name", "container_name", "key")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _require_same(environment: Environment, stage: Stage, shown: Lock) -> None:
    """Raise BusyError where somebody took the state while a person thought about the answer."""
    now = _holder(environment, stage)
    if now is not None and now.id != shown.id:
        raise BusyError(f"the lock of {stage.name} is now {now.text()}, not the one that was shown; look again")


def _holder(environment: Environment, stage: Stage) -> Lock | None:
    return parse(az.find(*_shown(environment, stage)))


def parse(metadata: Mapping[str, Any] | None) -> Lock | None:
    """Return the lock out of a state blob's metadata; None where nobody holds one."""
    encoded = (metadata or {}).get(_METADATA)
    if not encoded:
        return None
    try:
        held = json.loads(base64.b64decode(encoded))
        return Lock(held["ID"], held.get("Who", "unknown"), held.get("Operation", ""), held.get("Created", "unknown"))
    except (ValueError, KeyError) as error:
        raise AzError(
            f"the state's metadata {_METADATA} is not what Terraform writes ({error}); look at the blob in the portal, "
            "and break its lease there"
        ) from error


def _shown(environment: Environment, stage: Stage) -> tuple[str, ...]:
    return (
        *("storage", "blob", "metadata", "show", "--account-name", environment.need("STORAGE_ACCOUNT")),
        *(
            "--container-name",
            environment.need("CONTAINER_NAME"),
            "--name",
            stage.backend["key"],
            "--auth-mode",
            "login",
        ),
    )
