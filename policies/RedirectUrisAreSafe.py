"""CKV_MCP_11: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, many, unresolved

#: A scheme of an application's own (RFC 8252, section 7.1) is none that browsers act on.
FORBIDDEN = "https?|javascript|data|file|vbscript|blob|about|filesystem|ftp|wss?|view-source"
OWN_SCHEME = re.compile(rf"^(?!({FORBIDDEN}):)[a-z][a-z0-9+.-]*:/[^*]*$")
SAFE = re.compile(r"^https://[^*/]+\.[^*]+$|^http://(localhost|127\.0\.0\.1)(:\d+)?(/[^*]*)?$")


class RedirectUrisAreSafe(Policy):
    id = "CKV_MCP_11"
    summary = "Redirect URIs are https, loopback, or a client's own scheme, and exact"
    severity_name = "CRITICAL"
    resources = ("azuread_application",)
    guideline = "The authorization code goes to this address (RFC 9700, section 2.1)."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        uris = [
            uri
            for platform in ("public_client", "web", "single_page_application")
            for block in many(values.get(platform))
            if isinstance(block, Mapping)
            for uri in many(block.get("redirect_uris"))
        ]
        known = [uri for uri in uris if not unresolved(uri)]
        return all(SAFE.match(uri) or OWN_SCHEME.match(uri) for uri in known)


check = RedirectUrisAreSafe()
