"""Microsoft Graph v1.0: people, service principals, directory roles, app role assignments."""

from __future__ import annotations

import uuid
from typing import Any

from emulators.arm import permissions
from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, bad_request, directory_object_not_found, insufficient_privileges
from emulators.arm.permissions import Need
from emulators.arm.routing import Route
from emulators.arm.services import odata
from emulators.base.well_known import GRAPH

_CONFLICT = "A conflicting object with one or more of the specified property values is present in the directory."
_EXISTS = "Permission being assigned already exists on the object"


def require(cloud: Cloud, call: Call, need: Need) -> None:
    need.check(call.who(), cloud.directory_roles_of(call.who().object_id), cloud.tenant.members_create)


def me(cloud: Cloud, call: Call) -> Answer:
    if call.who().is_app:
        raise bad_request("BadRequest", "/me request is only valid with delegated authentication flow.")
    return Answer(_person(cloud, call.who().object_id))


def _person(cloud: Cloud, object_id: str) -> Document:
    user = cloud.tenant.users[object_id]
    return {"id": user.object_id, "displayName": user.name, "userPrincipalName": user.mail, "mail": user.mail}


def show_user(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_USERS)
    wanted = call["id"].lower()
    for user in cloud.tenant.users.values():
        if wanted in (user.object_id, user.mail.lower()):
            return Answer(_person(cloud, user.object_id))
    raise directory_object_not_found(call["id"])


def list_users(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_USERS)
    return odata.page(call, [_person(cloud, i) for i in cloud.tenant.users])


def list_principals(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_DIRECTORY)
    return odata.page(call, list(cloud.tenant.principals.values()))


def _principal(cloud: Cloud, identifier: str) -> Document:
    found = cloud.tenant.principals.get(identifier.lower())
    if found is None:
        raise directory_object_not_found(identifier)
    return found


def show_principal(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_DIRECTORY)
    return Answer(_principal(cloud, call["id"]))


def get_by_ids(cloud: Cloud, call: Call) -> Answer:
    """Ids that are unknown, or of another kind than asked for, are left out."""
    require(cloud, call, permissions.READ_DIRECTORY)
    tenant, found = cloud.tenant, []
    for identifier in (str(i).lower() for i in call.document().get("ids") or ()):
        if identifier in tenant.users:
            found.append({"@odata.type": "#microsoft.graph.user", **_person(cloud, identifier)})
        elif identifier in tenant.principals:
            found.append({"@odata.type": "#microsoft.graph.servicePrincipal", **tenant.principals[identifier]})
        elif identifier in tenant.groups:
            found.append({"@odata.type": "#microsoft.graph.group", **tenant.groups[identifier]})
    kinds = {str(kind).lower() for kind in call.document().get("types") or ()} - {"directoryobject"}
    return Answer({"value": [r for r in found if not kinds or r["@odata.type"].rpartition(".")[2].lower() in kinds]})


# ---- directory roles
def list_directory_roles(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_DIRECTORY_ROLES)
    return odata.page(call, [_shown(row) for row in cloud.tenant.directory_roles.values()])


def _shown(row: Document) -> Document:
    return {key: value for key, value in row.items() if not key.startswith("_")}


def assign_directory_role(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.ASSIGN_DIRECTORY_ROLES)
    given = call.document()
    principal, role = str(given.get("principalId")).lower(), str(given.get("roleDefinitionId")).lower()
    if given.get("directoryScopeId") != "/":
        raise bad_request(
            "Request_BadRequest", "The local control plane assigns directory roles at directoryScopeId '/' only."
        )
    if role not in permissions.DIRECTORY_ROLES:
        raise bad_request(
            "Request_BadRequest", f"The role definition '{role}' is not one the local control plane knows."
        )
    if cloud.tenant.kind_of(principal) is None:
        raise directory_object_not_found(principal)
    for held in cloud.tenant.directory_roles.values():
        if (held["principalId"], held["roleDefinitionId"]) == (principal, role):
            raise bad_request("Request_BadRequest", _CONFLICT)
    made = cloud.tenant.assign_directory_role(principal, role, cloud.clock() + cloud.delays.roles)
    return Answer(made, 201)


