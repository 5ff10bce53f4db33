"""Microsoft Graph: directory roles, application permissions, groups."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.arm import permissions
from emulators.arm.call import Caller
from emulators.arm.errors import AzureError
from emulators.base.well_known import GRAPH as GRAPH_APP

from .conftest import CONTRIBUTOR, GRAPH, NOBODY, OWNER, Azure

ASSIGN = "/v1.0/roleManagement/directory/roleAssignments"


def graph(azure: Azure, method: str, path: str, body: Any = None, **named: Any) -> Any:
    return azure.call(method, path, body, host=GRAPH, **named)


def refused(azure: Azure, *arguments: Any, **named: Any) -> str:
    with pytest.raises(AzureError) as error:
        graph(azure, *arguments, **named)
    return error.value.code


def app(*granted: str) -> Caller:
    return Caller("77777777-0000-4000-8000-000000000000", "pipeline", "app", True, GRAPH, frozenset(granted))


def role(principal: str, which: str = permissions.APPLICATION_ADMINISTRATOR) -> dict[str, str]:
    return {"principalId": principal, "roleDefinitionId": which, "directoryScopeId": "/"}


def permission(azure: Azure, principal: str, name: str) -> dict[str, str]:
    resource = azure.cloud.tenant.principal_of(GRAPH_APP)["id"]
    return {"principalId": principal, "resourceId": resource, "appRoleId": permissions.PERMISSIONS[name]}


def identity(azure: Azure) -> str:
    return azure.cloud.tenant.add_identity("/an/identity", "id-x", 0).principal_id


def test_a_directory_role_is_assigned_once_by_those_who_may(azure: Azure) -> None:
    assert refused(azure, "POST", ASSIGN, role(NOBODY), who=CONTRIBUTOR) == "Authorization_RequestDenied"
    assert graph(azure, "POST", ASSIGN, role(NOBODY)).status == 201
    assert refused(azure, "POST", ASSIGN, role(NOBODY)) == "Request_BadRequest"


def test_an_application_administrator_cannot_grant_graph_permissions(azure: Azure) -> None:
    graph(azure, "POST", ASSIGN, role(NOBODY))
    principal = identity(azure)
    path, body = f"/v1.0/servicePrincipals/{principal}/appRoleAssignments", permission(azure, principal, "Group.Create")
    assert refused(azure, "POST", path, body, who=NOBODY) == "Authorization_RequestDenied"
    assert graph(azure, "POST", path, body).status == 201
    assert refused(azure, "POST", path, body) == "Request_BadRequest"
    assert [a["principal_id"] for a in azure.cloud.tenant.document()["assignments"]] == [principal]


def test_a_role_that_graph_does_not_have_is_refused(azure: Azure) -> None:
    principal = identity(azure)
    body = {**permission(azure, principal, "Group.Create"), "appRoleId": "00000000-0000-4000-8000-000000000000"}
    assert (
        refused(azure, "POST", f"/v1.0/servicePrincipals/{principal}/appRoleAssignments", body) == "Request_BadRequest"
    )


def test_an_application_reads_and_writes_by_its_permissions_only(azure: Azure) -> None:
    group = {"displayName": "g", "mailNickname": "g", "mailEnabled": False, "securityEnabled": True}
    assert refused(azure, "GET", "/v1.0/servicePrincipals", app=app()) == "Authorization_RequestDenied"
    assert (
        refused(azure, "POST", "/v1.0/groups", group, app=app("Application.Read.All")) == "Authorization_RequestDenied"
    )
    assert graph(azure, "POST", "/v1.0/groups", group, app=app("Group.Create")).status == 201


def test_an_owner_changes_his_group_and_nobody_elses(azure: Azure) -> None:
    group = {"displayName": "g", "mailNickname": "g", "mailEnabled": False, "securityEnabled": True}
    made = graph(azure, "POST", "/v1.0/groups", group, who=NOBODY).body["id"]
    member = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{OWNER}"}
    path = f"/v1.0/groups/{made}/members/$ref"
    assert refused(azure, "POST", path, member, who=CONTRIBUTOR) == "Authorization_RequestDenied"
    assert graph(azure, "POST", path, member, who=NOBODY).status == 204
    assert refused(azure, "POST", path, member, who=NOBODY) == "Request_BadRequest"
    assert azure.cloud.tenant.groups_of(OWNER) == {made}


def test_me_is_for_people(azure: Azure) -> None:
    assert graph(azure, "GET", "/v1.0/me").body["id"] == OWNER
    assert refused(azure, "GET", "/v1.0/me", app=app("Directory.Read.All")) == "BadRequest"


def test_filters_are_evaluated_or_refused(azure: Azure) -> None:
    path = "/v1.0/servicePrincipals"
    rows = graph(azure, "GET", path, query={"$filter": f"appId eq '{GRAPH_APP}'"}).body["value"]
    assert [row["displayName"] for row in rows] == ["Microsoft Graph"]
    odd = {"$filter": "appId ne 'x'"}
    assert refused(azure, "GET", path, query=odd) == "Request_UnsupportedQuery"
