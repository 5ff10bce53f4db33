"""CKV_MCP_19: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, policy_xml, unresolved

LISTED = {
    "metadata": re.compile(
        r"(GET|HEAD) /oauth-(authorization-server|protected-resource(/([a-z][a-z0-9-]*/mcp|v0\.1/servers))?)"
    ),
    "oauth": re.compile(r"GET /authorize|POST /(token|register)"),
    "registry": re.compile(r"(GET|HEAD) /(\*|servers(/\*)?)"),
}
#: What answers where nothing is.
UNKNOWN = {"unknown": "GET /*", "unknown-head": "HEAD /*"}
#: These have nothing behind them: each request ends in the policy.
SELF_CONTAINED = {
    ("azurerm_api_management_api_operation_policy", "metadata"),
    ("azurerm_api_management_api_policy", "registry"),
}
REACHING = {"forward-request", "set-backend-service", "send-request", "send-one-way-request"}


class AnonymousOperationIsListed(Policy):
    id = "CKV_MCP_19"
    summary = (
        "Without a token one can read OAuth metadata and a public MCP registry, and use the sign-in façade; no more"
    )
    severity_name = "CRITICAL"
    resources = (
        "azurerm_api_management_api_operation",
        "azurerm_api_management_api_operation_policy",
        "azurerm_api_management_api_policy",
    )
    guideline = (
        "Another operation on these APIs, or one of the registry or the metadata that goes on to a backend, would be "
        "open to everybody: put it on an API that validates its callers."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        api = values.get("api_name")
        if "xml_content" in values:
            kind = f"azurerm_api_management_api{'_operation' if 'operation_id' in values else ''}_policy"
            return _answers(values) if (kind, api) in SELF_CONTAINED else True
        if api not in LISTED:
            return None if unresolved(api) else True
        if unresolved(values.get("method")) or unresolved(values.get("url_template")):
            return None
        operation = f"{values['method']} {values['url_template']}"
        if api == "metadata" and UNKNOWN.get(str(values.get("operation_id"))) == operation:
            return True
        return bool(LISTED[api].fullmatch(operation))


def _answers(values: Mapping[str, Any]) -> bool | None:
    document = policy_xml(values)
    if document is None:
        return None
    reaches = any(element.tag in REACHING for element in document.iter())
    return document.find("inbound/return-response") is not None and not reaches


check = AnonymousOperationIsListed()
