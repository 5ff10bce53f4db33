"""What an object needs around it, and what keeps it from going: Resource Manager's own checks.

An id says where an object lives: in a virtual network, in an API, in an account. Those must exist, as must the objects
that its arguments refer to. What the store cannot know is not judged: an object in a resource group of which the store
holds nothing belongs to somebody else (a landing zone's network).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.ids import Pair, joined, pairs_of
from emulators.azurerm.in_use import refuse_in_use

# Resource Manager's type of what others live in or refer to → Terraform's.
KNOWN = {
    "microsoft.apimanagement/service": "azurerm_api_management",
    "microsoft.apimanagement/service/apis": "azurerm_api_management_api",
    "microsoft.apimanagement/service/apis/operations": "azurerm_api_management_api_operation",
    "microsoft.app/managedenvironments": "azurerm_container_app_environment",
    "microsoft.containerregistry/registries": "azurerm_container_registry",
    "microsoft.documentdb/databaseaccounts": "azurerm_cosmosdb_account",
    "microsoft.documentdb/databaseaccounts/mongodbdatabases": "azurerm_cosmosdb_mongo_database",
    "microsoft.documentdb/mongoclusters": "azurerm_mongo_cluster",
    "microsoft.insights/components": "azurerm_application_insights",
    "microsoft.keyvault/vaults": "azurerm_key_vault",
    "microsoft.managedidentity/userassignedidentities": "azurerm_user_assigned_identity",
    "microsoft.network/natgateways": "azurerm_nat_gateway",
    "microsoft.network/networksecuritygroups": "azurerm_network_security_group",
    "microsoft.network/privatednszones": "azurerm_private_dns_zone",
    "microsoft.network/publicipaddresses": "azurerm_public_ip",
    "microsoft.network/virtualnetworks": "azurerm_virtual_network",
    "microsoft.network/virtualnetworks/subnets": "azurerm_subnet",
    "microsoft.operationalinsights/workspaces": "azurerm_log_analytics_workspace",
}
PROVIDER_PAIR = 2  # /subscriptions/…/resourceGroups/…/providers/…


def require_references(cloud: Cloud, type_: str, values: Values, id_: str) -> None:
    """Raises ProviderError, in Resource Manager's words, where a parent or an object referred to is missing."""
    if not type_.startswith("azurerm_"):
        return
    parents = [found for found in _ancestors(id_.partition("|")[0]) if found[0] != type_]
    if parents and _is_missing(cloud, *parents[-1]):
        raise ProviderError(
            f"ParentResourceNotFound: failed to perform 'write' on resource {id_!r}, because the parent resource "
            f"{parents[-1][1]!r} could not be found"
        )
    for reference in sorted(set(_references(values)) - {id_}):
        found = list(_ancestors(reference))
        if found and found[-1][1] == reference.rstrip("/") and _is_missing(cloud, *found[-1]):
            raise ProviderError(
                f"InvalidResourceReference: resource {reference!r} referenced by resource {id_!r} was not found; "
                "make sure that the referenced resource exists, and that both are in the same region"
            )


def refuse_removal(cloud: Cloud, type_: str, values: Values) -> None:
    """Raises ProviderError where Azure would keep the object: it is locked, or others use it."""
    id_ = str(values.get("resource_id") or values["id"])
    for lock in cloud.store.of_type("azurerm_management_lock") if type_ != "azurerm_management_lock" else ():
        if _is_within(id_, lock["scope"]):
            raise ProviderError(
                f"ScopeLocked: the scope {id_!r} cannot perform delete operation because following scope(s) are "
                f"locked: {lock['scope']!r}; remove the lock {lock['name']!r} and try again"
            )
    refuse_in_use(cloud, type_, values)


def _ancestors(id_: str) -> Iterator[tuple[str, str]]:
    """Terraform type and id of every known object that the id goes through, itself included."""
    pairs = pairs_of(id_)
    if len(pairs) <= PROVIDER_PAIR or pairs[PROVIDER_PAIR][0] != "providers":
        return
    kind = pairs[PROVIDER_PAIR][1].lower()
    for index, (collection, _) in enumerate(pairs[PROVIDER_PAIR + 1 :], PROVIDER_PAIR + 2):
        if collection == "providers":  # an extension, such as a role assignment: its own kinds are not known here
            return
        kind = f"{kind}/{collection.lower()}"
        if kind in KNOWN:
            yield KNOWN[kind], _without_revision(pairs[:index])


def _without_revision(pairs: list[Pair]) -> str:
    return joined([(collection, name.partition(";rev=")[0]) for collection, name in pairs])


def _is_missing(cloud: Cloud, type_: str, id_: str) -> bool:
    wanted = id_.lower()
    if any(_without_revision(pairs_of(o["id"])).lower() == wanted for o in cloud.store.of_type(type_)):
        return False
    group = joined(pairs_of(id_)[:PROVIDER_PAIR])
    # A record in somebody's zone, or an address in somebody's subnet, does not make the group ours.
    return cloud.store.holds_within(group, KNOWN.values())


def _is_within(id_: str, scope: str) -> bool:
    return f"{id_}/".lower().startswith(f"{scope.rstrip('/')}/".lower())


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("/subscriptions/"):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
