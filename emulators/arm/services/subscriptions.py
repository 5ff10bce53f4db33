"""Subscriptions, tenants, locations, resource groups, resource providers."""

from __future__ import annotations

import re
from typing import Any

from emulators.arm.call import Answer, Call, Document
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, bad_request, group_not_found
from emulators.arm.routing import Route
from emulators.arm.services import common
from emulators.arm.services.common import GROUP
from emulators.arm.services.common import SUBSCRIPTION as _SUB

_GROUP_TYPE = "Microsoft.Resources/resourceGroups"
_GROUP_NAME = re.compile(r"[-\w._()]{0,89}[-\w_()]")
_GROUP_ACTION = "Microsoft.Resources/subscriptions/resourceGroups"
LOCATIONS = {
    "uksouth": "UK South",
    "ukwest": "UK West",
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "eastus": "East US",
    "eastus2": "East US 2",
}


def list_subscriptions(cloud: Cloud, call: Call) -> Answer:
    """A caller sees the subscriptions in which he holds a role; nobody else's."""
    held = [a for a in cloud.held_by(call.who().object_id) if a.effective <= cloud.clock()]
    return common.listed([_subscription(cloud)] if held else [])


def show_subscription(cloud: Cloud, call: Call) -> Answer:
    return Answer(_subscription(cloud))


def list_tenants(cloud: Cloud, call: Call) -> Answer:
    call.who()
    tenant = cloud.tenant.tenant_id
    row = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Twin", "defaultDomain": "twin.example"}
    return common.listed([{**row, "tenantCategory": "Home", "domains": ["twin.example"]}])


def list_locations(cloud: Cloud, call: Call) -> Answer:
    base = f"/subscriptions/{cloud.subscription_id}/locations"
    return common.listed(
        [
            {"id": f"{base}/{name}", "name": name, "type": "Region", "displayName": title, "regionalDisplayName": title}
            for name, title in LOCATIONS.items()
        ]
    )


def require_location(document: Document) -> str:
    """Azure's own spelling of the location (`UK South` is `uksouth`)."""
    given = str(document.get("location") or "")
    name = given.lower().replace(" ", "")
    if name not in LOCATIONS:
        raise bad_request(
            "LocationNotAvailableForResourceGroup",
            f"The provided location '{given}' is not available for resource group. List of available regions is "
            f"'{','.join(LOCATIONS)}'.",
        )
    return name


def put_group(cloud: Cloud, call: Call) -> Answer:
    name = call["group"]
    if not _GROUP_NAME.fullmatch(name):
        raise bad_request(
            "InvalidResourceGroup", f"The provided resource group name '{name}' has these invalid characters or length."
        )
    document = call.document()
    location = require_location(document)
    path = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{name}"
    old = cloud.resources.get(path.lower())
    if old and old["location"] != location:
        raise AzureError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{old['location']}'.",
        )
    made = {"id": path, "name": name, "type": _GROUP_TYPE, "location": location, "tags": document.get("tags") or {}}
    new = cloud.put(path, {**made, "properties": {"provisioningState": "Succeeded"}})
    return Answer(cloud.get(path), 201 if new else 200)


def _group(cloud: Cloud, call: Call) -> Document:
    found = cloud.resources.get(call.path.lower())
    if found is None:
        raise group_not_found(call["group"])
    return found


def show_group(cloud: Cloud, call: Call) -> Answer:
    return Answer(_group(cloud, call))


def group_exists(cloud: Cloud, call: Call) -> Answer:
    return Answer(status=204 if call.path.lower() in cloud.resources else 404)


def delete_group(cloud: Cloud, call: Call) -> Answer:
    _group(cloud, call)
    for gone in cloud.remove(call.path):
        common.forget(cloud, gone)
    return Answer(status=200)


def list_groups(cloud: Cloud, call: Call) -> Answer:
    return common.listed(list(cloud.of_type(_GROUP_TYPE)))


def list_resources(cloud: Cloud, call: Call) -> Answer:
    """All resources of the subscription or group; of filters, `resourceType eq '…'` and `name eq '…'`."""
    rows = [d for key, d in cloud.resources.items() if "/providers/" in key and key.startswith(_outer(call.path))]
    for field, wanted in common.equalities(call.query.get("$filter", ""), {"resourceType", "name"}).items():
        rows = [d for d in rows if str(d["type" if field == "resourceType" else "name"]).lower() == wanted.lower()]
    return common.listed(rows)


def _outer(path: str) -> str:
    return path.lower().removesuffix("/resources") + "/"


