"""CKV_MCP_22: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import POLICY_DOCUMENTS, Policy, unresolved

HOST = re.compile(
    r"""Url\.(Host|Scheme|Port)\b|Url\.ToString|["'&;](Host|X-Forwarded-(Host|Proto|For)|X-Original-Host|Forwarded)["'&]""",
    re.I,
)


class HostHeaderIsNotTrusted(Policy):
    id = "CKV_MCP_22"
    summary = "No address is made from what the request says its host is"
    severity_name = "CRITICAL"
    resources = POLICY_DOCUMENTS
    guideline = "Use {{public-base-url}}: a forged Host would end up in metadata and challenges that clients follow."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        text = values.get("value" if "value" in values else "xml_content")
        return None if unresolved(text) else not HOST.search(text)


check = HostHeaderIsNotTrusted()
