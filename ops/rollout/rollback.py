"""`invoke rollback`: the digest that a server ran before, one slot after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.cli import output
from ops.config.environment import Environment
from ops.errors import NotDeployedError, UsageError
from ops.images import catalog as images
from ops.rollout import rolling_update as rolling
from ops.rollout import running
from ops.terraform import workspace


def rollback(environment: Environment, server: str | None = None, *, dry_run: bool = False, yes: bool = False) -> None:
    """Repeating it goes back one further; a roll-back that was interrupted is finished first."""
    if dry_run:
        for line in commands(environment, server):
            output.data(line)
        return
    with running.opened(environment) as platform:
        before = images.recorded(platform.space.images_file)
        name = chosen(environment, before, server)
        after = {**before, name: earlier(name, before[name])}
        output.table("", ("server", "runs", "goes back to"), [(name, _text(before[name]), _text(after[name]))])
        output.confirm(f"Roll {name} back in {environment.name}?", yes=yes or environment.is_local)
        images.write(platform.space.images_file, after)
        rolling.apply_stage2(platform.space, before, platform.settle, yes=True)
        rolling.require_answers(environment, platform.publish())
    output.say(f"{name} runs {_text(after[name])}; the next `invoke deploy` brings what servers/ holds then")


def commands(environment: Environment, server: str | None) -> list[str]:
    """Terraform's part, slot by slot; before each, images.json gives the slot its earlier digest."""
    space = workspace.described(environment, {})
    stage = space.stage(2)
    name = server or next(iter(environment.servers), "")
    if name not in environment.servers:
        raise _unknown(environment, name)
    found = [slot for slot in rolling.slots(environment).values() if slot.server == name]
    lines = []
    for letter in sorted({slot.slot for slot in found}):
        targets = [f'module.servers["{slot.name}"]' for slot in found if slot.slot == letter]
        lines += space.terraform.commands(stage, targets=targets)[1:]
    return lines


def chosen(environment: Environment, entries: Mapping[str, Any], server: str | None) -> str:
    """The server to roll back: the named one, or the only one."""
    if server is None and len(environment.servers) == 1:
        server = next(iter(environment.servers))
    if server is None:
        raise UsageError(
            f"{environment.name} has several servers; choose with --server: {', '.join(environment.servers)}"
        )
    if server not in environment.servers:
        raise _unknown(environment, server)
    if server not in entries:
        raise NotDeployedError(
            f"images.json of {environment.name} records no image of {server}; run `invoke deploy` first"
        )
    if (environment.servers[server].get("image") or {}).get("digest"):
        raise UsageError(
            f"server {server!r} pins its image by digest; put the earlier one there and run `invoke deploy`"
        )
    return server


def earlier(server: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry as it was one digest ago; NotDeployedError where none is recorded."""
    if entry.get("slots"):  # some slots wait for this digest: that is what to finish
        return {name: value for name, value in entry.items() if name != "slots"}
    history = list(entry.get("history") or ())
    if not history:
        raise NotDeployedError(f"images.json records no earlier digest of {server}, so there is nothing to go back to")
    plain = {name: value for name, value in entry.items() if name not in ("history", "tag")}
    return {**plain, **history[0], **({"history": history[1:]} if history[1:] else {})}


def _unknown(environment: Environment, server: str) -> UsageError:
    known = ", ".join(environment.servers)
    return UsageError(f"server {server!r} does not exist; mcp_servers of {environment.name} holds: {known}")


def _text(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('tag', '')} {str(entry['digest'])[:19]}".strip()
