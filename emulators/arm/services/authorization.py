"""Role definitions and role assignments ("Microsoft.Authorization")."""

from __future__ import annotations

import re
import uuid
from typing import Any

from emulators.arm import conditions, roles
from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud, RoleAssignment, within
from emulators.arm.errors import AzureError, bad_request, not_found
from emulators.arm.routing import Route
from emulators.arm.services import common

TYPE = "Microsoft.Authorization/roleAssignments"
_DEFINITIONS = "Microsoft.Authorization/roleDefinitions"


def list_definitions(cloud: Cloud, call: Call) -> Answer:
    wanted = common.equalities(call.query.get("$filter", ""), {"roleName", "type"})
    name = wanted.get("roleName", "").lower()
    if wanted.get("type", "BuiltInRole") != "BuiltInRole":
        return common.listed([])
    return common.listed([definition(cloud, r) for r in roles.everything() if not name or r.name.lower() == name])


def show_definition(cloud: Cloud, call: Call) -> Answer:
    return Answer(definition(cloud, _role(call["role"])))


def _role(identifier: str) -> roles.Role:
    found = roles.by_id(identifier)
    if found is None:
        raise AzureError(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{identifier.rsplit('/', 1)[-1].replace('-', '')}' does not exist.",
        )
    return found


def definition(cloud: Cloud, role: roles.Role) -> Document:
    permission = {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": [],
    }
    return {
        "id": definition_id(cloud, role.id),
        "name": role.id,
        "type": _DEFINITIONS,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": role.name,
            "assignableScopes": ["/"],
            "permissions": [permission],
        },
    }


def definition_id(cloud: Cloud, role_id: str) -> str:
    return f"/subscriptions/{cloud.subscription_id}/providers/{_DEFINITIONS}/{role_id}"


def put(cloud: Cloud, call: Call) -> Answer:
    """Creates. The same principal, role and scope under another name is a conflict, as is another content here."""
    scope = _scope(call)
    cloud.require_group(scope)
    given: Any = call.document().get("properties") or call.document()
    made = _made(cloud, call, scope, given)
    subject = {"role_id": made.role_id, "principal_type": made.principal_type}
    cloud.require(call.who(), f"{TYPE}/write", scope, subject=subject)
    _check_principal(cloud, made, bool(given.get("principalType")))
    old = cloud.assignments.get(made.id.lower())
    if old is not None:
        return _unchanged(cloud, old, made)
    for other in cloud.assignments.values():
        if _same(other, made) and other.scope.lower() == made.scope.lower():
            raise AzureError(
                409,
                "RoleAssignmentExists",
                f"The role assignment already exists. The ID of the existing role assignment is "
                f"{other.name.replace('-', '')}.",
            )
    cloud.assignments[made.id.lower()] = made
    return Answer(document(cloud, made), 201)


def _made(cloud: Cloud, call: Call, scope: str, given: Document) -> RoleAssignment:
    name, principal = call["name"], str(given.get("principalId") or "").lower()
    for value, what in ((name, "role assignment ID"), (principal, "principal ID")):
        if not _is_guid(value):
            raise bad_request("InvalidRoleAssignmentId" if value == name else "InvalidPrincipalId",
                              f"The {what} '{value}' is not valid. It must be a GUID.")  # fmt: skip
    role = _role(str(given.get("roleDefinitionId") or ""))
    if given.get("condition"):
        conditions.parse(str(given["condition"]))
        if given.get("conditionVersion") != "2.0":
            raise bad_request("InvalidConditionVersion", "The role assignment condition version must be 2.0.")
    now = cloud.clock()
    return RoleAssignment(
        id=f"{scope.rstrip('/')}/providers/{TYPE}/{name}",
        name=name,
        scope=scope,
        role_id=role.id,
        principal_id=principal,
        principal_type=str(given.get("principalType") or cloud.tenant.kind_of(principal) or "Unknown"),
        effective=now + cloud.delays.roles,
        condition=given.get("condition"),
        condition_version=given.get("conditionVersion"),
        description=given.get("description"),
        created=now,
    )


def _check_principal(cloud: Cloud, made: RoleAssignment, typed: bool) -> None:
    """A new principal is unknown until the directory has replicated, unless the request says what kind it is."""
    kind = cloud.tenant.kind_of(made.principal_id)
    appeared = cloud.tenant.appeared.get(made.principal_id, 0)
    replicated = appeared + cloud.delays.directory <= cloud.clock()
    if kind is None or not (typed or replicated):
        raise bad_request(
            "PrincipalNotFound",
            f"Principal {made.principal_id.replace('-', '')} does not exist in the directory {cloud.tenant.tenant_id}. "
            "Check that you have the correct principal ID. If you are creating this principal and then immediately "
            "assigning a role, this error might be related to a replication delay. In this case, set the role "
            "assignment principalType property to a value, such as ServicePrincipal, User, or Group.",
        )
    if typed and made.principal_type != kind:
        raise bad_request(
            "UnmatchedPrincipalType",
            f"The PrincipalId '{made.principal_id.replace('-', '')}' has type '{kind}' , which is different from "
            f"specified PrinciaplType '{made.principal_type}'.",
        )


