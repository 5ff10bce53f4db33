"""One list of checks: `invoke doctor` shows them all, `deploy` requires some of them before it touches anything."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from ops import local_platform
from ops.azure import az
from ops.checks import prerequisites
from ops.cli import output
from ops.cli.steps import Step
from ops.config.environment import Environment, env_option
from ops.errors import OpsError, ToolError
from ops.terraform import binary
from twin.errors import RuntimeFailure
from twin.supervise import database_choice

_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """`run` returns what was found, or raises an OpsError whose sentence says how to mend it."""

    run: Callable[[Environment], str]
    where: tuple[bool, ...] = (True, False)  # local, Azure


@dataclass(frozen=True)
class Finding:
    name: str
    ok: bool
    text: str


def findings(environment: Environment) -> list[Finding]:
    """Run every check that concerns this environment, in order."""
    return [_finding(name, environment) for name, check in CHECKS.items() if environment.is_local in check.where]


def require(environment: Environment, names: Sequence[str]) -> None:
    """Raise what the first failing check raised."""
    for name in names:
        CHECKS[name].run(environment)


def required(environment: Environment, names: Sequence[str]) -> Step[None]:
    """Return `require` as a step, which a dry run leaves out."""
    return Step(lambda: require(environment, names), None)


def report(environment: Environment, *, as_json: bool) -> None:
    """Print every finding; ToolError (exit code 1) where one is not fine."""
    found = findings(environment)
    if as_json:
        checks = [asdict(finding) for finding in found]
        output.data_json({"env": environment.name, "ok": all(finding.ok for finding in found), "checks": checks})
    else:
        output.table("", ("check", "", "found"), [(f.name, "ok" if f.ok else "NO", f.text) for f in found])
        if all(finding.ok for finding in found):
            following = [(f"invoke deploy{env_option(environment.name)}", "next")]
            output.summary("everything that a deployment needs is here", following)
    bad = [finding.name for finding in found if not finding.ok]
    if bad:
        raise ToolError(
            f"{len(bad)} of {len(found)} checks failed ({', '.join(bad)}); each line above says how to mend it"
        )


def _finding(name: str, environment: Environment) -> Finding:
    try:
        return Finding(name, True, CHECKS[name].run(environment))
    except OpsError as error:
        return Finding(name, False, str(error))


def _python(_: Environment) -> str:
    if sys.version_info < _PYTHON:
        raise ToolError(f"Python {sys.version.split()[0]} is too old; use 3.11 or later")
    return sys.version.split()[0]


def _terraform(_: Environment) -> str:
    found = binary.find()
    return f"{found.version} at {found.path}"


def _uv(_: Environment) -> str:
    import uv

    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise ToolError("uv is not installed; run `pip install -r requirements.txt`") from error


def _ports(environment: Environment) -> str:
    ours = local_platform.listening(environment)
    chosen = local_platform.choose(environment, ours, keep=False)
    local_platform.check_free(chosen, ours)
    whose = "ours" if chosen.gateway in ours else "free"
    return f"gateway {chosen.gateway}, issuer {chosen.entra}: {whose}"


def _database(environment: Environment) -> str:
    """Return the database that a deployment would use now."""
    chosen = local_platform.choose_ports(environment, keep=False)
    try:
        return database_choice.choose(local_platform.config(environment, chosen), environment.home.resolve()).text
    except RuntimeFailure as error:
        raise ToolError(str(error)) from error


def _settings(environment: Environment) -> str:
    names = ("SUBSCRIPTION_ID", "RESOURCE_GROUP", "LOCATION", "ACR_NAME", "KEY_VAULT_NAME")
    azure = () if environment.is_local else ("IDENTITY_NAME", "STORAGE_ACCOUNT", "CONTAINER_NAME")
    for name in (*names, *azure):
        environment.need(name)
    return "complete"


def _az(_: Environment) -> str:
    return str(az.run("version")["azure-cli"])


def _subscription(environment: Environment) -> str:
    account = az.run("account", "show")
    wanted = environment.need("SUBSCRIPTION_ID")
    if account["id"].lower() != wanted.lower():
        raise ToolError(f"az works in subscription {account['id']}; run `az account set --subscription {wanted}`")
    return f"{account['name']}, as {account['user']['name']}"


def _docker(_: Environment) -> str:
    if not shutil.which("docker"):
        raise ToolError("Docker is not installed; images for Azure are built with it (docs.docker.com/get-docker)")
    from ops.images import engine

    return str(engine.connect().version()["Version"])


CHECKS: dict[str, Check] = {
    "python": Check(_python),
    "settings": Check(_settings),
    "terraform": Check(_terraform),
    "uv": Check(_uv),
    "ports": Check(_ports, where=(True,)),
    "database": Check(_database, where=(True,)),
    "az": Check(_az, where=(False,)),
    "subscription": Check(_subscription, where=(False,)),
    "roles": Check(prerequisites.roles, where=(False,)),
    "providers": Check(prerequisites.providers, where=(False,)),
    "names": Check(prerequisites.names, where=(False,)),
    "docker": Check(_docker, where=(False,)),
}
