"""CKV_MCP_20: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import POLICY_DOCUMENTS, Policy, policy_xml

#: The scheme and host stand there, with the slash that ends them: what comes after cannot change where it goes.
FIXED_ORIGIN = re.compile(r'@\("https://[a-z0-9.-]+/" \+ ')
ADDRESSES = (("set-backend-service", "base-url"), ("rewrite-uri", "template"))


class BackendIsFixed(Policy):
    id = "CKV_MCP_20"
    summary = "No caller decides where the gateway sends a request"
    severity_name = "CRITICAL"
    resources = POLICY_DOCUMENTS
    guideline = (
        "A backend address or path from an expression lets whoever fills in the request reach other hosts (SSRF)."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        document = policy_xml(values)
        if document is None:
            return None
        addresses = [element.get(attribute, "") for tag, attribute in ADDRESSES for element in document.iter(tag)]
        addresses += [url.text or "" for request in document.iter("send-request") for url in request.iter("set-url")]
        return not any(
            ("@(" in address or "@{" in address) and not FIXED_ORIGIN.match(address.strip()) for address in addresses
        )


check = BackendIsFixed()
