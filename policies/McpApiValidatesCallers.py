"""CKV_MCP_5: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, includes, policy_xml

ANONYMOUS = {"metadata", "oauth"}


class McpApiValidatesCallers(Policy):
    id = "CKV_MCP_5"
    summary = "Every API validates its callers' tokens, but for the OAuth metadata and façade"
    severity_name = "CRITICAL"
    resources = ("azurerm_api_management_api_policy",)
    guideline = (
        "Include the fragment mcp-caller, or a validate-jwt of its own, in <inbound> before anything reaches a server."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if values.get("api_name") in ANONYMOUS:
            return True
        document = policy_xml(values)
        if document is None:
            return None
        inbound = document.find("inbound")
        return inbound is not None and (includes(inbound, "mcp-caller") or inbound.find("validate-jwt") is not None)


check = McpApiValidatesCallers()
