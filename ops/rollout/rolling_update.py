"""Changing what runs one slot after the other, so that the other slots answer meanwhile.

Image, environment and keys of a container group can only be changed by replacing it. Where a server has two slots or
more, its groups are replaced slot by slot: change one, wait until it serves and the gateway answers, then the next.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ops.azure import az
from ops.checks import smoke
from ops.cli import output
from ops.clients import access_token as token
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.errors import NotDeployedError, OpsError, SmokeError
from ops.images import catalog as images
from ops.local import twin as twin_control
from ops.local.ports import Ports
from ops.terraform.cli import Plan
from ops.terraform.workspace import Workspace

_GROUP = re.compile(r'^(module\.servers\["([^"]+)"\])\.azurerm_container_group\.')
_PATIENCE = 300.0  # seconds in which a new container group must serve
_PAUSE = 2.0
_CALLS = 3  # through the gateway, one after the other, per slot that a server has

Publish = Callable[[Workspace], Platform]


@dataclass(frozen=True)
class Slot:
    """One replica of one tier; `name` is `<server>-<tier>-<slot>`."""

    name: str
    server: str
    slot: str


@dataclass(frozen=True)
class Wave:
    """What is replaced together: every tier's group of one slot."""

    slot: str
    targets: tuple[str, ...]
    groups: tuple[str, ...]


def slots(environment: Environment) -> dict[str, Slot]:
    """Every slot of `mcp_servers` by its name, as terraform/stage2/locals.tf makes them."""
    return {
        f"{server}-{tier}-{slot}": Slot(f"{server}-{tier}-{slot}", server, slot)
        for server, entry in environment.servers.items()
        for tier in entry.get("tiers") or {}
        for slot in entry.get("slots") or ("a",)
    }


def waves(environment: Environment, actions: Mapping[str, str]) -> list[Wave]:
    """The groups that a plan replaces, by slot, of servers with several slots."""
    known = slots(environment)
    found: dict[str, list[tuple[str, str]]] = {}
    for address, action in actions.items():
        match = _GROUP.match(address)
        slot = known.get(match[2]) if match else None
        if match and slot and action in ("replace", "update") and _several(environment, slot.server):
            found.setdefault(slot.slot, []).append((match[1], slot.name))
    return [
        Wave(slot, tuple(target for target, _ in found[slot]), tuple(f"aci-{name}" for _, name in found[slot]))
        for slot in sorted(found)
    ]


def apply_stage2(space: Workspace, before: Mapping[str, Any], settle: Callable[[Wave], None], *, yes: bool) -> bool:
    """Plans, shows, asks, and applies stage 2, slot by slot where there are several; True if it changed something.

    `before` is images.json as it was while what runs now was applied. `settle` waits until what a wave changed serves;
    what it raises ends the run before the next slot is touched.
    """
    stage = space.stage(2)
    _finished(space)
    with output.step(stage.name) as result:
        space.terraform.init(stage)
        plan = space.terraform.plan(stage)
        result.append(plan.summary())
    show_drift(plan.actions, plan.drift, stage.name)
    if not plan.changes:
        return False
    output.plan(f"{stage.name} changes", plan.actions)
    output.confirm(f"Apply {plan.summary()} in {space.environment.name}?", yes=yes)
    apply_planned(space, plan, before, settle)
    return True


def show_drift(actions: Mapping[str, str], drift: Mapping[str, str], title: str) -> None:
    """What was changed outside Terraform and would be put back, before anything is changed.

    Drift without an action is left out: Terraform only takes a value over, as it does with what Azure computed.
    """
    rows = [(change, address) for address, change in sorted(drift.items()) if address in actions]
    if rows:
        output.table(f"{title}: changed outside Terraform, and put back", ("change", "resource"), rows)


def apply_planned(
    space: Workspace,
    plan: Plan,
    before: Mapping[str, Any],
    settle: Callable[[Wave], None],
    within: Callable[[Plan], None] = lambda _: None,
) -> None:
    """Applies stage 2's plan: the plan itself, or its parts slot by slot; `within` raises for a part that is none."""
    staggered = waves(space.environment, plan.actions)
    if staggered:
        hold(space, before)
    for wave in staggered:
        _roll(space, wave, settle, within)
    with output.step(f"{plan.stage.name} apply") as result:
        _finished(space)
        rest = space.terraform.plan(space.stage(2)) if staggered else plan
        if rest.changes:
            within(rest)
            space.terraform.apply(rest)
        result.append("applied")


def _roll(space: Workspace, wave: Wave, settle: Callable[[Wave], None], within: Callable[[Plan], None]) -> None:
    with output.step(f"slot {wave.slot}") as result:
        _release(space, wave)
        changed = space.terraform.plan(space.stage(2), targets=wave.targets)
        within(changed)
        space.terraform.apply(changed)
        settle(wave)
        result.append(f"{', '.join(wave.groups)}: replaced, and the gateway answers")


