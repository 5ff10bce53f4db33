"""Replacements that the providers decide in code (`CustomizeDiff`), and that no schema says.

One row for each rule of the types that the project uses, read in the source of azurerm 5.2.0 and azuread 3.9.0
(`ForceNewIf`, `ForceNewIfChange`, `ForceNew` in the file named beside it). A value that is not known yet decides
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from emulators.azurerm import container_apps, mongo_cluster
from emulators.azurerm.catalog import Values
from emulators.azurerm.values import Path, has_unknown

Condition = Callable[[Any, Any], bool]  # the value before and after, where they differ

# cosmosdb_account_resource.go, checkCapabilitiesCanBeUpdated: what may come and go without a new account, for MongoDB.
CAPABILITIES_ADDED = {
    "AllowSelfServeUpgradeToMongo36",
    "DeleteAllItemsByPartitionKey",
    "DisableRateLimitingResponses",
    "EnableAggregationPipeline",
    "EnableMongo16MBDocumentSupport",
    "EnableMongoRetryableWrites",
    "EnableMongoRoleBasedAccessControl",
    "EnablePartialUniqueIndex",
    "EnableTtlOnCustomPath",
    "EnableUniqueCompoundNestedDocs",
    "MongoDBv3.4",
    "mongoEnableDocLevelTTL",
}
CAPABILITIES_REMOVED = {"DisableRateLimitingResponses", "EnableMongoRetryableWrites"}


def _capabilities(before: Any, after: Any) -> bool:
    old, new = ({c["name"] for c in value or []} for value in (before, after))
    return not (new - old <= CAPABILITIES_ADDED and old - new <= CAPABILITIES_REMOVED)


def _network_type(before: Any, after: Any) -> bool:
    return before != "None" or after not in ("Internal", "External")


def _network(before: Any, after: Any) -> bool:
    return bool(before) or not after


def _generation(before: Any, after: Any) -> bool:
    return ("V2" in str(before)) != ("V2" in str(after))


def _workspace_sku(before: Any, after: Any) -> bool:
    free = {("CapacityReservation", "PerGB2018"), ("PerGB2018", "CapacityReservation")}
    return before not in ("", None, "LACluster") and (before, after) not in free


CONDITIONAL: dict[str, tuple[tuple[Path, Condition], ...]] = {
    "azurerm_api_management": (  # api_management_resource.go
        (("virtual_network_type",), _network_type),
        (("virtual_network_configuration",), _network),
        (("sku_name",), _generation),
    ),
    container_apps.ENVIRONMENT: container_apps.ENVIRONMENT_CONDITIONAL,
    "azurerm_cosmosdb_account": (  # cosmosdb_account_resource.go
        (("backup", 0, "type"), lambda before, after: (before, after) == ("Continuous", "Periodic")),
        (("analytical_storage_enabled",), lambda before, after: bool(before) and not after),
        (("capabilities",), _capabilities),
    ),
    "azurerm_log_analytics_workspace": ((("sku",), _workspace_sku),),  # log_analytics_workspace_resource.go
    mongo_cluster.TYPE: mongo_cluster.CONDITIONAL,
    "azurerm_public_ip": (  # public_ip_resource.go
        (("domain_name_label_scope",), lambda before, after: bool(before) or not after),
    ),
    "azuread_group": (  # group_resource.go
        (("visibility",), lambda before, after: before in ("Private", "Public") and after == "Hiddenmembership"),
    ),
}


def conditional(type_: str, prior: Values, planned: Values) -> Iterator[Path]:
    """The paths whose change makes a new object, as the provider's code decides it."""
    for path, replaces in CONDITIONAL.get(type_, ()):
        before, after = _at(prior, path), _at(planned, path)
        if before == after or (has_unknown(after) and path != ("virtual_network_configuration",)):
            continue
        if replaces(before, after):
            yield path


def _at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
