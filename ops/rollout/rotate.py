"""`invoke rotate`: new database keys, without a moment at which a server holds an old one.

Where every database is a DocumentDB, there is none to renew.

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
from ops.cli.steps import Runner, Step
from ops.config.environment import Environment, env_option
from ops.config.servers import COSMOS, DOCUMENTDB, apps, has_database
from ops.errors import NotDeployedError, UsageError
from ops.images import images_json
from ops.rollout import revisions, rolling_update, session
from ops.rollout.session import Session
from ops.terraform import active_key
from ops.terraform.cli import ANYTHING
from ops.terraform.workspace import Workspace
from twin import database_keys

_TIMEOUT = 600.0  # seconds in which the account must show a key that Azure says is regenerated
_PAUSE = 5.0
_REGENERATE = ("cosmosdb", "keys", "regenerate")


@dataclass(frozen=True)
class Rotation:
    """The servers go from key `old` to key `new`. `switched`: the files say `new` already."""

    old: str
    new: str
    switched: bool


def rotate(environment: Environment, runner: Runner) -> None:
    """Rotate both keys; repeating it after an interruption finishes what was begun; after that, it begins anew."""
    if not has_database(environment, COSMOS):
        runner.say(f"nothing to rotate: {environment.name} has no database that knows keys")
        return
    rotation = due(environment)
    runner.table("", ("step", "what"), list(_steps(rotation)))
    runner.confirm(f"Rotate the database keys of {environment.name}?", agreed=environment.is_local)
    with session.opened(environment, runner) as opened:
        if due(environment) != rotation:  # somebody else rotated while this waited for an answer
            raise UsageError(f"the keys of {environment.name} were rotated meanwhile; run `invoke rotate` again")
        _rotate(opened, rotation)
    shared = "" if environment.is_local else "; commit terraform.tfvars, whose active_key changed"
    runner.say(f"both keys are new, and the servers use the {rotation.new} one{shared}")


def due(environment: Environment) -> Rotation:
    """Return the rotation that was interrupted, or the next one."""
    now = active_key.active(environment)
    found = read_json(_marker(environment))
    if isinstance(found, dict):
        return Rotation(found["old"], found["new"], switched=now == found["new"])
    return Rotation(now, active_key.OTHER[now], switched=False)


def _rotate(opened: Session, rotation: Rotation) -> None:
    environment, runner = opened.environment, opened.runner
    _follow_keys(opened)
    # Before a key changes, what runs has to be what the files say; nothing to do, unless a rotation was interrupted.
    replaced = _uses_database(environment) or ANYTHING
    _apply(opened, replaced if rotation.switched else {})
    if not rotation.switched:
        begun = {"old": rotation.old, "new": rotation.new}
        runner.run(Step(lambda: write_json(_marker(environment), begun), None))
        _renew(opened, rotation.new)
        runner.run(active_key.switch(environment, rotation.new, opened.space.stage(2).var_file))
        _apply(opened, replaced)
    _renew(opened, rotation.old)
    runner.run(Step(lambda: _marker(environment).unlink(missing_ok=True), None))


def _follow_keys(opened: Session) -> None:
    """Give apps that were rolled back a new revision of the image that serves, which then has the calls.

    A revision keeps the secret that its template names, and so would the one that the calls went back to: another key
    makes a new revision, beside it. UsageError where a release was interrupted: which image serves is not settled.
    """
    path, runner = opened.space.images_file, opened.runner
    entries = images_json.read(path, runner)
    if half := [name for name, entry in entries.items() if entry.get("traffic") and not entry.get("newest")]:
        option = env_option(opened.environment.name)
        raise UsageError(
            f"the release of {', '.join(half)} was interrupted, and an earlier revision still has calls, with the key "
            f"that it was made with; run `invoke deploy{option}` or `invoke rollback{option}` first"
        )
    back = {name: {**entry, "newest": entry["digest"]} for name, entry in entries.items() if entry.get("newest")}
    if not back:
        return
    names = ", ".join(back)
    runner.say(f"{names}: a new revision of the image that serves, because the one that has the calls keeps its key")
    images_json.change(path, {**entries, **back}, runner)
    _apply(opened, ANYTHING)
    revisions.require_ready(opened, [app for app in apps(opened.environment).values() if app.server in back])
    revisions.release(opened)
    _apply(opened, ANYTHING)


def _steps(rotation: Rotation) -> Iterator[tuple[str, str]]:
    if not rotation.switched:
        yield "1", f"regenerate the {rotation.new} keys, which nobody uses, and store them in Key Vault"
    yield "2", f"change the servers over to the {rotation.new} key, one slot after the other"
    yield "3", f"regenerate the {rotation.old} keys, which nobody uses any more, and store them in Key Vault"


def _uses_database(environment: Environment) -> dict[str, str]:
    """Return what a change of the active key replaces, for a dry run: the groups of servers with a connection."""
    servers = [
        name
        for name, entry in environment.servers.items()
        if entry.get("database") != DOCUMENTDB
        and any(tier.get("connection") for tier in (entry.get("tiers") or {}).values())
    ]
    return rolling_update.replacements(environment, servers)


def _renew(opened: Session, key: str) -> None:
    """Give both keys of that name new values, which Terraform then stores; NotDeployedError where none is seen."""
    runner = opened.runner
    before = runner.run(Step(lambda: _read_keys(opened.space, key), ("", "")))
    with runner.progress(f"regenerate {key}"):
        for kind in (key, f"{key}Readonly"):  # as `az cosmosdb keys regenerate --key-kind` calls them
            runner.run(_regenerate(opened.environment, kind))
    deadline = time.monotonic() + _TIMEOUT
    while True:
        _apply(opened, ANYTHING)
        after = runner.run(Step(lambda: _read_keys(opened.space, key), ("new", "new")))
        if all(was != now for was, now in zip(before, after, strict=True)):
            return
        if time.monotonic() > deadline:
            raise NotDeployedError(
                f"the account still shows a {key} key that was regenerated {_TIMEOUT:.0f} s ago, so nothing was "
                "changed over to it; wait, then run `invoke rotate` again"
            )
        time.sleep(_PAUSE)


def _regenerate(environment: Environment, kind: str) -> Step[object]:
    account, group = str(environment.variables.get("cosmos_account_name") or ""), environment.need("RESOURCE_GROUP")
    options = ("--name", account, "--resource-group", group, "--key-kind", kind)
    if not environment.is_local:
        return az.step(*_REGENERATE, *options)
    words = [sys.executable, "-m", database_keys.__name__, "--home", str(environment.home), *options]

    def act() -> None:
        database_keys.regenerate(environment.home, account, group, kind)

    return Step(act, None, (shlex.join(words),))


def _read_keys(space: Workspace, key: str) -> tuple[str, str]:
    """Return both keys of that name, as Terraform saw them last."""
    state = State.from_show_json(space.terraform.show(space.stage(2)))
    account = state.one("azurerm_cosmosdb_account")
    return str(account[f"{key}_key"]), str(account[f"{key}_readonly_key"])


def _apply(opened: Session, expected: Mapping[str, str]) -> None:
    before = images_json.read(opened.space.images_file, opened.runner)
    if rolling_update.apply_stage(opened, 2, before, agreed=True, expected=expected):
        opened.publish()


def _marker(environment: Environment) -> Path:
    return environment.home / "rotation.json"
