"""CKV_MCP_43: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy


class SlotNameIsShortLived(Policy):
    id = "CKV_MCP_43"
    summary = "The answers for a slot's name live 30 seconds at most"
    severity_name = "LOW"
    resources = ("azurerm_private_dns_a_record",)
    guideline = "A container group's address changes when it restarts: a longer life is a longer outage."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        ttl = values.get("ttl")
        return ttl <= 30 if isinstance(ttl, int) else None


check = SlotNameIsShortLived()
