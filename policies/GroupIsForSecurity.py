"""CKV_MCP_46: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, many, true


class GroupIsForSecurity(Policy):
    id = "CKV_MCP_46"
    summary = "Tiers are given by security groups that mail and their own members cannot change"
    resources = ("azuread_group",)
    guideline = (
        "A mail-enabled or Microsoft 365 group is joined by invitation: whoever lets people in would give out roles."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        types = {str(type_).lower() for type_ in many(values.get("types"))}
        return true(values.get("security_enabled")) and not true(values.get("mail_enabled")) and "unified" not in types


check = GroupIsForSecurity()
