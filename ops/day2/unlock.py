"""`invoke unlock`: who holds the lock of a stage's state, and, if somebody agrees, its end."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops import az, doctor, lock, output, terraform_binary, workspace
from ops.environment import Environment
from ops.errors import AzError, UsageError
from ops.terraform import Stage

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
        found = {stage: held for stage in opened.stages if (held := _holder(environment, stage))}
        if not found:
            output.say("nobody holds a lock")
            return
        rows = [(stage.name, held.who, held.text().split(", ")[1], held.created) for stage, held in found.items()]
        output.table("", ("state", "held by", "for", "since"), rows)
        for stage, held in found.items():
            output.confirm(
                f"End the lock of {stage.name}, held by {held.text()}? Make sure that it runs no more.", yes=yes
            )
            with output.step(f"unlock {stage.name}"):
                opened.terraform.init(stage)
                opened.terraform.unlock(stage, held.id)
            if _holder(environment, stage):
                raise AzError(f"the lock of {stage.name} is held again: somebody works on {environment.name} now")


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
