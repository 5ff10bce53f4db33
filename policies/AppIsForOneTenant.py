"""CKV_MCP_42: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy


class AppIsForOneTenant(Policy):
    id = "CKV_MCP_42"
    summary = "App registrations take accounts of this tenant only"
    resources = ("azuread_application",)
    guideline = "A multi-tenant app accepts tokens that other directories' administrators consented to."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        return values.get("sign_in_audience", "AzureADMyOrg") == "AzureADMyOrg"


check = AppIsForOneTenant()
