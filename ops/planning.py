"""`invoke plan`: what a deployment would change, saved and as data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops import lock, output, terraform_binary, twin_control, workspace
from ops.environment import Environment
from ops.errors import UsageError
from ops.terraform import Plan
from ops.workspace import Workspace

_BOTH = (1, 2)


def plan(environment: Environment, stages: Sequence[int] = _BOTH) -> dict[str, Any]:
    """Plans the stages and saves each plan; `{"env", "changes", "stages": {"stage1": {"summary", "file", "actions"}}}`.

    Locally, stage 2 is planned against what stage 1 would make where stage 1 is not applied yet. On Azure that is not
    possible: its data sources read real objects, so stage 2 has to wait.
    """
    if not stages or not set(stages) <= set(_BOTH):
        raise UsageError(f"--stage must be 1 or 2, not {', '.join(map(str, stages))}")
    variables = twin_control.choose_ports(environment).variables(environment) if environment.is_local else {}
    with lock.held(environment.home), workspace.opened(environment, terraform_binary.find(), variables) as space:
        made = [made for number in stages for made in _plan(space, number)]
    return {
        "env": environment.name,
        "changes": any(plan.changes for plan in made),
        "stages": {f"stage{plan.stage.number}": _described(plan) for plan in made},
    }


def show(environment: Environment, stages: Sequence[int], *, as_json: bool) -> None:
    """For people: each resource that changes. For machines: one object on stdout."""
    found = plan(environment, stages)
    if as_json:
        output.data_json(found)
        return
    for name, made in found["stages"].items():
        if made["actions"]:
            rows = [(action, address) for address, action in made["actions"].items()]
            output.table(f"\n{name}: {made['summary']}", ("action", "resource"), rows)


def parse_stage(text: str | None) -> Sequence[int]:
    """`--stage`: None means both."""
    if text is None:
        return _BOTH
    if text not in ("1", "2"):
        raise UsageError(f"--stage {text!r} must be 1 or 2")
    return (int(text),)


def _plan(space: Workspace, number: int) -> Iterator[Plan]:
    with output.step(f"plan stage {number}") as result:
        if number == 2 and space.environment.is_local and not _is_applied(space):
            with _beside(space) as scratch:
                made = _made(scratch, 2)
        else:
            made = _made(space, number)
        result.append(made.summary())
    yield made


def _made(space: Workspace, number: int) -> Plan:
    stage = space.stage(number)
    space.terraform.init(stage)
    return space.terraform.plan(stage)


def _is_applied(space: Workspace) -> bool:
    return (space.home / "state" / "stage1.tfstate").exists()


@contextmanager
def _beside(space: Workspace) -> Iterator[Workspace]:
    """A throw-away copy of the environment in which stage 1 is applied."""
    with tempfile.TemporaryDirectory(prefix="plan-", dir=space.home) as folder:
        home = Path(folder)
        binary = terraform_binary.Binary(space.terraform.binary, "")
        with workspace.opened(space.environment, binary, space.variables, home=home) as scratch:
            scratch.terraform.apply(_made(scratch, 1))
            yield scratch
            _keep(scratch, space)


def _keep(scratch: Workspace, space: Workspace) -> None:
    """The log of the throw-away run is the plan's log."""
    for stage in scratch.stages:
        target = space.stage(stage.number).log
        if stage.log.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(stage.log, target)


def _described(made: Plan) -> dict[str, Any]:
    return {
        "summary": made.summary(),
        "changes": made.changes,
        "file": str(made.stage.plan_file),
        "actions": dict(made.actions),
    }
