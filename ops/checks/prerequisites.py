"""What `doctor` asks of the subscription before anything is deployed: roles held, providers registered, names free."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ops.azure import az
from ops.config.environment import Environment
from ops.errors import AzError, ToolError

# Either one of these, or one of each of the two sets: Terraform makes resources and gives roles.
_ALL = {"Owner"}
_MAKES = {"Contributor"}
_GIVES = {"User Access Administrator", "Role Based Access Control Administrator"}


def roles(environment: Environment) -> str:
    """Return the signed-in account's roles over the subscription, those of its groups too."""
    scope = f"/subscriptions/{environment.need('SUBSCRIPTION_ID')}"
    account = az.run("account", "show")["user"]
    listed = az.run(
        *("role", "assignment", "list", "--assignee", account["name"], "--scope", scope),
        *("--include-groups", "--include-inherited"),
    )
    return judge_roles([one["roleDefinitionName"] for one in listed])


def judge_roles(held: Iterable[str]) -> str:
    found = set(held)
    if not (found & _ALL or (found & _MAKES and found & _GIVES)):
        raise ToolError(
            f"the signed-in account has {', '.join(sorted(found)) or 'no role'} at the subscription; Terraform needs "
            "Owner, or Contributor with User Access Administrator: ask the subscription's owner"
        )
    return ", ".join(sorted(found))


def providers(environment: Environment) -> str:
    """Check the resource providers that terraform/ names; it registers them itself where it may."""
    wanted = named_providers(environment)
    listed = az.run("provider", "list", "--query", "[].{name: namespace, state: registrationState}")
    return judge_providers(wanted, listed)


def named_providers(environment: Environment) -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(environment.terraform_dir.glob("stage*/providers.tf"))]
    return sorted({name for text in texts for name in re.findall(r'"(Microsoft\.\w+)"', text)})


def judge_providers(wanted: Iterable[str], listed: Any) -> str:
    state = {one["name"].lower(): one["state"] for one in listed}
    missing = [name for name in wanted if state.get(name.lower()) != "Registered"]
    if missing:
        commands = "; ".join(az.command("provider", "register", "--namespace", name) for name in missing)
        raise ToolError(
            f"{', '.join(missing)} not registered; deploy does it where your role allows, or run: {commands}"
        )
    return f"{len(list(wanted))} registered"


def names(environment: Environment) -> str:
    """Check names that are unique in Azure: free, or ours already."""
    taken = []
    ours = _ours(environment)
    asked = _asked(environment)
    for setting, name, arguments in asked:
        if name.lower() not in ours and not free(az.run(*arguments)):
            taken.append(f"{setting} {name!r}")
    if taken:
        raise ToolError(
            f"{', '.join(taken)} taken by somebody else in Azure, or deleted a short while ago; choose others in "
            "terraform.tfvars or settings.env"
        )
    return f"{len(asked)} free or ours"


def free(answer: Any) -> bool:
    """Read the answer of a check-name command: a boolean that says "exists", or an object."""
    if isinstance(answer, bool):
        return not answer
    return bool(answer.get("nameAvailable"))


def _asked(environment: Environment) -> list[tuple[str, str, tuple[str, ...]]]:
    need, cosmos = environment.need, str(environment.variables.get("cosmos_account_name") or "")
    gateway = f"apim-{environment.variables.get('name') or ''}"
    return [
        ("STORAGE_ACCOUNT", need("STORAGE_ACCOUNT"), _check("storage account check-name", need("STORAGE_ACCOUNT"))),
        ("ACR_NAME", need("ACR_NAME"), _check("acr check-name", need("ACR_NAME"))),
        ("KEY_VAULT_NAME", need("KEY_VAULT_NAME"), _check("keyvault check-name", need("KEY_VAULT_NAME"))),
        ("cosmos_account_name", cosmos, _check("cosmosdb check-name-exists", cosmos)),
        ("the gateway", gateway, _check("apim check-name", gateway)),
    ]


def _check(words: str, name: str) -> tuple[str, ...]:
    return (*words.split(), "--name", name)


def _ours(environment: Environment) -> set[str]:
    try:
        listed = az.run(
            "resource", "list", "--resource-group", environment.need("RESOURCE_GROUP"), "--query", "[].name"
        )
    except AzError as error:
        if error.kind != "not-found":
            raise
        return set()  # before bootstrap
    return {str(name).lower() for name in listed or ()}
