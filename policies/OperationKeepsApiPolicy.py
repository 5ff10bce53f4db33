"""CKV_MCP_17: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, policy_xml


class OperationKeepsApiPolicy(Policy):
    id = "CKV_MCP_17"
    summary = "An operation's policy runs its API's first, and an API's the gateway's"
    severity_name = "CRITICAL"
    resources = ("azurerm_api_management_api_operation_policy", "azurerm_api_management_api_policy")
    guideline = "Without <base /> as first element of <inbound> the validation above is replaced, not extended."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        document = policy_xml(values)
        if document is None:
            return None
        inbound = document.find("inbound")
        return inbound is not None and len(inbound) > 0 and inbound[0].tag == "base"


check = OperationKeepsApiPolicy()
