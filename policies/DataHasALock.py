"""CKV_MCP_39: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values
from policy_base import blocks

LEVELS = ("CanNotDelete", "ReadOnly")


class DataHasALock(PlanPolicy):
    id = "CKV_MCP_39"
    summary = "Production's data cannot be deleted by hand"
    resources = ("azurerm_cosmosdb_account", "azurerm_mongo_cluster")
    guideline = (
        "Name database in data_protection.locks: the lock stops the portal and every tool but this Terraform, whose "
        "plans are reviewed."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        if not any(tags.get("environment") == "prod" for tags in blocks(values, "tags")):
            return True
        locks = plan.resources("azurerm_management_lock")
        return any(lock.get("scope") == values["id"] and lock.get("lock_level") in LEVELS for lock in locks)


check = DataHasALock()
