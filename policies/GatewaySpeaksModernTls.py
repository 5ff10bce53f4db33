"""CKV_MCP_26: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, blocks, true


class GatewaySpeaksModernTls(Policy):
    id = "CKV_MCP_26"
    summary = "The gateway speaks TLS 1.2 and up without weak ciphers, in both directions"
    resources = ("azurerm_api_management",)
    guideline = "Leave every switch of `security` off; they exist for clients that no MCP client is."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        switches = {name: value for block in blocks(values, "security") for name, value in block.items()}
        weak = [name for name, value in switches.items() if name.endswith("_enabled") and true(value)]
        return not weak and str(values.get("min_api_version") or "2021-08-01") >= "2021-08-01"


check = GatewaySpeaksModernTls()
