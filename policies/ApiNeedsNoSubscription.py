"""CKV_MCP_4: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy


class ApiNeedsNoSubscription(Policy):
    id = "CKV_MCP_4"
    summary = "APIs do not ask for a subscription key"
    severity_name = "MEDIUM"
    resources = ("azurerm_api_management_api",)
    guideline = "The default, true, answers 401 before any policy runs, without the challenge that starts a sign-in."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        return str(values.get("subscription_required", True)).lower() == "false"


check = ApiNeedsNoSubscription()
