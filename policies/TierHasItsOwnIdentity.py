"""CKV_MCP_32: see `guideline`."""

from __future__ import annotations

from compute import KINDS, identities
from plan_documents import Plan, PlanPolicy, Values
from policy_base import blocks


class TierHasItsOwnIdentity(PlanPolicy):
    id = "CKV_MCP_32"
    summary = "No two tiers share an identity"
    resources = KINDS
    guideline = "What a reader's container may do must not grow with what an administrator's needs."

    def holds(self, values: Values, plan: Plan) -> bool | None:
        return not any(
            identities(other) & identities(values) and _tier(other) != _tier(values) for other in plan.resources(*KINDS)
        )


def _tier(values: Values) -> tuple[object, ...]:
    return tuple((tags.get("server"), tags.get("tier")) for tags in blocks(values, "tags"))


check = TierHasItsOwnIdentity()
