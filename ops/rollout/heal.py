"""`invoke heal`: put back what changed without Terraform, container addresses first, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ops.cli.steps import Runner, Step
from ops.config.environment import Environment
from ops.errors import TerraformError
from ops.rollout import health_check, rolling_update, session
from ops.rollout.session import Session
from ops.terraform.cli import Plan

_MODULE = re.compile(r'^((?:module\.\w+(?:\["[^"]*"\])?\.)*module\.\w+(?:\["[^"]*"\])?)\.')


def heal(environment: Environment, runner: Runner) -> None:
    """Look at both stages, show what drifted, apply only that, and look again.

    A dry run takes every slot's container group to have drifted so that it has to be replaced: nothing takes longer.
    """
    with session.opened(environment, runner) as opened:
        healed = sum(_heal_stage(opened, number) for number in (1, 2))
        platform = opened.publish()
        runner.run(Step(lambda: health_check.require_answers(environment, platform), None))
    runner.say("the gateway answers" if healed else "nothing drifted; the gateway answers")


def targets(plan: Plan) -> list[str]:
    """Return what to apply: each drifted object's module, because records and backends follow an address."""
    drifted = [address for address, _ in rolling_update.sorted_drift(plan)]
    found = [_MODULE.match(address) for address in drifted]
    return list(dict.fromkeys(match[1] if match else address for match, address in zip(found, drifted, strict=True)))


def undeployed(plan: Plan, drift: Mapping[str, str]) -> list[str]:
    """Return what a plan replaces or removes though it did not drift: a change of the files that nobody deployed."""
    return [a for a, action in plan.actions.items() if action in ("replace", "delete") and a not in drift]


def _heal_stage(opened: Session, number: int) -> int:
    """Return how much had drifted."""
    space, runner = opened.space, opened.runner
    stage = space.stage(number)
    is_local = opened.environment.is_local
    cloud, looked = ("the twin", "") if is_local else ("Azure", "; see its activity log in the portal")
    expected = rolling_update.replacements(opened.environment, opened.environment.servers) if number == 2 else {}
    with runner.progress(f"look at {stage.name}") as result:
        plan = space.terraform.plan(stage, expected=expected, expected_drift=expected)
        result.append(f"{len(plan.drift)} differ from what was applied" if plan.drift else "as it was applied")
    if not plan.drift:
        return 0
    with runner.progress(f"plan {stage.name}") as result:
        small = space.terraform.plan(stage, targets=targets(plan), expected=expected)
        filled = f"nothing to put back: {cloud} filled in what was left open"
        result.append(small.summary() if small.changes else filled)
    if not small.changes:
        space.terraform.apply(small)  # nothing to put back: the state learns what Azure filled in by itself
        return 0
    runner.table(f"\n{stage.name}", ("drifted", "how"), rolling_update.sorted_drift(plan))
    other = undeployed(small, plan.drift)
    if other:
        raise TerraformError(
            f"putting it back would also change what did not drift ({', '.join(other)}): the files hold changes that "
            f"nobody deployed; run `invoke deploy`, which does both",
            log=stage.log,
        )
    runner.plan("will", small.actions)
    rolling_update.confirm(opened, small, agreed=opened.ports is not None)
    rolling_update.apply_plan(opened, small, None, targets=targets(plan), title=f"heal {stage.name}")
    left = space.terraform.plan(stage, expected={})
    if left.drift:
        raise TerraformError(
            f"{', '.join(left.drift)} drifted again at once: something else changes it{looked}",
            log=stage.log,
        )
    return len(plan.drift)
