"""CKV_MCP_38: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, true


class VaultCannotBePurged(Policy):
    id = "CKV_MCP_38"
    summary = "Key Vault keeps what is deleted, and gives access by roles only"
    resources = ("azurerm_key_vault",)
    guideline = (
        "Purge protection outlives a mistake and a stolen pipeline; access policies would be a second list "
        "that no role review sees."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        days = values.get("soft_delete_retention_days")
        long_enough = not isinstance(days, int) or days >= 7
        return (
            true(values.get("purge_protection_enabled"))
            and true(values.get("rbac_authorization_enabled"))
            and long_enough
        )


check = VaultCannotBePurged()
