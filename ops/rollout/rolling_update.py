"""Applying a stage, one slot after the other where servers have several, so that the other slots answer meanwhile.

Image, environment and keys of a container group can only be changed by replacing it. Where a server has two slots or
more, its groups are replaced in batches, one slot at a time: change it, wait until it serves and the gateway answers,
then the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ops.checks import durations, planned_policies
from ops.cli import changes, output
from ops.cli.steps import Step
from ops.config.environment import Environment
from ops.config.servers import apps, has_several_slots, slot_letters, slots
from ops.errors import TerraformError
from ops.images import images_json
from ops.rollout import revisions
from ops.rollout.session import Session
from ops.terraform.cli import ANYTHING, Plan
from ops.terraform.workspace import Workspace

_GROUP = re.compile(r'^(module\.servers\["([^"]+)"\])\.azurerm_container_group\.')


@dataclass(frozen=True)
class Batch:
    """What is replaced together: every tier's container group of one slot."""

    slot: str
    targets: tuple[str, ...]
    groups: tuple[str, ...]
    servers: frozenset[str]


def batches(environment: Environment, actions: Mapping[str, str]) -> list[Batch]:
    """Return the groups that a plan replaces, by slot, of servers with several slots."""
    known = slots(environment)
    found: dict[str, list[tuple[str, str]]] = {}
    for address, action in sorted(actions.items()):  # Terraform names them in any order
        match = _GROUP.match(address)
        slot = known.get(match[2]) if match else None
        if match and slot and action in ("replace", "update") and has_several_slots(environment, slot.server):
            found.setdefault(slot.slot, []).append((match[1], slot.name))
    return [
        Batch(
            letter,
            tuple(target for target, _ in found[letter]),
            tuple(known[name].group for _, name in found[letter]),
            frozenset(known[name].server for _, name in found[letter]),
        )
        for letter in sorted(found)
    ]


def replacements(environment: Environment, servers: Collection[str]) -> dict[str, str]:
    """Return the actions with which a plan replaces every container group of these servers, for a dry run."""
    found = [slot.name for slot in slots(environment).values() if slot.server in servers]
    return {
        **{f'module.servers["{name}"].azurerm_container_group.this': "replace" for name in found},
        **{
            f"{app.address}.azurerm_container_app.this": "update"
            for app in apps(environment).values()
            if app.server in servers
        },
    }


def apply_stage(
    session: Session,
    number: int,
    before: Mapping[str, Any] | None = None,
    *,
    agreed: bool = False,
    expected: Mapping[str, str] = ANYTHING,
) -> bool:
    """Plan, show, ask, and apply exactly that plan; True if something changed.

    `before`: images.json as it was while what runs now was applied. `expected`: what a dry run takes the plan to find.
    """
    space, stage = session.space, session.space.stage(number)
    if number == 2:
        images_json.release_all(space.images_file, session.runner)
    with session.runner.progress(stage.name) as result:
        space.terraform.init(stage)
        plan = space.terraform.plan(stage, expected=expected)
        result.append(plan.summary())
    show_drift(session, plan)
    if not plan.changes:
        return False
    session.runner.plan(f"{stage.name} changes", plan.actions)
    confirm(session, plan, agreed=agreed)
    apply_plan(session, plan, before or {}, steps=True)
    return True


def _move_calls(session: Session, before: Mapping[str, Any]) -> bool:
    """Make new revisions of apps whose image is another one, and let them have their part of the calls in steps.

    Return whether there are some. Where one is not ready, or the gateway does not answer, the calls stay.
    """
    space, runner = session.space, session.runner
    wanted = revisions.released(session.environment, before, images_json.read(space.images_file, runner))
    if not wanted:
        return False
    stage = space.stage(2)
    held = runner.run(Step(lambda: revisions.serving(session, wanted), {app.name: "earlier" for app in wanted}))
    going = [app for app in wanted if app.name in held]
    targets = tuple(app.address for app in going)
    expected = {f"{app.address}.azurerm_container_app.this": "update" for app in going}
    for weight in revisions.STEPS if going else ():
        with runner.progress(f"{', '.join(app.name for app in going)}: {100 - weight} % to the new revision") as result:
            revisions.hold(session, held, weight)
            part = space.terraform.plan(stage, targets=targets, expected=expected)
            if part.changes:
                apply_repeating(space, part, partial(space.terraform.plan, stage, targets=targets))
            session.publish()
            revisions.require_ready(session, going)
            session.check_health(())
            result.append("ready, and the gateway answers")
    revisions.release(session)
    return bool(going)


def confirm(session: Session, plan: Plan, *, agreed: bool) -> None:
    """Ask whether to apply a plan; DeclinedError. Where data would be lost, only --yes answers, not `agreed`."""
    question = f"Apply {plan.summary()} in {session.environment.name}?"
    if gone := changes.lost(plan.actions):
        question = f"Delete {'; '.join(gone)}? {question}"
    session.runner.confirm(question, agreed=agreed and not gone)