def remove_directory_role(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.ASSIGN_DIRECTORY_ROLES)
    if cloud.tenant.directory_roles.pop(call["id"], None) is None:
        raise directory_object_not_found(call["id"])
    return Answer(status=204)


def list_role_definitions(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_DIRECTORY_ROLES)
    rows = [
        {"id": i, "templateId": i, "displayName": name, "isBuiltIn": True, "isEnabled": True}
        for i, name in permissions.DIRECTORY_ROLES.items()
    ]
    return odata.page(call, rows)


# ---- app role assignments
def list_app_roles(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_DIRECTORY)
    _principal(cloud, call["id"])
    rows = [a for a in cloud.tenant.app_roles.values() if a["principalId"] == call["id"].lower()]
    return odata.page(call, rows)


def list_assigned_to(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_DIRECTORY)
    _principal(cloud, call["id"])
    rows = [a for a in cloud.tenant.app_roles.values() if a["resourceId"] == call["id"].lower()]
    return odata.page(call, rows)


def assign_app_role(cloud: Cloud, call: Call) -> Answer:
    """Only Graph's own roles need Privileged Role Administrator; other applications' an Application Administrator."""
    given: dict[str, Any] = call.document()
    principal, resource, role = (str(given.get(k)).lower() for k in ("principalId", "resourceId", "appRoleId"))
    holder, target = _principal(cloud, call["id"]), cloud.tenant.principals.get(resource)
    if target is None:
        raise directory_object_not_found(resource)
    of_graph = target["appId"] == GRAPH
    require(cloud, call, permissions.GRANT_GRAPH_PERMISSIONS if of_graph else permissions.GRANT_APP_ROLES)
    if holder["id"] != principal:
        raise bad_request("Request_BadRequest", "The principalId must be the id of the service principal in the URL.")
    if role not in {r["id"] for r in target["appRoles"]}:
        raise bad_request("Request_BadRequest", "Permission being assigned was not found on application")
    for held in cloud.tenant.app_roles.values():
        if (held["principalId"], held["resourceId"], held["appRoleId"]) == (principal, resource, role):
            raise bad_request("Request_BadRequest", _EXISTS)
    made = {
        "id": uuid.uuid4().hex,
        "principalId": principal,
        "principalDisplayName": holder["displayName"],
        "principalType": "ServicePrincipal",
        "resourceId": resource,
        "resourceDisplayName": target["displayName"],
        "appRoleId": role,
    }
    cloud.tenant.app_roles[made["id"]] = made
    return Answer(made, 201)


def remove_app_role(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.GRANT_GRAPH_PERMISSIONS)
    if cloud.tenant.app_roles.pop(call["assignment"], None) is None:
        raise directory_object_not_found(call["assignment"])
    return Answer(status=204)


# ---- groups
def list_groups(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_GROUPS)
    return odata.page(call, list(cloud.tenant.groups.values()))


def create_group(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.CREATE_GROUPS)
    given = call.document()
    for name in ("displayName", "mailNickname", "mailEnabled", "securityEnabled"):
        if name not in given:
            raise bad_request("Request_BadRequest", f"A value is required for property '{name}' of resource 'Group'.")
    made = {"id": str(uuid.uuid4()), **{k: v for k, v in given.items() if "@odata" not in k}}
    cloud.tenant.groups[made["id"]] = made
    cloud.tenant.members[made["id"]] = set()
    cloud.tenant.owners[made["id"]] = {call.who().object_id}
    return Answer(made, 201)


def _group(cloud: Cloud, call: Call) -> Document:
    found = cloud.tenant.groups.get(call["id"].lower())
    if found is None:
        raise directory_object_not_found(call["id"])
    return found


def show_group(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_GROUPS)
    return Answer(_group(cloud, call))


