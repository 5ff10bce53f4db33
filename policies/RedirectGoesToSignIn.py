"""CKV_MCP_21: see `guideline`."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from typing import Any

from policy_base import POLICY_DOCUMENTS, Policy, policy_xml

AUTHORITY = re.compile(r'"\{\{entra-authority\}\}/')


class RedirectGoesToSignIn(Policy):
    id = "CKV_MCP_21"
    summary = "The façade redirects to Entra ID, or to a redirect URI that it has compared first"
    severity_name = "CRITICAL"
    resources = POLICY_DOCUMENTS
    guideline = (
        "Otherwise it is an open redirector, and hands authorization codes to whoever asks (RFC 9700, section 4.11)."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        document = policy_xml(values)
        if document is None:
            return None
        inbound = document.find("inbound")
        elements = list(inbound) if inbound is not None else list(document)
        compared = False
        for element in elements:
            compared = compared or element.get("fragment-id") == "oauth-refuse"
            for location in _locations(element):
                if not (AUTHORITY.search(location) if element.tag == "return-response" else compared):
                    return False
        return True


def _locations(element: ElementTree.Element) -> Iterator[str]:
    for header in element.iter("set-header"):
        if header.get("name", "").lower() == "location":
            yield "".join(header.itertext())


check = RedirectGoesToSignIn()
