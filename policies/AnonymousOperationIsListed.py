"""CKV_MCP_19: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, unresolved

LISTED = {
    "metadata": re.compile(
        r"(GET|HEAD) /(\*|oauth-(authorization-server|protected-resource(/([a-z][a-z0-9-]*/mcp|v0\.1/servers))?))"
    ),
    "oauth": re.compile(r"GET /authorize|POST /(token|register)"),
    "registry": re.compile(r"(GET|HEAD) /(\*|servers(/\*)?)"),
}


class AnonymousOperationIsListed(Policy):
    id = "CKV_MCP_19"
    summary = "Without a token one can read OAuth metadata and a public MCP registry, and use the sign-in façade, and nothing else"
    severity_name = "CRITICAL"
    resources = ("azurerm_api_management_api_operation",)
    guideline = (
        "Another operation on these APIs would be open to everybody: put it on an API that validates its callers."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if values.get("api_name") not in LISTED:
            return None if unresolved(values.get("api_name")) else True
        if unresolved(values.get("method")) or unresolved(values.get("url_template")):
            return None
        return bool(LISTED[values["api_name"]].fullmatch(f"{values['method']} {values['url_template']}"))


check = AnonymousOperationIsListed()
