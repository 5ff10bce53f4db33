"""`invoke plan`: what a deployment would change, saved and as data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops import local_platform
from ops.checks import planned_policies
from ops.cli import output
from ops.config import lock
from ops.config.environment import Environment, env_option
from ops.errors import NotDeployedError, TerraformError
from ops.images.images_json import Entries
from ops.rollout import rolling_update, target_images
from ops.rollout.request import check_images, parse_stage
from ops.terraform import active_key, saved_plan, values, workspace
from ops.terraform.binary import Binary
from ops.terraform.cli import Plan
from ops.terraform.workspace import Workspace

_BOTH = (1, 2)


def make_plans(
    environment: Environment,
    stages: Sequence[int] = _BOTH,
    *,
    images: Mapping[str, str] | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """Plan and save; return `{"env", "changes", "stages": {"stage1": {"summary", "changes", "file", "actions", …}}}`.

    `images` are what servers are to run (`--target-image`). What can be applied is also saved in the folder `out`.

    Where stage 1 still has to change, stage 2 is planned (locally) on a copy in which it has; such a plan has no
    `file`, because it cannot be applied. On Azure stage 2 has to wait: it reads real objects.
    """
    values.require_valid(environment)
    variables = local_platform.choose_ports(environment).variables(environment) if environment.is_local else {}
    with (
        lock.held(environment.home),
        workspace.opened(environment, variables) as space,
        target_images.recorded_for_now(space, _entries(space, images or {})),
        output.step("plan") as result,
    ):
        made = _stages(space, stages)
        result.extend(f"{plan.stage.name}: {plan.summary()}" for plan in made)
        for plan in made:
            if out and plan.stage.plan_file.exists():
                saved_plan.save(space, plan, out)
        return {
            "env": environment.name,
            "changes": any(plan.changes for plan in made),
            "stages": {f"stage{plan.stage.number}": _document(plan) for plan in made},
        }


def parse(
    environment: Environment, stage: str | None, target_image: Sequence[str], out: str | None
) -> tuple[Sequence[int], dict[str, str], Path | None]:
    """Read stages, images and folder that the command line asks for; UsageError for what does not fit together."""
    stages = parse_stage(stage)
    check_images(stages, target_image)
    return stages, target_images.parse(target_image, environment), Path(out).resolve() if out else None


def report(
    environment: Environment,
    asked: tuple[Sequence[int], Mapping[str, str], Path | None],
    *,
    as_json: bool,
    check: bool = False,
) -> None:
    """Print each resource that changes, or one object for a machine. `check` makes changes an error."""
    stages, images, out = asked
    found = make_plans(environment, stages, images=images, out=out)
    if as_json:
        output.data_json(found)
    else:
        for name, made in found["stages"].items():
            _print(name, made)
        _next(environment, changes=found["changes"])
    if check and found["changes"]:
        raise NotDeployedError(
            f"{environment.name} is not what its files say: {_summary(found)}; `invoke heal --env {environment.name}` "
            f"puts back what changed by itself, and `invoke deploy --env {environment.name}` does the rest"
        )


def _print(name: str, made: Mapping[str, Any]) -> None:
    rolling_update.print_drift(made["actions"], made["drift"], f"\n{name}")
    if made["actions"]:
        output.plan(f"\n{name}: {made['summary']}", made["actions"])


def _next(environment: Environment, *, changes: bool) -> None:
    name = environment.name
    option = env_option(name)
    steps = [
        (f"invoke plan{option} --json", "the same with every address, for a machine"),
        (f"invoke deploy{option}", "do it"),
    ]
    output.summary(f"{name} would change" if changes else f"{name} is what its files say", steps if changes else ())


def _summary(found: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {made['summary']}" for name, made in found["stages"].items() if made["changes"])


def _entries(space: Workspace, images: Mapping[str, str]) -> Entries:
    if images:
        space.terraform.init(space.stage(2))
    return target_images.resolve(space, images)


def _stages(space: Workspace, stages: Sequence[int]) -> list[Plan]:
    if 2 not in stages:
        return [_made(space, 1)]
    # Side by side, in the hope that stage 1 has nothing to do: then stage 2's plan does not depend on it.
    first, hoped = space.terraform.side_by_side(lambda: _made(space, 1), lambda: _made(space, 2))
    one = first.result()
    two = hoped.result() if not one.changes else _after_stage1(space)
    return [made for made in (one, two) if made.stage.number in stages]


def _made(space: Workspace, number: int) -> Plan:
    stage = space.stage(number)
    space.terraform.init(stage)
    made = space.terraform.plan(stage)
    if number == 2:
        planned_policies.require_runnable(space, made)
    return made


def _after_stage1(space: Workspace) -> Plan:
    if not space.environment.is_local:
        raise TerraformError(
            "stage 2 reads what stage 1 makes, and stage 1 has changes that are not applied; "
            "look at them with `invoke plan --stage 1`, and deploy",
            log=space.stage(1).log,
        )
    with _copied(space) as scratch:
        scratch.terraform.apply(_made(scratch, 1))
        return _made(scratch, 2)


@contextmanager
def _copied(space: Workspace) -> Iterator[Workspace]:
    """Make a throw-away copy of the environment: its stand-in cloud and its state, to apply to without consequence."""
    with tempfile.TemporaryDirectory(prefix="plan-", dir=space.home) as folder:
        home = Path(folder)
        shutil.copytree(space.home / "state", home / "state")
        shutil.copyfile(space.home / "cloud.json", home / "cloud.json")
        active_key.carry(space.home, home)
        if space.images_file.exists():
            target = home / space.images_file.relative_to(space.home)
            target.parent.mkdir(parents=True)
            shutil.copyfile(space.images_file, target)
        binary = Binary(space.terraform.binary, "")
        with workspace.opened(space.environment, space.variables, home=home, terraform=binary) as scratch:
            yield scratch


def _document(made: Plan) -> dict[str, Any]:
    file = made.stage.plan_file
    return {
        "summary": made.summary(),
        "changes": made.changes,
        "file": str(file) if file.exists() else None,
        "actions": dict(made.actions),
        "drift": dict(made.drift),
    }
