"""`invoke unlock`: who holds the lock of a stage's state, and, if somebody agrees, its end."""

from __future__ import annotations

import base64
import json
import shlex
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.azure import az
from ops.checks import doctor
from ops.cli import output
from ops.config import lock
from ops.config.environment import Environment
from ops.errors import AzError, BusyError, UsageError
from ops.terraform import binary as terraform_binary
from ops.terraform import workspace
from ops.terraform.cli import Stage

_METADATA = "terraformlockid"  # where Terraform's azurerm backend keeps the lock's description


@dataclass(frozen=True)
class Lock:
    """As Terraform describes it."""

    id: str
    who: str
    operation: str
    created: str

    def text(self) -> str:
        return (
            f"{self.who}, {self.operation.removeprefix('OperationType') or 'unknown operation'}, since {self.created}"
        )


def unlock(environment: Environment, *, dry_run: bool = False, yes: bool = False) -> None:
    """Shows the holder of each stage's lock and asks; a lock that somebody still uses protects the state."""
    if environment.is_local:
        raise UsageError(
            f"the state of {environment.name} is a file, whose lock ends with the process that holds it: "
            "there is nothing to unlock"
        )
    space = workspace.described(environment, {})
    if dry_run:
        for stage in space.stages:
            output.data(f"LOCK_ID=$({az.command(*_shown(environment, stage))} --query {_METADATA} --output tsv)")
            output.data(f'{_command(stage)} "$(echo "${{LOCK_ID}}" | base64 --decode | jq --raw-output .ID)"')
        return
    doctor.require(environment, ("settings", "terraform", "az", "subscription"))
    with lock.held(environment.home), workspace.opened(environment, terraform_binary.find(), {}) as opened:
        found = [(stage, held) for stage in opened.stages if (held := _holder(environment, stage))]
        if not found:
            output.say("nobody holds a lock")
            return
        rows = [(stage.name, held.who, held.text().split(", ")[1], held.created) for stage, held in found]
        output.table("", ("state", "held by", "for", "since"), rows)
        for stage, held in found:
            _require_left_behind(stage, held)
            output.confirm(
                f"End the lock of {stage.name}, held by {held.text()}? Make sure that it runs no more.", yes=yes
            )
            _require_same(environment, stage, held)
            with output.step(f"unlock {stage.name}"):
                opened.terraform.init(stage)
                opened.terraform.unlock(stage, held.id)
            if _holder(environment, stage):
                raise AzError(f"the lock of {stage.name} is held again: somebody works on {environment.name} now")


def _require_left_behind(stage: Stage, held: Lock, processes: Path = Path("/proc")) -> None:
    """BusyError where the holder runs on this machine; of another machine's processes nothing is known."""
    if held.who.rpartition("@")[2] != socket.gethostname():
        return
    for process, folder in _terraforms(processes):
        if _backend(folder) == dict(stage.backend):
            raise BusyError(
                f"process {process} on this machine still uses the lock of {stage.name} (Terraform in {folder}); "
                "answer it, wait for it, or end it with Ctrl-C, which gives the lock back"
            )


def _terraforms(processes: Path) -> Iterator[tuple[str, Path]]:
    """Every running Terraform that can be seen, and the folder that it works in; none without /proc."""
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
    """What Terraform was initialised with there, as far as it says which state is meant."""
    try:
        told = json.loads((folder / ".terraform" / "terraform.tfstate").read_text(encoding="utf-8"))
        config = told["backend"]["config"]
        return {name: config[name] for name in ("storage_account_name", "resource_group_name", "container_name", "key")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _require_same(environment: Environment, stage: Stage, shown: Lock) -> None:
    """Somebody may have taken the state while a person thought about the answer."""
    now = _holder(environment, stage)
    if now is not None and now.id != shown.id:
        raise BusyError(f"the lock of {stage.name} is now {now.text()}, not the one that was shown; look again")


def _holder(environment: Environment, stage: Stage) -> Lock | None:
    return parse(az.find(*_shown(environment, stage)))


def parse(metadata: Mapping[str, Any] | None) -> Lock | None:
    """The lock out of a state blob's metadata; None where nobody holds one."""
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


def _command(stage: Stage) -> str:
    return shlex.join(["terraform", f"-chdir={stage.folder}", "force-unlock", "-force"])
