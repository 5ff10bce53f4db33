"""CKV_MCP_13: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, many, unwrap


class CosmosIsPrivateMongo(Policy):
    id = "CKV_MCP_13"
    summary = (
        "Databases are reached over private endpoints only: Cosmos DB speaks MongoDB, DocumentDB knows no passwords"
    )
    severity_name = "CRITICAL"
    resources = ("azurerm_cosmosdb_account", "azurerm_mongo_cluster")
    guideline = (
        "Without EnableMongo no driver can use Cosmos DB; with public access keys are all that protects it. A password"
        " of DocumentDB would be in the state."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if "authentication_methods" in values or "compute_tier" in values:
            return self._cluster(values)
        names = {
            unwrap(capability.get("name")) for capability in many(values.get("capabilities")) if "name" in capability
        }
        dynamic = "dynamic" in values
        private = str(values.get("public_network_access_enabled", True)).lower() == "false"
        return private and values.get("kind") == "MongoDB" and (dynamic or "EnableMongo" in names)

    def _cluster(self, values: Mapping[str, Any]) -> bool:
        keyless = many(values.get("authentication_methods")) == ["MicrosoftEntraID"]
        return (
            keyless and values.get("public_network_access") == "Disabled" and not values.get("administrator_password")
        )


check = CosmosIsPrivateMongo()