def _unchanged(cloud: Cloud, old: RoleAssignment, made: RoleAssignment) -> Answer:
    if not _same(old, made):
        raise AzureError(
            409,
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        )
    cloud.assignments[old.id.lower()] = made if made.condition != old.condition else old
    return Answer(document(cloud, cloud.assignments[old.id.lower()]), 200)


def _same(one: RoleAssignment, other: RoleAssignment) -> bool:
    return (one.principal_id, one.role_id) == (other.principal_id, other.role_id)


def list_assignments(cloud: Cloud, call: Call) -> Answer:
    """At a scope: what is assigned above it and under it. `atScope()` leaves out what is under it."""
    scope, text = _scope(call), call.query.get("$filter", "")
    at_scope = "atscope()" in text.lower()
    rows = [
        a for a in cloud.assignments.values() if within(scope, a.scope) or (not at_scope and within(a.scope, scope))
    ]
    text = re.sub(r"atScope\(\)(\s+and\s+)?", "", text, flags=re.IGNORECASE)
    if found := re.search(r"assignedTo\('([^']*)'\)", text, re.IGNORECASE):
        holders = {found[1], *cloud.tenant.groups_of(found[1])}
        rows, text = [a for a in rows if a.principal_id in holders], text.replace(found[0], "")
    wanted = common.equalities(text, {"principalId"})
    if "principalId" in wanted:
        rows = [a for a in rows if a.principal_id == wanted["principalId"].lower()]
    return common.listed([document(cloud, a) for a in rows])


def show(cloud: Cloud, call: Call) -> Answer:
    return Answer(document(cloud, _existing(cloud, call)))


def _existing(cloud: Cloud, call: Call) -> RoleAssignment:
    found = cloud.assignments.get(call.path.lower())
    if found is None:
        raise AzureError(404, "RoleAssignmentNotFound", f"The role assignment '{call['name']}' is not found.")
    return found


def delete(cloud: Cloud, call: Call) -> Answer:
    if call.path.lower() not in cloud.assignments:
        cloud.require(call.who(), f"{TYPE}/delete", _scope(call))
        return Answer(status=204)
    found = _existing(cloud, call)
    subject = {"role_id": found.role_id, "principal_type": found.principal_type}
    cloud.require(call.who(), f"{TYPE}/delete", found.scope, subject=subject)
    del cloud.assignments[found.id.lower()]
    return Answer(document(cloud, found))


def document(cloud: Cloud, held: RoleAssignment) -> Document:
    when = common.timestamp(held.created)
    return {
        "id": held.id,
        "name": held.name,
        "type": TYPE,
        "properties": {
            "scope": held.scope,
            "roleDefinitionId": definition_id(cloud, held.role_id),
            "principalId": held.principal_id,
            "principalType": held.principal_type,
            "condition": held.condition,
            "conditionVersion": held.condition_version,
            "description": held.description,
            "createdOn": when,
            "updatedOn": when,
        },
    }


def _scope(call: Call) -> str:
    """The scope as written in the path. Only the subscription and what lies under it can be assigned on here."""
    scope = "/" + call["scope"].strip("/")
    if not scope.lower().startswith("/subscriptions/"):
        raise not_found(call.path, None)
    return scope


def _is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


_AT = f"/{{scope:path}}/providers/{TYPE}"

ROUTES = (
    Route(
        "GET",
        f"/{{scope:path}}/providers/{_DEFINITIONS}",
        list_definitions,
        f"{_DEFINITIONS}/read",
        page="Role Definitions - List, 2022-05-01-preview",
    ),
    Route(
        "GET",
        f"/{{scope:path}}/providers/{_DEFINITIONS}/{{role}}",
        show_definition,
        f"{_DEFINITIONS}/read",
        page="Role Definitions - Get, 2022-05-01-preview",
    ),
    Route("GET", _AT, list_assignments, f"{TYPE}/read", page="Role Assignments - List For Scope, 2022-04-01"),
    Route("GET", f"{_AT}/{{name}}", show, f"{TYPE}/read", page="Role Assignments - Get, 2022-04-01"),
    Route("PUT", f"{_AT}/{{name}}", put, page="Role Assignments - Create, 2022-04-01"),
    Route("DELETE", f"{_AT}/{{name}}", delete, page="Role Assignments - Delete, 2022-04-01"),
)
