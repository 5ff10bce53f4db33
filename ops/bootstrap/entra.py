"""Step 2, the directory: what the pipeline's identity may do in Entra ID."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ops.azure import az
from ops.bootstrap.command import Values, command, fill
from ops.bootstrap.identity import identity
from ops.bootstrap.item import MISSING, THERE, Found, Item, Task
from ops.bootstrap.options import Options
from ops.config.environment import Environment

GRAPH = "https://graph.microsoft.com/v1.0"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
# "Microsoft Entra built-in roles" and "Microsoft Graph permissions reference".
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
# azuread looks up the people who are to own groups and applications (the provider's page of azuread_group).
_READ_USERS = "df021288-bdef-4463-88db-98f22de89214"
FULL = {
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "User.Read.All": _READ_USERS,
}
MINIMAL = {
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "Group.Create": "bf7b1a76-6e77-406b-b258-bf5c7720e98f",
    "User.Read.All": _READ_USERS,
}
# azuread's page of azuread_service_principal_delegated_permission_grant names no directory role that would do.
CONSENT = {"DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a"}
WARNING = (
    "whoever can change this pipeline, or what it runs, can take the whole tenant: Application Administrator adds "
    "credentials to any application and signs in as it, AppRoleAssignment.ReadWrite.All grants any permission of any "
    "API to anything, itself included, and Group.ReadWrite.All changes every group that is not protected. Protect the "
    "pipeline's branch and environments accordingly, or use --minimal"
)
MINIMAL_WARNING = (
    "--minimal: the pipeline changes the applications and groups that it owns, so name it in `owners` of "
    'terraform.tfvars, and set `directory_rights = "owned"` there; what it may not do is left to an administrator: '
    "assigning groups to app roles, granting Gateway.Invoke to the gateway's identity, and consent"
)

CONSENT_WARNING = (
    "grant_sign_in_consent = true in terraform.tfvars: DelegatedPermissionGrant.ReadWrite.All consents for everybody "
    "to any delegated permission of any API, not only to sign-in; set it to false to leave that one consent to an "
    "administrator"
)


def task(environment: Environment, options: Options) -> Task:
    consents = environment.variables.get("grant_sign_in_consent") is True
    permissions = {**(MINIMAL if options.minimal else FULL), **(CONSENT if consents else {})}
    warning = MINIMAL_WARNING if options.minimal else WARNING
    return Task(
        "bootstrap.entra",
        (
            identity(environment),
            *(() if options.minimal else (_directory_role(),)),
            _graph(),
            *(_permission(name, id_) for name, id_ in permissions.items()),
        ),
        f"{warning}; {CONSENT_WARNING}" if consents else warning,
    )


def _directory_role() -> Item:
    body = {
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "principalId": "${IDENTITY_PRINCIPAL_ID}",
        "roleDefinitionId": APPLICATION_ADMINISTRATOR,
        "directoryScopeId": "/",
    }
    uri = f"{GRAPH}/roleManagement/directory/roleAssignments"

    def look(values: Values) -> Found:
        mine = fill("${IDENTITY_PRINCIPAL_ID}", values)
        listed = _listed(f"{uri}?$filter=principalId%20eq%20'{mine}'")
        held = (
            one["roleDefinitionId"] == APPLICATION_ADMINISTRATOR and one["directoryScopeId"] == "/" for one in listed
        )
        return THERE if any(held) else MISSING

    return Item("directory role", "Application Administrator", look, make=(_post(uri, body),))


def _graph() -> Item:
    read = command(
        *("ad", "sp", "list", "--filter", f"appId eq '{GRAPH_APP_ID}'"), saves="MSGRAPH_SP_ID", query="[0].id"
    )
    return Item("service principal", "Microsoft Graph", lambda _: THERE, reads=(read,))


def _permission(name: str, id_: str) -> Item:
    uri = f"{GRAPH}/servicePrincipals/${{IDENTITY_PRINCIPAL_ID}}/appRoleAssignments"
    body = {"principalId": "${IDENTITY_PRINCIPAL_ID}", "resourceId": "${MSGRAPH_SP_ID}", "appRoleId": id_}

    def look(values: Values) -> Found:
        graph = fill("${MSGRAPH_SP_ID}", values)
        held = (one["appRoleId"] == id_ and one["resourceId"] == graph for one in _listed(fill(uri, values)))
        return THERE if any(held) else MISSING

    return Item("Graph permission", name, look, make=(_post(uri, body),))


def _post(uri: str, body: dict[str, str]) -> Any:
    return command(
        *("rest", "--method", "POST", "--uri", uri),
        *("--headers", "Content-Type=application/json", "--body", json.dumps(body)),
    )


def _listed(uri: str) -> Iterator[Any]:
    """Yield all pages of a Graph collection; none where the object is too new for Graph to know it."""
    page = az.find("rest", "--method", "GET", "--uri", uri)
    while page:
        yield from page["value"]
        page = (
            az.run("rest", "--method", "GET", "--uri", following)
            if (following := page.get("@odata.nextLink"))
            else None
        )
