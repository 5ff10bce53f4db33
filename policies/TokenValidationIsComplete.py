"""CKV_MCP_6: see `guideline`."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, policy_xml


class TokenValidationIsComplete(Policy):
    id = "CKV_MCP_6"
    summary = "Every validate-jwt checks signature, issuer, audience, tenant and lifetime"
    severity_name = "CRITICAL"
    resources = (
        "azurerm_api_management_policy_fragment",
        "azurerm_api_management_api_policy",
        "azurerm_api_management_api_operation_policy",
        "azurerm_api_management_policy",
    )
    guideline = (
        "Each that is left out lets in a token made for somebody else, by somebody else, or long ago (RFC 8725)."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        document = policy_xml(values)
        if document is None:
            return None
        if values.get("name") == "mcp-caller" and document.find("validate-jwt") is None:
            return False  # what every MCP API relies on; inside a <choose> it would be a matter of the request
        return all(_complete(element) for element in document.iter("validate-jwt"))


def _complete(element: ElementTree.Element) -> bool:
    needed = ("openid-config", "audiences/audience", "issuers/issuer")
    claims = {claim.get("name") for claim in element.iterfind("required-claims/claim")}
    switches = ("require-expiration-time", "require-signed-tokens")
    return (
        all(element.find(path) is not None for path in needed)
        and "tid" in claims
        and all(element.get(switch, "true") == "true" for switch in switches)
    )


check = TokenValidationIsComplete()
