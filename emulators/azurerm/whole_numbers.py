"""Which numbers are whole: Terraform's schema has one kind of number, the plugin SDK has two and refuses 7.5 as an int.

For the types that the project uses: every number but those that azurerm 5.2.0 declares as `TypeFloat`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FRACTIONS = {
    "azurerm_api_management_diagnostic": {"sampling_percentage"},
    "azurerm_application_insights": {"daily_data_cap_in_gb", "sampling_percentage"},
    "azurerm_container_app": {"template.container.cpu", "template.init_container.cpu"},
    "azurerm_container_group": {
        "container.cpu",
        "container.cpu_limit",
        "container.memory",
        "container.memory_limit",
        "init_container.cpu",
        "init_container.memory",
    },
    "azurerm_log_analytics_workspace": {"daily_quota_gb"},
    "azurerm_monitor_metric_alert": {"criteria.threshold"},
    "azurerm_monitor_scheduled_query_rules_alert_v2": {"criteria.threshold"},
}
TYPES = {
    *FRACTIONS,
    "azuread_application",
    "azurerm_api_management",
    "azurerm_api_management_api_operation",
    "azurerm_api_management_backend",
    "azurerm_container_app_environment",
    "azurerm_container_registry",
    "azurerm_cosmosdb_account",
    "azurerm_cosmosdb_mongo_collection",
    "azurerm_cosmosdb_mongo_database",
    "azurerm_key_vault",
    "azurerm_key_vault_secret",
    "azurerm_mongo_cluster",
    "azurerm_nat_gateway",
    "azurerm_network_security_rule",
    "azurerm_private_dns_a_record",
    "azurerm_private_dns_zone",
    "azurerm_public_ip",
    "azurerm_subnet",
    "azurerm_virtual_network",
}


def add_whole_numbers(schemas: Mapping[str, Any], resources: dict[str, Any]) -> None:
    """Puts `whole` beside the other rules of each such argument; `schemas` are a provider's resource schemas."""
    for type_ in TYPES & schemas.keys():
        for path in _numbers(schemas[type_]["block"]):
            if ".".join(path) not in FRACTIONS.get(type_, ()):
                fields = resources.setdefault(type_, {})
                for parent in path[:-1]:
                    fields = fields.setdefault(parent, {}).setdefault("fields", {})
                fields.setdefault(path[-1], {})["whole"] = True


def _numbers(block: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, attribute in block.get("attributes", {}).items():
        if attribute["type"] == "number":
            yield (*path, name)
    for name, nested in block.get("block_types", {}).items():
        yield from _numbers(nested["block"], (*path, name))
