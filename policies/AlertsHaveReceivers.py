"""CKV_MCP_44: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values, same_id
from policy_base import blocks, false, many

ALERTS = ("azurerm_monitor_metric_alert", "azurerm_monitor_scheduled_query_rules_alert_v2")


class AlertsHaveReceivers(PlanPolicy):
    id = "CKV_MCP_44"
    summary = "Gateway, database and logs each have an alert with a receiver"
    severity_name = "MEDIUM"
    resources = (
        "azurerm_api_management",
        "azurerm_cosmosdb_account",
        "azurerm_log_analytics_workspace",
        "azurerm_mongo_cluster",
    )
    guideline = (
        "An alert needs its resource as scope, and an action group with a receiver: refusals and throttling "
        "are first seen there."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        notifying = {str(g.get("id")).lower() for g in plan.resources("azurerm_monitor_action_group") if _receivers(g)}
        return any(
            notifying & _groups(alert)
            for alert in plan.resources(*ALERTS)
            if any(same_id(scope, values["id"]) for scope in many(alert.get("scopes")))
            and not false(alert.get("enabled"))
        )


def _receivers(group: Values) -> bool:
    kinds = [name for name in group if name.endswith("_receiver") and blocks(group, name)]
    return bool(kinds) and not false(group.get("enabled"))


def _groups(alert: Values) -> set[str]:
    """Action groups of a metric alert (one per action) or of a log alert (one action with several)."""
    actions = blocks(alert, "action")
    ids = [
        id_ for action in actions for id_ in (*many(action.get("action_group_id")), *many(action.get("action_groups")))
    ]
    return {str(id_).lower() for id_ in ids}


check = AlertsHaveReceivers()
