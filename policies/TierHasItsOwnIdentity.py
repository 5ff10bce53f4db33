"""CKV_MCP_32: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values
from policy_base import blocks, many


class TierHasItsOwnIdentity(PlanPolicy):
    id = "CKV_MCP_32"
    summary = "No two tiers share an identity"
    resources = ("azurerm_container_group",)
    guideline = "What a reader's container may do must not grow with what an administrator's needs."

    def holds(self, values: Values, plan: Plan) -> bool | None:
        return not any(
            _identities(other) & _identities(values) and _tier(other) != _tier(values)
            for other in plan.resources("azurerm_container_group")
        )


def _identities(values: Values) -> set[str]:
    return {id_ for block in blocks(values, "identity") for id_ in many(block.get("identity_ids"))}


def _tier(values: Values) -> tuple[object, ...]:
    return tuple((tags.get("server"), tags.get("tier")) for tags in blocks(values, "tags"))


check = TierHasItsOwnIdentity()
