"""CKV_MCP_34: see `guideline`."""

from __future__ import annotations

from collections.abc import Iterator

from plan_documents import Plan, PlanPolicy, Values
from policy_base import blocks, many

GROUPS, APPS = "Microsoft.ContainerInstance/containerGroups", "Microsoft.App/environments"
# Of an environment's subnet: the load balancer before its ingress, which it does not work without.
PROBES = "AzureLoadBalancer"


class ContainersAdmitOnlyTheGateway(PlanPolicy):
    id = "CKV_MCP_34"
    summary = "The containers' subnet admits the gateway's subnet on the servers' ports, and denies the rest"
    severity_name = "CRITICAL"
    resources = ("azurerm_subnet",)
    guideline = (
        "Azure's default rules let the whole network in: what believes the gateway must be reachable by the "
        "gateway only."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        delegated = {
            block.get("name") for d in blocks(values, "delegation") for block in blocks(d, "service_delegation")
        }
        if not delegated & {GROUPS, APPS}:
            return True
        gateway = {
            p
            for s in plan.resources("azurerm_subnet")
            if "apim" in str(s.get("name"))
            for p in many(s.get("address_prefixes"))
        }
        inbound = [rule for rule in _rules(values, plan) if rule.get("direction") == "Inbound"]
        denies = any(
            r["access"] == "Deny" and r.get("source_address_prefix") == "*" and r["protocol"] == "*" for r in inbound
        )
        allows = [rule for rule in inbound if rule["access"] == "Allow"]
        within = {*many(values.get("address_prefixes")), PROBES} if APPS in delegated else set()
        return denies and all(
            rule.get("source_address_prefix") in within
            or (rule.get("source_address_prefix") in gateway and rule.get("destination_port_range") != "*")
            for rule in allows
        )


def _rules(subnet: Values, plan: Plan) -> Iterator[Values]:
    links = plan.resources("azurerm_subnet_network_security_group_association")
    groups = {link.get("network_security_group_id") for link in links if link.get("subnet_id") == subnet["id"]}
    names = set()
    for group in plan.resources("azurerm_network_security_group"):
        if group.get("id") in groups:
            names.add(group["name"])
            yield from blocks(group, "security_rule")
    for rule in plan.resources("azurerm_network_security_rule"):
        if rule.get("network_security_group_name") in names:
            yield rule


check = ContainersAdmitOnlyTheGateway()
