"""One list of checks: `invoke doctor` shows them all, `deploy` requires some of them before it touches anything.

The list is also README's table of what Azure wants, and what a dry run says beforehand.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from ops import local_platform
from ops.azure import az, rights
from ops.checks import costs, durations, prerequisites, reach
from ops.checks.prerequisites import Note
from ops.cli import output
from ops.cli.steps import Runner, Step
from ops.config import placeholders
from ops.config import settings as settings_module
from ops.config.environment import Environment, env_option
from ops.config.servers import DOCUMENTDB, has_database
from ops.errors import OpsError, SettingError, ToolError
from ops.terraform import binary, values
from twin.errors import RuntimeFailure
from twin.supervise import database_choice

_PYTHON = (3, 11)
_AZURE, _LOCAL, _BOTH = (False,), (True,), (True, False)  # values of Environment.is_local
Verdict = Literal["ok", "note", "NO", "–"]


@dataclass(frozen=True)
class Check:
    """`run` returns what was found (a Note: what somebody should know), or raises an OpsError that says the remedy.

    `what`: what is needed, for whom, as README says it; `after`: checks without which this one cannot tell.
    """

    run: Callable[[Environment], str]
    what: str
    where: tuple[bool, ...] = _BOTH
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """`ok` is False for what was not checked too, because something before it failed (`verdict` –)."""

    name: str
    ok: bool
    text: str
    verdict: Verdict


def findings(environment: Environment) -> list[Finding]:
    """Run every check that concerns this environment, in order; what depends on a failed one is left out."""
    found: dict[str, Finding] = {}
    for name, check in applicable(environment).items():
        missing = next((other for other in check.after if other in found and not found[other].ok), "")
        if missing:
            found[name] = Finding(name, False, f"not checked: {missing} comes first", "–")
        else:
            found[name] = _finding(name, environment)
    return list(found.values())


def applicable(environment: Environment) -> Mapping[str, Check]:
    return {name: check for name, check in CHECKS.items() if environment.is_local in check.where}


def require(environment: Environment, names: Sequence[str]) -> None:
    """Raise what the first failing check raised."""
    for name in names:
        CHECKS[name].run(environment)


def required(environment: Environment, names: Sequence[str]) -> Step[None]:
    """Return `require` as a step, which a dry run leaves out."""
    return Step(lambda: require(environment, names), None)


def require_values(environment: Environment, runner: Runner, *, pipeline: bool = False, identity: bool = True) -> None:
    """Refuse settings that are missing, are placeholders, or are not Terraform's; a dry run does it at its end.

    `pipeline`: those too with which a pipeline of Azure DevOps deploys. `identity`: one is made for a pipeline.
    """
    if not environment.is_local:
        runner.require(lambda: _settings(environment, identity=identity), "")
        runner.require(lambda: placeholders.require_none(environment, pipeline=pipeline), None)
        runner.require(lambda: values.require_valid(environment), None)


def preview(environment: Environment, runner: Runner, *, bootstraps: bool = False, pipeline: bool = True) -> None:
    """Say in a dry run what its commands need, how long they take and what they cost; on stderr, beside them.

    `bootstraps`: what comes before a deployment is what runs. `pipeline`: it is bootstrapped for one.
    """
    if runner.dry_run and not environment.is_local:
        time = durations.first_deployment(environment)
        found = {
            "directory": CHECKS["directory"].what if bootstraps and pipeline else rights.DIRECTORY_TO_DEPLOY,
            "time": f"{durations.BOOTSTRAP}; {time}" if bootstraps else time,
            "cost": costs.text(environment),
        }
        left_out = {"state"} if bootstraps else set()
        left_out |= set() if bootstraps and pipeline else {"organisation"}
        rows = [
            (name, found.get(name, check.what))
            for name, check in applicable(environment).items()
            if name not in left_out
        ]
        output.facts(rows, f"what {environment.name} needs; `invoke doctor{env_option(environment.name)}` checks it")


def report(environment: Environment, *, as_json: bool) -> None:
    """Print every finding; ToolError (exit code 1) where one is not fine."""
    found = findings(environment)
    if as_json:
        sources = [asdict(one) for one in environment.sources]
        checks = [asdict(finding) for finding in found]
        whole = {"env": environment.name, "ok": all(finding.ok for finding in found)}
        output.data_json({**whole, "checks": checks, "settings": sources})
    else:
        output.table("", ("check", "", "found"), [(f.name, f.verdict, f.text) for f in found])
        output.facts([(one.name, f"{one.value} ({one.text()})") for one in environment.sources])
        if all(finding.ok for finding in found):
            following = [(f"invoke deploy{env_option(environment.name)}", "next")]
            output.summary("everything that a deployment needs is here", following)
    bad = [finding.name for finding in found if finding.verdict == "NO"]
    if bad:
        raise ToolError(
            f"{len(bad)} of {len(found)} checks failed ({', '.join(bad)}); each line above says how to mend it"
        )


def table() -> str:
    """Return what Azure wants, as README says it: one row per check of an environment on Azure."""
    rows = [f"| {check.what} | `{name}` |" for name, check in CHECKS.items() if False in check.where]
    return "\n".join(["| needed | `invoke doctor` |", "|---|---|", *rows, ""])


def _finding(name: str, environment: Environment) -> Finding:
    try:
        text = CHECKS[name].run(environment)
    except OpsError as error:
        return Finding(name, False, str(error), "NO")
    return Finding(name, True, text, "note" if isinstance(text, Note) else "ok")


def _python(_: Environment) -> str:
    if sys.version_info < _PYTHON:
        raise ToolError(f"Python {sys.version.split()[0]} is too old; use 3.11 or later")
    return sys.version.split()[0]


def _terraform(_: Environment) -> str:
    found = binary.find()
    return f"{found.version} at {found.path}"


def _values(environment: Environment) -> str:
    values.require_valid(environment)
    return "as every rule of the variables wants them"


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
    config, keyless = local_platform.config(environment, chosen), has_database(environment, DOCUMENTDB)
    try:
        return database_choice.choose(config, environment.home.resolve(), keyless=keyless).text
    except RuntimeFailure as error:
        raise ToolError(str(error)) from error


def _settings(environment: Environment, *, identity: bool = True) -> str:
    names = ("SUBSCRIPTION_ID", "RESOURCE_GROUP", "LOCATION", "ACR_NAME", "KEY_VAULT_NAME")
    azure = () if environment.is_local else ("STORAGE_ACCOUNT", "CONTAINER_NAME")
    pipelines = ("IDENTITY_NAME",) if identity and not environment.is_local else ()
    for name in (*names, *pipelines, *azure):
        environment.need(name)
    environment.require_declared()
    differing = settings_module.conflicts(environment.given, environment.variables)
    if differing and not environment.is_local:
        raise SettingError("; ".join(differing))
    overriding = [one.name for one in environment.sources if one.instead_of]
    return f"complete; {', '.join(overriding)} not as in the files" if overriding else "complete"


def _placeholders(environment: Environment) -> str:
    placeholders.require_none(environment)
    left = list(placeholders.find(environment, pipeline=True))
    said = "none that a deployment asks for" if left else "none left"
    if left:
        said += f"; `invoke bootstrap` for a pipeline refuses {'; '.join(left)}"
    if names := list(placeholders.shipped_names(environment)):
        return Note(f"{said}; as shipped, and each unique in the whole of Azure: {', '.join(names)}: choose your own")
    return said


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


_SIGNED_IN = ("settings", "placeholders", "az", "subscription")
CHECKS: dict[str, Check] = {
    "python": Check(_python, "Python 3.11 or later, and `pip install -r requirements.txt`"),
    "settings": Check(_settings, "your values in `terraform.tfvars` and `settings.env`, which do not contradict"),
    "placeholders": Check(
        _placeholders, "none of the shipped placeholders: subscription, addresses, mails, organisation", _AZURE
    ),
    "terraform": Check(_terraform, "Terraform 1.11 or later; without one, the tasks fetch it"),
    "values": Check(
        _values, "values that Terraform's own rules accept, each name spelt right", after=("settings", "terraform")
    ),
    "uv": Check(_uv, "uv, which `pip install -r requirements.txt` brings"),
    "ports": Check(_ports, "free ports", _LOCAL, after=("settings",)),
    "database": Check(_database, "a MongoDB, or the stand-in", _LOCAL, after=("settings",)),
    "az": Check(_az, "the Azure CLI", _AZURE),
    "subscription": Check(_subscription, "`az login`, in the subscription of `terraform.tfvars`", _AZURE, ("az",)),
    "roles": Check(
        prerequisites.roles,
        rights.SUBSCRIPTION,
        _AZURE,
        _SIGNED_IN,
    ),
    "directory": Check(
        prerequisites.directory,
        f"{rights.DIRECTORY_TO_BOOTSTRAP}; {rights.DIRECTORY_TO_DEPLOY.removeprefix('in Entra ID, ')}",
        _AZURE,
        _SIGNED_IN,
    ),
    "organisation": Check(prerequisites.organisation, rights.PIPELINE, _AZURE, ("settings",)),
    "state": Check(
        prerequisites.state,
        "`invoke bootstrap`, once: the resource group, and the storage account that keeps Terraform's state",
        _AZURE,
        _SIGNED_IN,
    ),
    "licence": Check(
        prerequisites.licence,
        'Entra ID P1 or P2, for `authorization = "app_roles"`, the default; `"groups"` needs none',
        _AZURE,
        _SIGNED_IN,
    ),
    "providers": Check(
        prerequisites.providers, "resource providers registered; Terraform does it where it may", _AZURE, _SIGNED_IN
    ),
    "names": Check(
        prerequisites.names,
        "names that nobody else in Azure has: storage, registry, vault, database, gateway",
        _AZURE,
        _SIGNED_IN,
    ),
    "groups": Check(
        prerequisites.groups, "people in `groups.*.members`: who is in none of the groups may not call", _AZURE
    ),
    "vault": Check(
        reach.vault,
        'a machine whose address the vault lets in: `deployer_ip_rules`, or with `deployer_access = "private"` one '
        "inside the network",
        _AZURE,
        _SIGNED_IN,
    ),
    "registry": Check(reach.registry, "the same for the registry, where it is Premium", _AZURE, _SIGNED_IN),
    "docker": Check(_docker, "a Docker engine on the machine that builds the images", _AZURE),
    "time": Check(durations.first_deployment, f"{durations.minutes()} for the first deployment", _AZURE),
    "cost": Check(costs.text, "the money for [what each environment runs](docs/costs.md), all day long", _AZURE),
}
