"""CKV_MCP_5: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, policy_xml

#: A registry that is closed has another name, registry-signed-in.
ANONYMOUS = {"metadata", "oauth", "registry"}


class McpApiValidatesCallers(Policy):
    id = "CKV_MCP_5"
    summary = (
        "Every API validates its callers' tokens, but for the OAuth metadata and façade, and a public MCP registry"
    )
    severity_name = "CRITICAL"
    resources = ("azurerm_api_management_api_policy",)
    guideline = (
        "Include the fragment mcp-caller, or a validate-jwt of its own, in <inbound>, unconditionally and before a "
        "server is chosen."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if values.get("api_name") in ANONYMOUS:
            return True
        document = policy_xml(values)
        if document is None:
            return None
        for step in document.iterfind("inbound/*"):
            if step.tag == "validate-jwt" or step.get("fragment-id") == "mcp-caller":
                return True
            if step.find(".//set-backend-service") is not None or step.tag == "set-backend-service":
                return False
        return False


check = McpApiValidatesCallers()
