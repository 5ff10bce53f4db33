"""What `doctor` asks of subscription and directory before anything is deployed: roles, licence, providers, names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ops.azure import az, rights
from ops.config import placeholders
from ops.config.environment import Environment
from ops.config.servers import COSMOS, DOCUMENTDB, has_database
from ops.errors import AzError, ToolError

GRAPH = "https://graph.microsoft.com/v1.0"


class Note(str):
    """Something that somebody should know, and that stands in nobody's way."""


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
            f"{rights.SUBSCRIPTION}: ask the subscription's owner"
        )
    return ", ".join(sorted(found))


# "Microsoft Entra built-in roles": what registers applications and assigns their roles, what makes groups, and what
# gives directory roles and permissions of Microsoft Graph to the pipeline's identity.
_APPLICATIONS = {rights.APPLICATIONS, "Cloud Application Administrator"}
_GROUPS = {rights.GROUPS, "User Administrator"}
_PERMISSIONS = {rights.PRIVILEGED}
_EVERYTHING = "Global Administrator"


def directory(_: Environment) -> str:
    """Return the signed-in person's directory roles, those of their groups too, and what they do not cover.

    A missing one is a Note: whoever deploys with a pipeline needs none, and a tenant may let its members do more.
    """
    if az.run("account", "show")["user"]["type"] != "user":
        return Note("signed in as an application: `invoke bootstrap.entra` gave it what it needs")
    try:
        held = list(_listed(f"{GRAPH}/me/transitiveMemberOf?$select=displayName"))
    except AzError as error:
        if error.kind not in ("directory-role", "consent", "missing-role"):
            raise
        return Note("the directory does not show the signed-in person's roles; ask its administrators")
    return judge_directory(one["displayName"] for one in held if one["@odata.type"] == "#microsoft.graph.directoryRole")


def judge_directory(held: Iterable[str]) -> str:
    found = set(held)
    lacking = [
        what
        for what, one_of in (
            (f"{rights.PRIVILEGED}, to bootstrap", _PERMISSIONS),
            (f"{rights.APPLICATIONS}, to deploy", _APPLICATIONS),
            (f"{rights.GROUPS}, to deploy", _GROUPS),
        )
        if not found & {*one_of, _EVERYTHING}
    ]
    text = f"holds {', '.join(sorted(found)) or 'no directory role'}"
    if not lacking:
        return text
    return Note(
        f"{text}; not {'; not '.join(lacking)}: needed unless it is done already, or the tenant allows it anyway"
    )


# Service plans of "Product names and service plan identifiers for licensing".
_P1 = {"AAD_PREMIUM", "AAD_PREMIUM_P2"}


def licence(environment: Environment) -> str:
    """Check Entra ID P1, without which no group can be assigned to an app role.

    "Manage users and groups assignment to an application": group-based assignment requires P1 or P2.
    """
    mode = str(environment.variables.get("authorization") or "app_roles")
    if mode != "app_roles":
        return f'not needed: authorization = "{mode}"'
    try:
        skus = list(_listed(f"{GRAPH}/subscribedSkus"))
    except AzError as error:
        if error.kind not in ("directory-role", "consent", "missing-role"):
            raise
        return Note("the directory does not show its licences to this account; app_roles needs Entra ID P1")
    return judge_licence(skus)


def judge_licence(skus: Iterable[Mapping[str, Any]]) -> str:
    plans = {
        str(plan["servicePlanName"])
        for sku in skus
        if sku.get("capabilityStatus") in ("Enabled", "Warning")
        for plan in sku.get("servicePlans") or ()
    }
    if not plans & _P1:
        raise ToolError(
            'the directory has no Entra ID P1 or P2, without which authorization = "app_roles" cannot assign a group '
            'to a role: get one, or set authorization = "groups" in terraform.tfvars'
        )
    return f"Entra ID {'P2' if 'AAD_PREMIUM_P2' in plans else 'P1'}"


def groups(environment: Environment) -> str:
    """Return how many people may call by the files; a Note where a group has none."""
    members = {
        name: len(group.get("members") or ()) for name, group in (environment.variables.get("groups") or {}).items()
    }
    empty = [name for name, number in members.items() if not number]
    if not members or empty:
        return Note(nobody(empty or ["any group"]))
    return ", ".join(f"{name}: {number}" for name, number in members.items())


