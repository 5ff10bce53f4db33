"""CKV_MCP_14: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import SECRET_VALUE, Policy, many, true

VERSIONED = re.compile(r"/secrets/[^/]+/[0-9a-f]{32}$")


class NamedValueSecretIsInKeyVault(Policy):
    id = "CKV_MCP_14"
    summary = "Secret named values come from Key Vault, by an id without version"
    resources = ("azurerm_api_management_named_value",)
    guideline = "A secret as plain value stands in the state; a versioned id keeps the old secret after a rotation."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if not true(values.get("secret", False)):
            return not SECRET_VALUE.search(str(values.get("value", "")))
        ids = [id_ for block in many(values.get("value_from_key_vault")) for id_ in many(block.get("secret_id"))]
        return bool(ids) and not any(VERSIONED.search(str(id_)) for id_ in ids)


check = NamedValueSecretIsInKeyVault()
