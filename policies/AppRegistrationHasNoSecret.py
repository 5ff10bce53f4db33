"""CKV_MCP_12: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, many


class AppRegistrationHasNoSecret(Policy):
    id = "CKV_MCP_12"
    summary = "App registrations have no secret, no implicit grant, and v2 tokens"
    resources = ("azuread_application", "azuread_application_password", "azuread_service_principal_password")
    guideline = (
        "People sign in with PKCE and services with managed identities: a secret would only be something to leak."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if self.entity_type != "azuread_application":
            return False
        grants = [grant for web in many(values.get("web")) for grant in many(web.get("implicit_grant"))]
        implicit = any(str(many(value)[:1]).lower() == "[true]" for grant in grants for value in grant.values())
        versions = [many(api.get("requested_access_token_version")) for api in many(values.get("api"))]
        return not many(values.get("password")) and not implicit and [str(v[0]) for v in versions if v] == ["2"]


check = AppRegistrationHasNoSecret()
