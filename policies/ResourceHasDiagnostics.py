"""CKV_MCP_41: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values, same_id
from policy_base import blocks

REPORTING = (
    "azurerm_api_management",
    "azurerm_container_app_environment",
    "azurerm_container_group",
    "azurerm_container_registry",
    "azurerm_cosmosdb_account",
    "azurerm_key_vault",
    "azurerm_log_analytics_workspace",
    "azurerm_mongo_cluster",
    "azurerm_network_security_group",
    "azurerm_public_ip",
    "azurerm_virtual_network",
)
# Of Azure DocumentDB: the tiers that write no logs ("Monitor diagnostic logs with Azure Monitor", 2023-10-31).
WITHOUT_LOGS = ("M10", "M20", "M25", "M30")


class ResourceHasDiagnostics(PlanPolicy):
    id = "CKV_MCP_41"
    summary = "What can report to Log Analytics does"
    severity_name = "MEDIUM"
    resources = REPORTING
    guideline = (
        "Without a diagnostic setting nobody can say afterwards who read a secret, pulled an image or called "
        "the gateway. Scan both stages' plans together."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        settings = plan.everywhere("azurerm_monitor_diagnostic_setting")
        kind = "enabled_metric" if values.get("compute_tier") in WITHOUT_LOGS else "enabled_log"
        return any(
            _reports(setting, kind) for setting in settings if same_id(setting.get("target_resource_id"), values["id"])
        )


def _reports(setting: Values, kind: str) -> bool:
    return bool(setting.get("log_analytics_workspace_id")) and bool(blocks(setting, kind))


check = ResourceHasDiagnostics()
