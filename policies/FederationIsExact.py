"""CKV_MCP_37: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, many, unresolved

KNOWN = re.compile(
    r"^https://(login\.microsoftonline\.com/[0-9a-f-]{36}/v2\.0|vstoken\.dev\.azure\.com/[0-9a-f-]{36}"
    r"|token\.actions\.githubusercontent\.com)/?$"
)
WILD = re.compile(r"[*?]|:pull_request$|^repo:[^:]+$")


class FederationIsExact(Policy):
    id = "CKV_MCP_37"
    summary = "A federated credential has the one audience, a known issuer and a whole subject"
    severity_name = "CRITICAL"
    resources = (
        "azurerm_federated_identity_credential",
        "azuread_application_federated_identity_credential",
        "azuread_application_flexible_federated_identity_credential",
    )
    guideline = "A wildcard, or a subject that pull requests share, lets other people's pipelines become this identity."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        subject, issuer = values.get("subject"), values.get("issuer")
        audiences = many(values.get("audience")) + many(values.get("audiences"))
        if self.entity_type == "azuread_application_flexible_federated_identity_credential":
            return False
        if unresolved(subject) or unresolved(issuer):
            return None
        exact = not WILD.search(subject) and bool(KNOWN.match(issuer))
        return exact and audiences == ["api://AzureADTokenExchange"]


check = FederationIsExact()