def hold(space: Workspace, before: Mapping[str, Mapping[str, Any]]) -> None:
    """Keeps each slot on the digest that it runs, in images.json, until its turn comes.

    So a run that is interrupted, and whoever applies by hand meanwhile, leaves the other slots as they are.
    """
    after = images.recorded(space.images_file)
    held = {
        server: _held(space.environment, server, before.get(server) or {}, entry) for server, entry in after.items()
    }
    if held != after:
        images.write(space.images_file, held)


def _held(environment: Environment, server: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in after.items() if name != "slots"}
    if not before.get("digest") or not _several(environment, server):
        return plain
    overrides = before.get("slots") or {}
    running = {slot: overrides.get(slot) or _image(before) for slot in _slots_of(environment, server)}
    waiting = {slot: image for slot, image in running.items() if image["digest"] != after.get("digest")}
    return {**plain, **({"slots": waiting} if waiting else {})}


def _release(space: Workspace, wave: Wave) -> None:
    """The wave's slot takes the server's own digest from now on."""
    entries = images.recorded(space.images_file)
    of_wave = {slot.server for slot in slots(space.environment).values() if f"aci-{slot.name}" in wave.groups}
    freed = {name: _without(entry, wave.slot) if name in of_wave else entry for name, entry in entries.items()}
    if freed != entries:
        images.write(space.images_file, freed)


def _finished(space: Workspace) -> None:
    """Every slot takes the server's own digest."""
    entries = images.recorded(space.images_file)
    plain = {name: {k: v for k, v in entry.items() if k != "slots"} for name, entry in entries.items()}
    if plain != entries:
        images.write(space.images_file, plain)


def _without(entry: Mapping[str, Any], slot: str) -> dict[str, Any]:
    left = {name: image for name, image in (entry.get("slots") or {}).items() if name != slot}
    plain = {name: value for name, value in entry.items() if name != "slots"}
    return {**plain, **({"slots": left} if left else {})}


def _image(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("digest", "tag") if name in entry}


def _several(environment: Environment, server: str) -> bool:
    return len(_slots_of(environment, server)) > 1


def _slots_of(environment: Environment, server: str) -> Sequence[str]:
    return sorted((environment.servers.get(server) or {}).get("slots") or ("a",))


def settle_local(space: Workspace, chosen: Ports, publish: Publish) -> Callable[[Wave], None]:
    """The twin takes the state over, every part serves, its circuit breakers have closed, and the gateway answers.

    While the breaker of a changed slot is still open the gateway sends it nothing: replacing the next slot then would
    leave nobody to answer.
    """

    def settle(_: Wave) -> None:
        reached = publish(space)
        twin_control.ensure(space.environment, chosen)
        time.sleep(reached.breaker_seconds)
        require_answers(space.environment, reached)

    return settle


def settle_azure(space: Workspace, publish: Callable[[], Platform]) -> Callable[[Wave], None]:
    """Azure says that the groups run, their circuit breakers have closed, and the gateway answers; see settle_local."""

    def settle(wave: Wave) -> None:
        for group in wave.groups:
            _wait_until_running(space.environment, group)
        reached = publish()
        time.sleep(reached.breaker_seconds)
        require_answers(space.environment, reached)

    return settle


def _wait_until_running(environment: Environment, group: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    shown = ("container", "show", "--resource-group", environment.need("RESOURCE_GROUP"), "--name", group)
    while (state := az.run(*shown, "--query", "instanceView.state")) != "Running":
        if time.monotonic() > deadline:
            raise NotDeployedError(
                f"{group} is {state or 'in no state'} after {_PATIENCE:.0f} s, so the other slots were left alone; "
                f"see `az container logs --resource-group {environment.need('RESOURCE_GROUP')} --name {group}`, then "
                f"`invoke rollback --env {environment.name}`"
            )
        time.sleep(_PAUSE)


def require_answers(environment: Environment, reached: Platform) -> None:
    """Several calls per server through the gateway, each answered; where nobody can sign in, each challenged."""
    bearer = _bearer(environment, reached)
    for server, endpoint in reached.endpoints.items():
        for _ in range(_CALLS * len(_slots_of(environment, server))):
            answered = smoke.status(endpoint, bearer)
            if answered != (200 if bearer else 401):
                raise SmokeError(
                    f"{endpoint} answers {answered} after one slot was changed, so the other slots were left alone; "
                    "see `invoke logs`, then `invoke rollback`"
                )


def _bearer(environment: Environment, reached: Platform) -> str | None:
    if environment.is_local:
        return token.mint(environment, reached, "reader")
    with suppress(OpsError):
        return token.mint(environment, reached, "reader")
    with suppress(OpsError):
        return token.mint(environment, reached, "admin")
    output.warn("the signed-in account has no role here: the gateway is asked without a token, which proves less")
    return None


def described(plan: Plan) -> list[tuple[str, str]]:
    """What drifted, container addresses first."""
    return sorted(
        ((address, action) for address, action in plan.drift.items()), key=lambda row: (not _GROUP.match(row[0]), row)
    )
