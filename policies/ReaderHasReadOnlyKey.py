"""CKV_MCP_15: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values
from policy_base import blocks, unwrap

CAN_WRITE = ("primary_key", "secondary_key")


class ReaderHasReadOnlyKey(PlanPolicy):
    id = "CKV_MCP_15"
    summary = "A tier for readers holds no key that can write to the database"
    severity_name = "CRITICAL"
    resources = ("azurerm_container_group",)
    guideline = (
        "A bug in the server, or a prompt that tricks it, must not be able to write for people who may only read."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        if not _is_reader(values):
            return True
        given = {value for container in blocks(values, "container") for value in _secure(container).values()}
        accounts = list(plan.resources("azurerm_cosmosdb_account"))
        keys = {account[name] for account in accounts for name in CAN_WRITE if account.get(name)}
        return not any(key in str(value) for key in keys for value in given)


def _is_reader(values: Values) -> bool:
    """Whether the setting MCP_TIER or the tag says reader: either is enough."""
    tiers = [tags.get("tier") for tags in blocks(values, "tags")]
    for container in blocks(values, "container"):
        tiers += [environment.get("MCP_TIER") for environment in blocks(container, "environment_variables")]
    return "reader" in tiers


def _secure(container: Values) -> dict[str, str]:
    return {
        name: str(unwrap(value))
        for environment in blocks(container, "secure_environment_variables")
        for name, value in environment.items()
    }


check = ReaderHasReadOnlyKey()
