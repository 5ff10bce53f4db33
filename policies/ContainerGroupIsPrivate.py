"""CKV_MCP_1: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, many, unresolved


class ContainerGroupIsPrivate(Policy):
    id = "CKV_MCP_1"
    summary = "Container groups have a private address in a subnet"
    resources = ("azurerm_container_group",)
    guideline = "The gateway checks callers; a server with a public address can be called past it."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        address = values.get("ip_address_type", "Public")
        if unresolved(address):
            return None
        return address == "Private" and bool(many(values.get("subnet_ids")) or "subnet_ids" not in values)


check = ContainerGroupIsPrivate()
