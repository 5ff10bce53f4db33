"""Who exists in the stand-in's tenant, and which app roles an application offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.base.well_known import (
    APPLICATIONS,
    DEVOPS_INFRASTRUCTURE,
    DISPLAY_NAMES,
    GRAPH,
    GRAPH_ROLES,
    GRAPH_SCOPES,
    PEOPLE,
    service_principal,
)

GROUPS = ("azuread_group", "azuread_group_without_members")
APPLICATION_TYPES = ("azuread_application", "azuread_application_registration")
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"  # the app role of an application that declares none


# Azure's own: those whose ids azuread publishes, and what Managed DevOps Pools signs in as.
MICROSOFT_S = (*APPLICATIONS.values(), DEVOPS_INFRASTRUCTURE)


def kind_of(cloud: Cloud, object_id: str) -> str | None:
    """ "User", "Group" or "ServicePrincipal"; None for a GUID that is nobody's object id."""
    if object_id in PEOPLE or object_id == cloud.object_id or cloud.find("azuread_user", object_id=object_id):
        return "User"
    if any(cloud.find(type_, object_id=object_id) for type_ in GROUPS):
        return "Group"
    return "ServicePrincipal" if object_id in set(_service_principal_ids(cloud)) else None


def display_name_of(cloud: Cloud, object_id: str) -> str:
    if object_id in PEOPLE:
        return PEOPLE[object_id][1]
    for type_ in ("azuread_user", *GROUPS, "azuread_service_principal"):
        found = cloud.find(type_, object_id=object_id)
        if found:
            return str(found["display_name"])
    identity = cloud.find("azurerm_user_assigned_identity", principal_id=object_id)
    return str(identity["name"]) if identity else object_id


def owner_of_client_id(cloud: Cloud, client_id: str) -> str | None:
    """The name of whatever has that client id, to explain a mix-up."""
    for type_ in (*APPLICATION_TYPES, "azurerm_user_assigned_identity", "azuread_service_principal"):
        found = cloud.find(type_, client_id=client_id)
        if found:
            return str(found.get("display_name") or found.get("name"))
    return DISPLAY_NAMES.get(client_id)


def application(cloud: Cloud, client_id: str) -> Values | None:
    """The application with that client id, with the roles and scopes that separate resources gave it."""
    for type_ in APPLICATION_TYPES:
        found = cloud.find(type_, client_id=client_id)
        if found:
            return {
                **found,
                "app_role_ids": _role_ids(cloud, found),
                "oauth2_permission_scope_ids": _scope_ids(cloud, found),
            }
    return None


def well_known_principal(client_id: str) -> Values | None:
    """The service principal of a Microsoft application, as every tenant has it."""
    if client_id not in MICROSOFT_S:
        return None
    graph = client_id == GRAPH
    name = next((name for name, number in APPLICATIONS.items() if number == client_id), client_id)
    object_id = service_principal(client_id)
    return {
        "id": f"/servicePrincipals/{object_id}",
        "object_id": object_id,
        "client_id": client_id,
        "display_name": DISPLAY_NAMES.get(client_id, name),
        "type": "Application",
        "account_enabled": True,
        "sign_in_audience": "AzureADMultipleOrgs",
        "application_tenant_id": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",  # Microsoft's own tenant
        "app_role_ids": GRAPH_ROLES if graph else {},
        "oauth2_permission_scope_ids": GRAPH_SCOPES if graph else {},
        "service_principal_names": [client_id],
    }


def roles_offered(cloud: Cloud, resource_object_id: str) -> dict[str, str] | None:
    """The app roles of the service principal with that object id, by value; None where it does not exist."""
    for client_id in MICROSOFT_S:
        known = well_known_principal(client_id)
        if known and known["object_id"] == resource_object_id:
            return dict(known["app_role_ids"])
    principal = cloud.find("azuread_service_principal", object_id=resource_object_id)
    if principal is None:
        return None
    owner = application(cloud, principal["client_id"])
    return dict((owner or principal)["app_role_ids"] or {})


def ids_by_value(entries: Any, key: str = "id") -> dict[str, str]:
    """`value` → `id` of app roles or scopes; those without a value cannot be looked up."""
    return {entry["value"]: entry[key] for entry in entries or [] if entry.get("value")}


def _role_ids(cloud: Cloud, app: Values) -> dict[str, str]:
    separate = cloud.every("azuread_application_app_role", application_id=app["id"])
    return {**ids_by_value(app.get("app_role")), **ids_by_value(separate, "role_id")}


def _scope_ids(cloud: Cloud, app: Values) -> dict[str, str]:
    separate = cloud.every("azuread_application_permission_scope", application_id=app["id"])
    inline = [scope for api in app.get("api") or [] for scope in api.get("oauth2_permission_scope") or []]
    return {**ids_by_value(inline), **ids_by_value(separate, "scope_id")}


def _service_principal_ids(cloud: Cloud) -> Iterator[str]:
    yield from (p["object_id"] for c in MICROSOFT_S if (p := well_known_principal(c)))
    yield from (p["object_id"] for p in cloud.every("azuread_service_principal"))
    yield from (i["principal_id"] for i in cloud.every("azurerm_user_assigned_identity"))
    for type_ in cloud.store.types():
        for values in cloud.store.of_type(type_):
            yield from (
                i["principal_id"] for i in values.get("identity") or [] if isinstance(i, dict) and i.get("principal_id")
            )
