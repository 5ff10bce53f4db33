"""CKV_MCP_7: see `guideline`."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, policy_xml

SPOOFABLE = {"X-Mcp-Caller", "X-Mcp-Client", "X-Mcp-Tier"}
TOKENS = {"Authorization", "Cookie", "X-Mcp-Downstream-Token"}
#: The one address that a caller's token may be shown to: that of whoever issued it.
ISSUER = "{{entra-authority}}/oauth2/v2.0/token"


class CallerTokenStopsAtGateway(Policy):
    id = "CKV_MCP_7"
    summary = (
        "What goes to a server carries the gateway's token, never the caller's, and only the gateway's X-Mcp-* headers"
    )
    severity_name = "CRITICAL"
    resources = ("azurerm_api_management_policy_fragment",)
    guideline = "A forwarded token can be replayed by the server (MCP, Security Best Practices: token passthrough)."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if values.get("name") not in ("mcp-upstream", "mcp-remote", "mcp-on-behalf"):
            return True
        document = policy_xml(values, "value")
        if document is None:
            return None
        if values["name"] == "mcp-on-behalf":
            return {element.text for element in document.iter("set-url")} == {ISSUER}
        removed = _headers(document, "delete")
        if values["name"] == "mcp-remote":  # a server elsewhere is told nothing of the caller
            return removed >= TOKENS | SPOOFABLE
        set_here = _headers(document, "override")
        signed = document.find("authentication-managed-identity") is not None
        return signed and removed >= TOKENS and set_here >= SPOOFABLE


def _headers(document: ElementTree.Element, action: str) -> set[str | None]:
    return {element.get("name") for element in document.iter("set-header") if element.get("exists-action") == action}


check = CallerTokenStopsAtGateway()
