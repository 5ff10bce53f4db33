"""CKV_MCP_28: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, blocks, true, unresolved

INSIDE = re.compile(r"^(https://[a-z0-9.-]+|http://[a-z0-9.-]+\.internal)(:\d+)?$")


class BackendIsPrivateAndGuarded(Policy):
    id = "CKV_MCP_28"
    summary = "A backend is a name inside the network, with a circuit breaker or a certificate that is checked"
    resources = ("azurerm_api_management_backend",)
    guideline = (
        "Plain HTTP is acceptable only inside the boundary of docs/adr/0002; a broken server must not hold "
        "callers until they time out. An app's own ingress leaves out what cannot answer."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        url = values.get("url")
        if unresolved(url):
            return None
        checked = [
            true(tls.get("validate_certificate_chain")) and true(tls.get("validate_certificate_name"))
            for tls in blocks(values, "tls")
        ]
        guarded = bool(blocks(values, "circuit_breaker_rule")) or (url.startswith("https://") and any(checked))
        return bool(INSIDE.match(url)) and guarded and all(checked)


check = BackendIsPrivateAndGuarded()
