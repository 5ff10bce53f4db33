"""CKV_MCP_35: see `guideline`."""

from __future__ import annotations

from collections.abc import Iterator

from plan_documents import Plan, PlanPolicy, Values
from policy_base import blocks, false, many, true


class NetworkFollowsDeployerAccess(PlanPolicy):
    id = "CKV_MCP_35"
    summary = "Vault, registry and state account are as closed as deployer_access says"
    severity_name = "CRITICAL"
    resources = ("azurerm_key_vault", "azurerm_container_registry", "azurerm_storage_account")
    guideline = (
        "private: no public network. allow-list: nobody but deployer_ip_rules. A registry below Premium has "
        "no firewall, so it must not be private."
    )

    def holds(self, values: Values, plan: Plan) -> bool | None:
        access = plan.variable("deployer_access")
        public = not false(values.get("public_network_access_enabled", True))
        if access in ("private", "public"):
            return not public or access == "public"
        rules = [
            block for name in ("network_acls", "network_rule_set", "network_rules") for block in blocks(values, name)
        ]
        if not rules and values.get("sku") in ("Basic", "Standard"):
            return true(values.get("admin_enabled")) is False
        admitted = {address for rule in rules for address in _addresses(rule)}
        expected = set(plan.variable("deployer_ip_rules") or [])
        return bool(rules) and all(rule.get("default_action") == "Deny" for rule in rules) and admitted <= expected


def _addresses(rule: Values) -> Iterator[str]:
    """The addresses without the /32 that Azure adds to a single one."""
    ranges = [block.get("ip_range") for block in blocks(rule, "ip_rule")]
    for address in [*many(rule.get("ip_rules")), *ranges]:
        yield str(address).removesuffix("/32")


check = NetworkFollowsDeployerAccess()
