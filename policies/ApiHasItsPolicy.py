"""CKV_MCP_18: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values


class ApiHasItsPolicy(PlanPolicy):
    id = "CKV_MCP_18"
    summary = "Every API has a policy of its own"
    severity_name = "CRITICAL"
    resources = ("azurerm_api_management_api",)
    guideline = "An API without one has only the gateway's, which lets everybody in."

    def holds(self, values: Values, plan: Plan) -> bool | None:
        policies = plan.resources("azurerm_api_management_api_policy")
        return any(policy.get("api_name") == values.get("name") for policy in policies)


check = ApiHasItsPolicy()
