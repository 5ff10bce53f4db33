"""`invoke bootstrap`: Steps 1–3, what Terraform and its pipeline need before there is anything to apply.

Repeating it is safe: each step looks first and makes only what is missing, so the next run finishes an interrupted one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emulators.base.files import write_json
from ops.azure import az
from ops.bootstrap import entra, federation, identity, roles, state
from ops.bootstrap.command import Values
from ops.bootstrap.item import Task, perform
from ops.bootstrap.options import Options
from ops.cli import output
from ops.cli.steps import Runner
from ops.config.environment import Environment
from ops.errors import UsageError
from ops.terraform import workspace

__all__ = ["STEPS", "Options", "bootstrap", "refuse_local", "roles"]

STEPS: dict[str, Callable[[Environment, Options], Task]] = {
    "identity": identity.task,
    "federation": federation.task,
    "entra": entra.task,
    "state": state.task,
}
_OF_A_PIPELINE = ("federation", "entra")


def bootstrap(
    environment: Environment, runner: Runner, options: Options, steps: tuple[str, ...] = tuple(STEPS)
) -> None:
    """Take the named steps in their order; OpsError says what stands in the way.

    A dry run prints what a first run runs; what one command tells, the following use by name.
    """
    refuse_local(environment)
    if options.without_pipeline:
        steps = tuple(name for name in steps if name not in _OF_A_PIPELINE)
    with runner.lock(environment.home):
        values: Values = {}
        printed: set[str] = set()
        changed = sum(_take_step(environment, runner, options, name, values, printed) for name in steps)
        if runner.dry_run:
            return
        _tell(environment, values)
        if not changed:
            output.say("nothing changed")


def refuse_local(environment: Environment) -> None:
    """Raise UsageError for an environment that is no Azure's: neither a run nor its commands would prepare anything."""
    if environment.is_local:
        raise UsageError(
            f"bootstrap prepares Azure, and {environment.name} needs none of it; run `invoke deploy`, or name an "
            "environment on Azure with --env NAME, also for --dry-run"
        )


def _take_step(
    environment: Environment, runner: Runner, options: Options, name: str, values: Values, printed: set[str]
) -> int:
    """Return how much had to be made or changed."""
    if name != "state":
        return perform(STEPS[name](environment, options), values, runner, printed)
    account = runner.run(az.look("account", "show", expected={"user": {"type": "user"}}))
    if not runner.dry_run:
        values["MY_CLIENT_ID"] = str(account["user"]["name"])  # of a service principal it is the client id
    task = state.task(environment, options, person=account["user"]["type"] == "user")
    changed = perform(task, values, runner, printed)
    _initialise(environment, runner)
    return changed


def _initialise(environment: Environment, runner: Runner) -> None:
    with workspace.opened(environment, {}, runner=runner) as opened:
        # Where the documented commands run, for the local environment too: its own copy has no Azure behind it.
        space = replace(opened, root=environment.terraform_dir)
        for stage in space.stages:
            with runner.progress(f"terraform init, {stage.name}"):
                space.terraform.init(stage)


def _tell(environment: Environment, values: Values) -> None:
    """Print and save what the service connection and other people's scripts ask for."""
    ids = {name: values[name] for name in ("IDENTITY_CLIENT_ID", "IDENTITY_PRINCIPAL_ID") if name in values}
    if ids:
        write_json(environment.home / "bootstrap.json", ids)
        for name, value in ids.items():
            output.data(f"{name}={value}")
