"""CKV_MCP_11: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, many, unresolved

LISTED_SCHEMES = ("cursor://", "vscode://", "vscode-insiders://")
SAFE = re.compile(r"^https://[^*/]+\.[^*]+$|^http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^*]*)?$")


class RedirectUrisAreSafe(Policy):
    id = "CKV_MCP_11"
    summary = "Redirect URIs are https, loopback, or a listed client's own scheme, and exact"
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
        return all(SAFE.match(uri) or uri.startswith(LISTED_SCHEMES) for uri in known)


check = RedirectUrisAreSafe()
