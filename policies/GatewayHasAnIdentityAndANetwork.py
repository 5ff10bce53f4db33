"""CKV_MCP_27: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, blocks, many, unresolved


class GatewayHasAnIdentityAndANetwork(Policy):
    id = "CKV_MCP_27"
    summary = "The gateway is in the virtual network and signs in with an identity of its own"
    resources = ("azurerm_api_management",)
    guideline = (
        "Without the network it cannot reach the servers in private; without the identity it would need a "
        "stored secret."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        # "SystemAssigned, UserAssigned" where it also has one for its certificate.
        types = [str(block.get("type")) for block in blocks(values, "identity") if many(block.get("identity_ids"))]
        network = values.get("virtual_network_type")
        if unresolved(network):
            return None if network is not None else False
        return (
            any("UserAssigned" in type_ for type_ in types)
            and network in ("External", "Internal")
            and bool(blocks(values, "virtual_network_configuration"))
        )


check = GatewayHasAnIdentityAndANetwork()
