"""`invoke destroy`: stage 2, then stage 1, then (locally) the processes and every generated file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

from emulators.base.errors import TwinError
from ops.cli import output
from ops.config import lock
from ops.config.environment import Environment
from ops.errors import DeclinedError, TerraformError, UsageError
from ops.local import twin as twin_control
from ops.terraform import binary as terraform_binary
from ops.terraform import workspace
from ops.terraform.workspace import Workspace
from twin import control


def destroy(environment: Environment, *, dry_run: bool = False, yes: bool = False, prod: bool = False) -> None:
    """Repeating it is safe. On Azure a person types the environment's name; prod also wants its own flag."""
    if environment.name == "prod" and not prod:
        raise UsageError("prod is not destroyed by accident: add --prod, and --yes where nobody can be asked")
    if dry_run:
        for line in commands(environment):
            output.data(line)
        return
    if environment.is_local and not environment.home.exists():
        output.say(f"{environment.name} is not deployed: nothing to destroy")
        return
    with lock.held(environment.home):
        if environment.is_local:
            _local(environment)
        else:
            _azure(environment, yes=yes)
    if environment.is_local:
        shutil.rmtree(environment.home)
        output.say(f"{environment.name} is gone: no process, no state, no generated file")


def commands(environment: Environment) -> list[str]:
    """What it runs, one command per line."""
    space = workspace.described(environment, {})
    lines = [line for number in (2, 1) for line in space.terraform.commands(space.stage(number), destroy=True)]
    return [*lines, *([f"rm -r {environment.home}"] if environment.is_local else [])]


def _local(environment: Environment) -> None:
    variables = twin_control.choose_ports(environment).variables(environment)
    with output.step("local platform") as result:
        result.append("stopped" if control.stop(environment.home) else "was not running")
    try:
        control.discard(environment.home)
    except TwinError as error:
        output.warn(f"the database's container or volume may be left in Docker: {error}")
    if not (environment.home / "state").exists():
        return
    try:
        _destroy_both(environment, variables)
    except (TerraformError, TwinError) as error:
        # Its cloud is a file of the home, so nothing outlives the home.
        output.warn(f"{error}; everything is deleted all the same")


def _destroy_both(environment: Environment, variables: Mapping[str, str]) -> None:
    with workspace.opened(environment, terraform_binary.find(), variables) as space:
        for number in (2, 1):
            _destroy_stage(space, number)


def _azure(environment: Environment, *, yes: bool) -> None:
    if not yes:
        _ask_for_name(environment.name)
    _destroy_both(environment, {})


def _ask_for_name(name: str) -> None:
    if not sys.stdin.isatty():
        raise DeclinedError(
            f"destroying {name} needs an answer and there is no terminal; add --yes to agree beforehand"
        )
    if output.asked(f"Everything in {name} will be deleted. Type its name to go on: ") != name:
        raise DeclinedError("nothing was changed: that is not the environment's name")


def _destroy_stage(space: Workspace, number: int) -> None:
    stage = space.stage(number)
    with output.step(f"destroy {stage.name}") as result:
        space.terraform.init(stage)
        plan = space.terraform.plan(stage, destroy=True)
        if plan.changes:
            space.terraform.apply(plan)
        result.append(f"{plan.count('delete')} deleted" if plan.changes else "nothing left")
