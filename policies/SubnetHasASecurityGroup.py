"""CKV_MCP_45: see `guideline`."""

from __future__ import annotations

from plan_documents import Plan, PlanPolicy, Values, same_id


class SubnetHasASecurityGroup(PlanPolicy):
    id = "CKV_MCP_45"
    summary = "Every subnet has a network security group"
    resources = ("azurerm_subnet",)
    guideline = (
        "A subnet without one lets the whole network in; the group of the private endpoints is what keeps the "
        "database to the servers."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        links = plan.resources("azurerm_subnet_network_security_group_association")
        return any(same_id(link.get("subnet_id"), values["id"]) for link in links)


check = SubnetHasASecurityGroup()