_RESOURCE_TYPES: dict[str, tuple[str, ...]] = {
    "Microsoft.ManagedIdentity": ("userAssignedIdentities",),
    "Microsoft.Storage": ("storageAccounts",),
    "Microsoft.KeyVault": ("vaults",),
    "Microsoft.ContainerRegistry": ("registries",),
    "Microsoft.App": ("containerApps", "managedEnvironments"),
    "Microsoft.ContainerInstance": ("containerGroups",),
    "Microsoft.ApiManagement": ("service",),
    "Microsoft.DocumentDB": ("databaseAccounts",),
    "Microsoft.Network": ("virtualNetworks",),
    "Microsoft.Web": ("serverFarms", "hostingEnvironments"),
    "Microsoft.OperationalInsights": ("workspaces",),
    "Microsoft.Insights": ("components",),
    "Microsoft.AlertsManagement": ("smartDetectorAlertRules",),
    "Microsoft.Authorization": ("roleAssignments",),
    "Microsoft.Resources": ("resourceGroups",),
}
_ALWAYS = {"microsoft.authorization", "microsoft.resources"}


def _provider(cloud: Cloud, name: str) -> Document:
    known = next((n for n in _RESOURCE_TYPES if n.lower() == name.lower()), None)
    if known is None:
        raise AzureError(404, "InvalidResourceNamespace", f"The resource namespace '{name}' is invalid.")
    registered = known.lower() in cloud.providers | _ALWAYS
    return {
        "id": f"/subscriptions/{cloud.subscription_id}/providers/{known}",
        "namespace": known,
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {"resourceType": t, "locations": list(LOCATIONS.values()), "apiVersions": []}
            for t in _RESOURCE_TYPES[known]
        ],
    }


def require_registered(cloud: Cloud, namespace: str) -> None:
    if _provider(cloud, namespace)["registrationState"] != "Registered":
        raise AzureError(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See "
            "https://aka.ms/rps-not-found for how to register subscriptions.",
        )


def show_provider(cloud: Cloud, call: Call) -> Answer:
    return Answer(_provider(cloud, call["namespace"]))


def list_providers(cloud: Cloud, call: Call) -> Answer:
    return common.listed([_provider(cloud, name) for name in _RESOURCE_TYPES])


def register_provider(cloud: Cloud, call: Call) -> Answer:
    cloud.providers.add(str(_provider(cloud, call["namespace"])["namespace"]).lower())
    return show_provider(cloud, call)


def _subscription(cloud: Cloud) -> Document:
    policies: dict[str, Any] = {"quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"}
    return {
        "id": f"/subscriptions/{cloud.subscription_id}",
        "subscriptionId": cloud.subscription_id,
        "tenantId": cloud.tenant.tenant_id,
        "displayName": cloud.subscription_name,
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", **policies},
    }


_READ_SUB = "Microsoft.Resources/subscriptions/read"

ROUTES = (
    Route("GET", "/subscriptions", list_subscriptions, page="Subscriptions - List, 2022-12-01"),
    Route("GET", "/tenants", list_tenants, page="Tenants - List, 2022-12-01"),
    Route("GET", _SUB, show_subscription, _READ_SUB, page="Subscriptions - Get, 2022-12-01"),
    Route(
        "GET",
        f"{_SUB}/locations",
        list_locations,
        "Microsoft.Resources/subscriptions/locations/read",
        scope=_SUB,
        page="Subscriptions - List Locations, 2022-12-01",
    ),
    Route(
        "GET",
        f"{_SUB}/resourcegroups",
        list_groups,
        f"{_GROUP_ACTION}/read",
        scope=_SUB,
        page="Resource Groups - List, 2024-11-01",
    ),
    Route(
        "GET",
        f"{_SUB}/resources",
        list_resources,
        "Microsoft.Resources/subscriptions/resources/read",
        scope=_SUB,
        page="Resources - List, 2024-11-01",
    ),
    Route("GET", GROUP, show_group, f"{_GROUP_ACTION}/read", page="Resource Groups - Get, 2024-11-01"),
    Route("HEAD", GROUP, group_exists, f"{_GROUP_ACTION}/read", page="Resource Groups - Check Existence, 2024-11-01"),
    Route("PUT", GROUP, put_group, f"{_GROUP_ACTION}/write", page="Resource Groups - Create Or Update, 2024-11-01"),
    Route("DELETE", GROUP, delete_group, f"{_GROUP_ACTION}/delete", page="Resource Groups - Delete, 2024-11-01"),
    Route(
        "GET",
        f"{GROUP}/resources",
        list_resources,
        "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
        scope=GROUP,
        page="Resources - List, 2024-11-01",
    ),
    Route(
        "GET",
        f"{_SUB}/providers",
        list_providers,
        "Microsoft.Resources/subscriptions/providers/read",
        scope=_SUB,
        page="Providers - List, 2024-11-01",
    ),
    Route(
        "GET",
        f"{_SUB}/providers/{{namespace}}",
        show_provider,
        "Microsoft.Resources/providers/read",
        scope=_SUB,
        page="Providers - Get, 2024-11-01",
    ),
    Route(
        "POST",
        f"{_SUB}/providers/{{namespace}}/register",
        register_provider,
        "{namespace}/register/action",
        scope=_SUB,
        page="Providers - Register, 2024-11-01",
    ),
)
