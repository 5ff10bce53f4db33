"""CKV_MCP_9: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, policy_xml


class WildcardCorsIsWithoutCredentials(Policy):
    id = "CKV_MCP_9"
    summary = "CORS from any origin never allows credentials"
    resources = (
        "azurerm_api_management_policy_fragment",
        "azurerm_api_management_api_policy",
        "azurerm_api_management_api_operation_policy",
    )
    guideline = "With credentials, any web page could call as whoever is signed in to the browser that shows it."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        document = policy_xml(values)
        if document is None:
            return None
        return not any(
            element.get("allow-credentials", "false") == "true"
            and any((origin.text or "").strip() == "*" for origin in element.iter("origin"))
            for element in document.iter("cors")
        )


check = WildcardCorsIsWithoutCredentials()
