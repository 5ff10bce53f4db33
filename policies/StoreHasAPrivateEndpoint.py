"""CKV_MCP_40: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values
from policy_base import blocks


class StoreHasAPrivateEndpoint(PlanPolicy):
    id = "CKV_MCP_40"
    summary = "Database, vault and Premium registry are reached through private endpoints"
    resources = ("azurerm_cosmosdb_account", "azurerm_mongo_cluster", "azurerm_key_vault", "azurerm_container_registry")
    guideline = "Without one, the address that servers and gateway connect to is the public one."

    def holds(self, values: Values, plan: Plan) -> bool | None:
        if values.get("sku") in ("Basic", "Standard"):
            return True
        targets = {
            connection.get("private_connection_resource_id")
            for endpoint in plan.resources("azurerm_private_endpoint")
            for connection in blocks(endpoint, "private_service_connection")
        }
        return values["id"] in targets


check = StoreHasAPrivateEndpoint()