def apply_plan(
    session: Session,
    plan: Plan,
    before: Mapping[str, Any] | None,
    *,
    require_part: Callable[[Plan], None] = lambda _: None,
    targets: Sequence[str] = (),
    title: str = "",
    steps: bool = False,
) -> None:
    """Apply the plan itself, or its parts slot by slot; `require_part` raises for a part that the plan does not hold.

    With `steps`, the calls of apps whose image is new go to it step by step first.

    `before`: images.json as it was while what runs now was applied; None where the images stay as they are. With
    `targets` the plan was made for these alone, and so is what is left of it after the slots.
    """
    space, stage = session.space, session.space.stage(plan.stage.number)
    planned_policies.require_runnable(space, plan)
    for sentence in durations.sentences(space.environment, plan):
        session.runner.announce(sentence)
    touched = [
        app for app in apps(space.environment).values() if f"{app.address}.azurerm_container_app.this" in plan.actions
    ]
    if steps and before is not None and _move_calls(session, before):
        plan = space.terraform.plan(stage, targets=targets, expected=plan.actions)
        if not plan.changes:
            return
    staggered = batches(space.environment, plan.actions)
    if staggered and before is not None:
        _hold_slots(space, before)
    for batch in staggered:
        with session.runner.progress(f"slot {batch.slot}") as result:
            if before is not None:
                images_json.release_slot(space.images_file, batch.servers, batch.slot, session.runner)
            part = space.terraform.plan(stage, targets=batch.targets)
            require_part(part)
            apply_repeating(space, part, partial(space.terraform.plan, stage, targets=batch.targets), require_part)
            session.check_health(batch.groups)
            result.append(f"{', '.join(batch.groups)}: replaced, and the gateway answers")
    with session.runner.progress(title or f"{stage.name} apply") as result:
        rest = plan
        if staggered:
            if before is not None:
                images_json.release_all(space.images_file, session.runner)
            rest = space.terraform.plan(stage, targets=targets, expected=_left(plan.actions, staggered))
        if rest.changes:
            require_part(rest)
            apply_repeating(space, rest, partial(space.terraform.plan, stage, targets=targets), require_part)
        result.append("applied")
    if touched and session.ports is None:
        revisions.require_ready(session, touched)
        revisions.deactivate_old(session, touched)


def apply_repeating(
    space: Workspace,
    plan: Plan,
    plan_again: Callable[[], Plan],
    require_part: Callable[[Plan], None] = lambda _: None,
) -> None:
    """Apply a plan; where API Management was busy with the same API, plan and apply what is left, once.

    Terraform writes an API's operations and policies side by side, and the service may refuse one of two with 409.
    A saved plan is applied once only, so what is left is planned anew: it may hold nothing that the plan did not.
    """
    try:
        space.terraform.apply(plan)
    except TerraformError as error:
        if error.kind != "api-busy":
            raise
        space.runner.warn(
            "API Management was still changing the same API (409 PessimisticConcurrencyConflict), which passes: what "
            "is left is planned and applied once more"
        )
        left = plan_again()
        if left.actions.keys() - plan.actions.keys():
            raise
        require_part(left)
        if left.changes:
            space.terraform.apply(left)


def show_drift(session: Session, plan: Plan) -> None:
    """Show what was changed outside Terraform and would be put back, before anything is changed."""
    if not session.runner.dry_run:
        print_drift(plan.actions, plan.drift, plan.stage.name)


def print_drift(actions: Mapping[str, str], drift: Mapping[str, str], title: str) -> None:
    """Print drift that has an action; in the rest Terraform only takes a value over, as it does what Azure computed."""
    rows = [(change, address) for address, change in sorted(drift.items()) if address in actions]
    if rows:
        # What was half made when a deployment was cut off looks the same: Terraform knows only that it differs.
        heading = (
            f"{title}: not as Terraform recorded it (changed by something else, or a run was cut off), and put back"
        )
        output.table(heading, ("change", "resource"), rows)


def sorted_drift(plan: Plan) -> list[tuple[str, str]]:
    """Return what drifted as (address, change), container groups first: a new address of theirs breaks the gateway."""
    return sorted(plan.drift.items(), key=lambda row: (not _GROUP.match(row[0]), row))


def _hold_slots(space: Workspace, before: Mapping[str, Any]) -> None:
    environment = space.environment
    several = {
        name: slot_letters(environment, name) for name in environment.servers if has_several_slots(environment, name)
    }
    images_json.hold_slots(space.images_file, before, several, space.runner)


def _left(actions: Mapping[str, str], done: Sequence[Batch]) -> dict[str, str]:
    """Return the actions that the batches did not take."""
    targets = {target for batch in done for target in batch.targets}
    return {a: action for a, action in actions.items() if not (m := _GROUP.match(a)) or m[1] not in targets}
