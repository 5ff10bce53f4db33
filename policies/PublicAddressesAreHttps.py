"""CKV_MCP_29: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, unresolved

ADDRESSES = {"public-base-url", "entra-authority", "entra-issuer", "entra-openid-configuration"}
SAFE = re.compile(r"^(https://[^/@?#]+|http://(127\.0\.0\.1|localhost)(:\d+)?)(/[^@?#]*[^/@?#])?$")


class PublicAddressesAreHttps(Policy):
    id = "CKV_MCP_29"
    summary = "What clients and tokens are compared with is https, without a trailing slash"
    resources = ("azurerm_api_management_named_value",)
    guideline = "Clients compare these as text, and follow them: only loopback may be http (RFC 8252, section 8.3)."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if values.get("name") not in ADDRESSES:
            return None if unresolved(values.get("name")) else True
        value = values.get("value")
        return None if unresolved(value) else bool(SAFE.match(value))


check = PublicAddressesAreHttps()
