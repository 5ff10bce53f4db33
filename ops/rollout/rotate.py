"""`invoke rotate`: new database keys, without a moment at which a server holds an old one.

The key that nobody uses is regenerated first and stored in Key Vault; the servers change over to it, slot by slot; then
the other one is regenerated. Which one the servers use is `cosmos.active_key` (see ops.terraform.active_key).
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from emulators.base.files import read_json, write_json
from emulators.base.state import State
from ops.azure import az
from ops.cli import output
from ops.config.environment import Environment
from ops.errors import NotDeployedError, UsageError
from ops.images import catalog as images
from ops.local import twin as twin_control
from ops.rollout import rolling_update as rolling
from ops.rollout import running
from ops.rollout.running import Running
from ops.terraform import active_key, workspace
from ops.terraform.workspace import Workspace
from twin import database_keys

_PATIENCE = 600.0  # seconds in which the account must show a key that Azure says is regenerated
_PAUSE = 5.0
_REGENERATE = ("cosmosdb", "keys", "regenerate")


@dataclass(frozen=True)
class Turn:
    """One rotation: the servers go from `old` to `new`. `switched`: the files say `new` already."""

    old: str
    new: str
    switched: bool


def rotate(environment: Environment, *, dry_run: bool = False, yes: bool = False) -> None:
    """Repeating it after an interruption finishes what was begun; after that, it begins anew."""
    turn = due(environment)
    if dry_run:
        chosen = twin_control.choose_ports(environment, keep=False) if environment.is_local else None
        for line in commands(environment, turn, chosen.variables(environment) if chosen else {}):
            output.data(line)
        return
    output.table("", ("step", "what"), list(_steps(turn)))
    output.confirm(f"Rotate the database keys of {environment.name}?", yes=yes or environment.is_local)
    with running.opened(environment) as platform:
        if due(environment) != turn:  # somebody else rotated while this waited for an answer
            raise UsageError(f"the keys of {environment.name} were rotated meanwhile; run `invoke rotate` again")
        _rotate(platform, turn)
    shared = "" if environment.is_local else "; commit terraform.tfvars, whose active_key changed"
    output.say(f"both keys are new, and the servers use the {turn.new} one{shared}")


def due(environment: Environment) -> Turn:
    """The rotation that was interrupted, or the next one."""
    now = active_key.active(environment)
    found = read_json(_marker(environment))
    if isinstance(found, dict):
        return Turn(found["old"], found["new"], switched=now == found["new"])
    return Turn(now, active_key.OTHER[now], switched=False)


def commands(environment: Environment, turn: Turn, variables: Mapping[str, str]) -> list[str]:
    """Everything in order; the applies go slot by slot where a server has several. `variables`: the local ports'."""
    space = workspace.described(environment, variables)
    applies = space.terraform.commands(space.stage(2))[1:]
    first = [*_key_commands(environment, turn.new), *applies]
    edits = active_key.commands(environment, turn.new, space.stage(2).var_file)
    return [
        *([] if turn.switched else [*first, *edits]),
        *applies,
        *_key_commands(environment, turn.old),
        *applies,
    ]


def _rotate(platform: Running, turn: Turn) -> None:
    environment = platform.environment
    _apply(platform)  # what runs is what the files say, before a key changes
    if not turn.switched:
        write_json(_marker(environment), {"old": turn.old, "new": turn.new})
        _renew(platform, turn.new)
        active_key.switch(environment, turn.new, platform.space.stage(2).var_file)
        _apply(platform)
    _renew(platform, turn.old)
    _marker(environment).unlink(missing_ok=True)


def _steps(turn: Turn) -> Iterator[tuple[str, str]]:
    if not turn.switched:
        yield "1", f"regenerate the {turn.new} keys, which nobody uses, and store them in Key Vault"
    yield "2", f"change the servers over to the {turn.new} key, one slot after the other"
    yield "3", f"regenerate the {turn.old} keys, which nobody uses any more, and store them in Key Vault"


def _kinds(key: str) -> tuple[str, str]:
    """As `az cosmosdb keys regenerate --key-kind` calls them."""
    return key, f"{key}Readonly"


def _account(environment: Environment) -> tuple[str, str]:
    """Its name, and its resource group's."""
    return str(environment.variables.get("cosmos_account_name") or ""), environment.need("RESOURCE_GROUP")


def _options(environment: Environment, kind: str) -> tuple[str, ...]:
    name, group = _account(environment)
    return ("--name", name, "--resource-group", group, "--key-kind", kind)


def _key_commands(environment: Environment, key: str) -> list[str]:
    if environment.is_local:
        twin = [sys.executable, "-m", database_keys.__name__, "--home", str(environment.home)]
        return [shlex.join([*twin, *_options(environment, kind)]) for kind in _kinds(key)]
    return [az.command(*_REGENERATE, *_options(environment, kind)) for kind in _kinds(key)]


def _renew(platform: Running, key: str) -> None:
    """Both keys of that name get new values, which Terraform then stores; NotDeployedError where none is seen."""
    environment = platform.environment
    before = _shown(platform.space, key)
    with output.step(f"regenerate {key}"):
        for kind in _kinds(key):
            if environment.is_local:
                database_keys.regenerate(environment.home, *_account(environment), kind)
            else:
                az.run(*_REGENERATE, *_options(environment, kind))
    deadline = time.monotonic() + _PATIENCE
    while True:
        _apply(platform)
        after = _shown(platform.space, key)
        if all(was != now for was, now in zip(before, after, strict=True)):
            return
        if time.monotonic() > deadline:
            raise NotDeployedError(
                f"the account still shows a {key} key that was regenerated {_PATIENCE:.0f} s ago, so nothing was "
                "changed over to it; wait, then run `invoke rotate` again"
            )
        time.sleep(_PAUSE)


def _shown(space: Workspace, key: str) -> tuple[str, str]:
    """Both keys of that name, as Terraform saw them last."""
    state = State.from_show_json(space.terraform.show(space.stage(2)))
    account = state.one("azurerm_cosmosdb_account")
    return str(account[f"{key}_key"]), str(account[f"{key}_readonly_key"])


def _apply(platform: Running) -> None:
    before = images.recorded(platform.space.images_file)
    if rolling.apply_stage2(platform.space, before, platform.settle, yes=True):
        platform.publish()


def _marker(environment: Environment) -> Path:
    return environment.home / "rotation.json"