def _require_change(cloud: Cloud, call: Call) -> Document:
    group = _group(cloud, call)
    try:
        require(cloud, call, permissions.CHANGE_GROUPS)
    except AzureError:
        if call.who().object_id not in cloud.tenant.owners[group["id"]]:
            raise insufficient_privileges() from None
    return group


def delete_group(cloud: Cloud, call: Call) -> Answer:
    group = _require_change(cloud, call)
    cloud.tenant.remove_group(group["id"])
    return Answer(status=204)


def list_members(cloud: Cloud, call: Call) -> Answer:
    require(cloud, call, permissions.READ_GROUPS)
    people = [_person(cloud, i) for i in cloud.tenant.members[_group(cloud, call)["id"]] if i in cloud.tenant.users]
    return odata.page(call, [{"@odata.type": "#microsoft.graph.user", **person} for person in people])


def add_member(cloud: Cloud, call: Call) -> Answer:
    group = _require_change(cloud, call)
    member = str(call.document().get("@odata.id")).rsplit("/", 1)[-1].lower()
    if cloud.tenant.kind_of(member) is None:
        raise directory_object_not_found(member)
    if member in cloud.tenant.members[group["id"]]:
        raise bad_request(
            "Request_BadRequest",
            "One or more added object references already exist for the following modified properties: 'members'.",
        )
    cloud.tenant.members[group["id"]].add(member)
    return Answer(status=204)


_PRINCIPAL = "/v1.0/servicePrincipals/{id}"
_DIRECTORY = "/v1.0/roleManagement/directory"

ROUTES = (
    Route("GET", "/v1.0/me", me, page="Get a user, v1.0"),
    Route("GET", "/v1.0/users", list_users, page="List users, v1.0"),
    Route("GET", "/v1.0/users/{id}", show_user, page="Get a user, v1.0"),
    Route("GET", "/v1.0/servicePrincipals", list_principals, page="List servicePrincipals, v1.0"),
    Route("GET", _PRINCIPAL, show_principal, page="Get servicePrincipal, v1.0"),
    Route("POST", "/v1.0/directoryObjects/getByIds", get_by_ids, page="directoryObject: getByIds, v1.0"),
    Route("GET", f"{_DIRECTORY}/roleDefinitions", list_role_definitions, page="List roleDefinitions, v1.0"),
    Route("GET", f"{_DIRECTORY}/roleAssignments", list_directory_roles, page="List unifiedRoleAssignments, v1.0"),
    Route("POST", f"{_DIRECTORY}/roleAssignments", assign_directory_role, page="Create unifiedRoleAssignment, v1.0"),
    Route(
        "DELETE",
        f"{_DIRECTORY}/roleAssignments/{{id}}",
        remove_directory_role,
        page="Delete unifiedRoleAssignment, v1.0",
    ),
    Route(
        "GET",
        f"{_PRINCIPAL}/appRoleAssignments",
        list_app_roles,
        page="List appRoleAssignments granted to a service principal, v1.0",
    ),
    Route(
        "GET",
        f"{_PRINCIPAL}/appRoleAssignedTo",
        list_assigned_to,
        page="List appRoleAssignments granted for a service principal, v1.0",
    ),
    Route(
        "POST",
        f"{_PRINCIPAL}/appRoleAssignments",
        assign_app_role,
        page="Grant an appRoleAssignment to a service principal, v1.0",
    ),
    Route(
        "DELETE",
        f"{_PRINCIPAL}/appRoleAssignments/{{assignment}}",
        remove_app_role,
        page="Delete an appRoleAssignment from a service principal, v1.0",
    ),
    Route("GET", "/v1.0/groups", list_groups, page="List groups, v1.0"),
    Route("POST", "/v1.0/groups", create_group, page="Create group, v1.0"),
    Route("GET", "/v1.0/groups/{id}", show_group, page="Get group, v1.0"),
    Route("DELETE", "/v1.0/groups/{id}", delete_group, page="Delete group, v1.0"),
    Route("GET", "/v1.0/groups/{id}/members", list_members, page="List group members, v1.0"),
    Route("POST", "/v1.0/groups/{id}/members/$ref", add_member, page="Add members, v1.0"),
)
