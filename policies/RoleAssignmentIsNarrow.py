"""CKV_MCP_10: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, unresolved

TOO_STRONG = {"Owner", "Contributor", "User Access Administrator", "Role Based Access Control Administrator"}
WIDE_SCOPE = re.compile(r"^/subscriptions/[^/]+/?$|^/providers/Microsoft\.Management/|^/$")


class RoleAssignmentIsNarrow(Policy):
    id = "CKV_MCP_10"
    summary = "Role assignments are no broad role and not at subscription scope"
    resources = ("azurerm_role_assignment",)
    guideline = (
        "An identity of a server or gateway needs one thing: give the role that says it, on the resource it is about."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        role, scope = values.get("role_definition_name"), values.get("scope")
        if role in TOO_STRONG or (isinstance(scope, str) and WIDE_SCOPE.match(scope)):
            return False
        return None if unresolved(role) or unresolved(scope) else True


check = RoleAssignmentIsNarrow()
