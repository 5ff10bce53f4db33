"""CKV_MCP_13: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, many, unwrap


class CosmosIsPrivateMongo(Policy):
    id = "CKV_MCP_13"
    summary = "Cosmos DB speaks MongoDB, and only over its private endpoint"
    severity_name = "CRITICAL"
    resources = ("azurerm_cosmosdb_account",)
    guideline = "Without EnableMongo no driver can use it; with public access its keys are all that protects it."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        names = {
            unwrap(capability.get("name")) for capability in many(values.get("capabilities")) if "name" in capability
        }
        dynamic = "dynamic" in values
        private = str(values.get("public_network_access_enabled", True)).lower() == "false"
        return private and values.get("kind") == "MongoDB" and (dynamic or "EnableMongo" in names)


check = CosmosIsPrivateMongo()