def nobody(groups: Sequence[str]) -> str:
    """Say that groups are empty, and what that means."""
    return (
        f"nobody is in {' or '.join(groups)}, so nobody may call with that role: put object ids of people (not of "
        "groups) into groups.*.members in terraform.tfvars"
    )


def _listed(url: str) -> Iterator[Mapping[str, Any]]:
    """Yield what Microsoft Graph lists, page after page."""
    while url:
        page = az.run("rest", "--method", "GET", "--uri", url)
        yield from page["value"]
        url = str(page.get("@odata.nextLink") or "")


def organisation(environment: Environment) -> str:
    """Return where a pipeline of Azure DevOps would sign in from; a Note where the files do not say it yet."""
    left = [one for one in placeholders.find(environment, pipeline=True) if one.startswith("ADO_")]
    if left:
        return Note(f"{'; '.join(left)}: for a pipeline of Azure DevOps put your own there")
    return f"{environment.settings.ado_org}/{environment.settings.ado_project}, which bootstrap asks for"


def state(environment: Environment) -> str:
    """Return the account that keeps Terraform's state; a Note before bootstrap has made it."""
    account, group = environment.need("STORAGE_ACCOUNT"), environment.need("RESOURCE_GROUP")
    if az.find("storage", "account", "show", "--name", account, "--resource-group", group) is None:
        return Note(
            f"storage account {account} is not in {group} yet: `invoke bootstrap --env {environment.name}` makes both, "
            "before the first deployment"
        )
    return f"storage account {account} in {group}"


def providers(environment: Environment) -> str:
    """Check the resource providers that terraform/ names; it registers them itself where it may."""
    wanted = named_providers(environment)
    listed = az.run("provider", "list", "--query", "[].{name: namespace, state: registrationState}")
    return judge_providers(wanted, listed)


def named_providers(environment: Environment) -> list[str]:
    files = sorted(environment.terraform_dir.glob("stage*/providers.tf"))
    if environment.variables.get("agents"):
        files.append(environment.terraform_dir / "stage1" / "agents.tf")
    if environment.gateway_generation == "v2":
        files.append(environment.terraform_dir / "stage1" / "network.tf")
    texts = [path.read_text(encoding="utf-8") for path in files]
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
    cluster = str((environment.variables.get("documentdb") or {}).get("name") or "")
    gateway = f"apim-{environment.variables.get('name') or ''}"
    # A name that is missing is refused by Terraform's own words.
    has_account = bool(cosmos) and has_database(environment, COSMOS)
    has_cluster = bool(cluster) and has_database(environment, DOCUMENTDB)
    return [
        ("STORAGE_ACCOUNT", need("STORAGE_ACCOUNT"), _check("storage account check-name", need("STORAGE_ACCOUNT"))),
        ("ACR_NAME", need("ACR_NAME"), _check("acr check-name", need("ACR_NAME"))),
        ("KEY_VAULT_NAME", need("KEY_VAULT_NAME"), _check("keyvault check-name", need("KEY_VAULT_NAME"))),
        *([("cosmos_account_name", cosmos, _check("cosmosdb check-name-exists", cosmos))] if has_account else []),
        *([("documentdb.name", cluster, _check_cluster(environment, cluster))] if has_cluster else []),
        ("the gateway", gateway, _check("apim check-name", gateway)),
    ]


def _check_cluster(environment: Environment, name: str) -> tuple[str, ...]:
    """As "Mongo Clusters - Check Name Availability", for which az has no command."""
    where = f"subscriptions/{environment.need('SUBSCRIPTION_ID')}/providers/Microsoft.DocumentDB/locations"
    call = f"{environment.need('LOCATION')}/checkMongoClusterNameAvailability?api-version=2024-07-01"
    body = json.dumps({"name": name, "type": "Microsoft.DocumentDB/mongoClusters"})
    return ("rest", "--method", "POST", "--uri", f"https://management.azure.com/{where}/{call}", "--body", body)


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
