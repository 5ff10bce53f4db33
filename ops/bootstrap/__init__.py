"""`invoke bootstrap`: Steps 1–3, what Terraform and its pipeline need before there is anything to apply.

Repeating it is safe: each step looks first and makes only what is missing, so the next run finishes an interrupted one.
"""

from __future__ import annotations

from collections.abc import Callable

from emulators.base.files import write_json
from ops.azure import az
from ops.bootstrap import entra, federation, identity, state
from ops.bootstrap.command import Values
from ops.bootstrap.item import Task, lines, perform
from ops.bootstrap.options import Options
from ops.cli import output
from ops.config import lock
from ops.config.environment import Environment
from ops.errors import UsageError
from ops.terraform import binary as terraform_binary
from ops.terraform import workspace
from ops.terraform.workspace import Workspace

STEPS: dict[str, Callable[[Environment, Options], Task]] = {
    "identity": lambda environment, _: identity.task(environment),
    "federation": federation.task,
    "entra": entra.task,
    "state": lambda environment, _: state.task(environment),
}


def run(
    environment: Environment,
    options: Options,
    steps: tuple[str, ...] = tuple(STEPS),
    *,
    dry_run: bool = False,
    yes: bool = False,
) -> None:
    """The named steps in their order; OpsError says what stands in the way."""
    if dry_run:
        for line in commands(environment, options, steps):
            output.data(line)
        return
    if environment.is_local:
        raise UsageError(
            f"bootstrap prepares Azure, and {environment.name} needs none of it; run `invoke deploy`, bootstrap "
            "another environment with --env NAME, or look at the commands with --dry-run"
        )
    with lock.held(environment.home):
        values: Values = {}
        changed = sum(_step(environment, options, name, values, yes=yes) for name in steps)
        _tell(environment, values)
        if not changed:
            output.say("nothing changed")


def commands(environment: Environment, options: Options, steps: tuple[str, ...] = tuple(STEPS)) -> list[str]:
    """Everything a first run runs, one command per line; what one tells, the following use by name."""
    printed: list[str] = []
    for name in steps:
        printed += lines(STEPS[name](environment, options), {}, printed)
        if name == "state":
            printed += _init_lines(environment)
    return printed


def _step(environment: Environment, options: Options, name: str, values: Values, *, yes: bool) -> int:
    if name != "state":
        return perform(STEPS[name](environment, options), values, yes=yes)
    account = az.run("account", "show")
    values["MY_CLIENT_ID"] = str(account["user"]["name"])  # of a service principal it is the client id
    changed = perform(state.task(environment, person=account["user"]["type"] == "user"), values, yes=yes)
    _initialise(environment)
    return changed


def _initialise(environment: Environment) -> None:
    with workspace.opened(environment, terraform_binary.find(), {}) as space:
        for stage in space.stages:
            with output.step(f"terraform init, {stage.name}"):
                space.terraform.init(stage)


def _init_lines(environment: Environment) -> list[str]:
    # Where the documented commands run, for the local environment too: its own copy has no Azure behind it.
    described = workspace.described(environment, {})
    space = Workspace(environment, described.home, described.terraform, environment.terraform_dir, {})
    return [space.terraform.commands(stage)[0] for stage in space.stages]


def _tell(environment: Environment, values: Values) -> None:
    """Prints and saves what the service connection and other people's scripts ask for."""
    ids = {name: values[name] for name in ("IDENTITY_CLIENT_ID", "IDENTITY_PRINCIPAL_ID") if name in values}
    if ids:
        write_json(environment.home / "bootstrap.json", ids)
        for name, value in ids.items():
            output.data(f"{name}={value}")
