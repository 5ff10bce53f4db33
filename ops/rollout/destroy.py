"""`invoke destroy`: stage 2, then stage 1, then (locally) the processes and what they wrote."""

from __future__ import annotations

import shutil
import sys
from functools import partial

from emulators.base.errors import EmulatorError
from ops import local_platform
from ops.cli import output
from ops.cli.steps import Runner, Step, command
from ops.config.environment import Environment
from ops.errors import DeclinedError, TerraformError, UsageError
from ops.rollout.rolling_update import apply_repeating
from ops.terraform import workspace
from ops.terraform.workspace import Workspace
from twin import control


def destroy(environment: Environment, runner: Runner, *, prod: bool = False) -> None:
    """Destroy everything; repeating it is safe. On Azure a person types the name, and prod also wants its own flag."""
    if environment.name == "prod" and not prod:
        if not runner.dry_run:
            raise UsageError("prod is not destroyed by accident: add --prod, and --yes where nobody can be asked")
        runner.announce("the run itself wants --prod too")
    if environment.is_local and not runner.dry_run and not environment.home.exists():
        output.say(f"{environment.name} is not deployed: nothing to destroy")
        return
    with runner.lock(environment.home):
        if environment.is_local:
            _destroy_local(environment, runner)
        else:
            if not runner.yes and not runner.dry_run:
                _ask_for_name(environment.name)
            _destroy_stages(environment, runner)
    if environment.is_local:
        home = environment.home
        runner.run(command(["rm", "-r", str(home)], lambda: shutil.rmtree(home), None))
        runner.say(
            f"{environment.name} is gone: no process, no state; .twin/ keeps Python environments for the next time"
        )


def _destroy_local(environment: Environment, runner: Runner) -> None:
    with runner.progress("local platform") as result:
        stopped = runner.run(Step(lambda: control.stop(environment.home), True))
        result.append("stopped" if stopped else "was not running")
    runner.run(Step(lambda: _discard_database(environment), None))
    if not runner.dry_run and not (environment.home / "state").exists():
        return
    try:
        _destroy_stages(environment, runner)
    except (TerraformError, EmulatorError) as error:
        # Its cloud is a file of the home, so nothing outlives the home.
        output.warn(f"{error}; everything is deleted all the same")


def _discard_database(environment: Environment) -> None:
    try:
        control.discard(environment.home)
    except EmulatorError as error:
        output.warn(f"the database's container or volume may be left in Docker: {error}")


def _destroy_stages(environment: Environment, runner: Runner) -> None:
    ports = local_platform.choose_ports(environment, keep=not runner.dry_run) if environment.is_local else None
    variables = ports.variables(environment) if ports else {}
    with workspace.opened(environment, variables, runner=runner) as space:
        for number in (2, 1):
            _destroy_stage(space, number)


def _destroy_stage(space: Workspace, number: int) -> None:
    stage = space.stage(number)
    with space.runner.progress(f"destroy {stage.name}") as result:
        space.terraform.init(stage)
        plan = space.terraform.plan(stage, destroy=True)
        if plan.changes:
            apply_repeating(space, plan, partial(space.terraform.plan, stage, destroy=True))
        result.append(f"{plan.count('delete')} deleted" if plan.changes else "nothing left")


def _ask_for_name(name: str) -> None:
    if not sys.stdin.isatty():
        raise DeclinedError(
            f"destroying {name} needs an answer and there is no terminal; add --yes to agree beforehand"
        )
    if output.ask(f"Everything in {name} will be deleted. Type its name to go on: ") != name:
        raise DeclinedError("nothing was changed: that is not the environment's name")
