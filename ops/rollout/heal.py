"""`invoke heal`: puts back what changed without Terraform, container addresses first, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ops.cli import output
from ops.config.environment import Environment
from ops.errors import TerraformError
from ops.rollout import rolling_update as rolling
from ops.rollout import running
from ops.terraform import workspace
from ops.terraform.cli import Plan
from ops.terraform.workspace import Workspace

_MODULE = re.compile(r'^((?:module\.\w+(?:\["[^"]*"\])?\.)*module\.\w+(?:\["[^"]*"\])?)\.')


def heal(environment: Environment, *, dry_run: bool = False, yes: bool = False) -> None:
    """Looks at both stages, shows what drifted, applies only that, and looks again."""
    if dry_run:
        for line in commands(environment):
            output.data(line)
        return
    with running.opened(environment) as platform:
        healed = sum(_heal_stage(platform.space, number, yes=yes or environment.is_local) for number in (1, 2))
        reached = platform.publish()
        rolling.require_answers(environment, reached)
    output.say("the gateway answers" if healed else "nothing drifted; the gateway answers")


def commands(environment: Environment) -> list[str]:
    """What looks; what it applies is what it finds."""
    space = workspace.described(environment, {})
    return [line for stage in space.stages for line in space.terraform.commands(stage)]


def targets(plan: Plan) -> list[str]:
    """What to apply, and nothing more: each drifted object's module, because records and backends follow an address."""
    drifted = [address for address, _ in rolling.described(plan)]
    found = [_MODULE.match(address) for address in drifted]
    return list(dict.fromkeys(match[1] if match else address for match, address in zip(found, drifted, strict=True)))


def undeployed(plan: Plan, drift: Mapping[str, str]) -> list[str]:
    """What a plan would replace or remove though it did not drift: a change of the files that nobody deployed."""
    return [a for a, action in plan.actions.items() if action in ("replace", "delete") and a not in drift]


def _heal_stage(space: Workspace, number: int, *, yes: bool) -> int:
    """How much had drifted."""
    stage = space.stage(number)
    with output.step(f"look at {stage.name}") as result:
        plan = space.terraform.plan(stage)
        result.append(f"{len(plan.drift)} differ from what was applied" if plan.drift else "as it was applied")
    if not plan.drift:
        return 0
    with output.step(f"plan {stage.name}") as result:
        small = space.terraform.plan(stage, targets=targets(plan))
        result.append(small.summary() if small.changes else "nothing to put back: Azure filled in what was left open")
    if not small.changes:
        space.terraform.apply(small)  # nothing to put back: the state learns what Azure filled in by itself
        return 0
    output.table(f"\n{stage.name}", ("drifted", "how"), rolling.described(plan))
    other = undeployed(small, plan.drift)
    if other:
        raise TerraformError(
            f"putting it back would also change what did not drift ({', '.join(other)}): the files hold changes that "
            f"nobody deployed; run `invoke deploy`, which does both",
            log=stage.log,
        )
    output.plan("will", small.actions)
    output.confirm(f"Apply {small.summary()} in {space.environment.name}?", yes=yes)
    with output.step(f"heal {stage.name}") as result:
        space.terraform.apply(small)
        result.append("applied")
    left = space.terraform.plan(stage)
    if left.drift:
        raise TerraformError(
            f"{', '.join(left.drift)} drifted again at once: something else changes it; see its activity log in Azure",
            log=stage.log,
        )
    return len(plan.drift)
