"""CKV_MCP_47: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, blocks, true, unresolved


class AppsArePrivateAndEncrypted(Policy):
    id = "CKV_MCP_47"
    summary = "An environment of apps has a private address in a subnet, and its apps answer TLS only"
    severity_name = "CRITICAL"
    resources = ("azurerm_container_app_environment", "azurerm_container_app")
    guideline = (
        "The gateway checks callers; a server with a public address can be called past it, and one without TLS be "
        "overheard."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if "template" in values:
            return all(
                not true(ingress.get("allow_insecure_connections")) and str(ingress.get("transport")) != "tcp"
                for ingress in blocks(values, "ingress")
            )
        if values.get("public_network_access") == "Enabled":
            return False
        internal = values.get("internal_load_balancer_enabled", False)
        if isinstance(internal, str) and unresolved(internal):
            return None
        return true(internal) and bool(values.get("infrastructure_subnet_id"))


check = AppsArePrivateAndEncrypted()
