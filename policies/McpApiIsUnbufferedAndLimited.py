"""CKV_MCP_8: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, includes, policy_xml


class McpApiIsUnbufferedAndLimited(Policy):
    id = "CKV_MCP_8"
    summary = "MCP APIs stream without a buffer, limit each caller, and never pass the caller's token on"
    resources = ("azurerm_api_management_api_policy",)
    guideline = "A buffered stream hangs until it ends; a caller without a limit starves the others."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if not str(values.get("api_name", "")).startswith("mcp-"):
            return True
        document = policy_xml(values)
        if document is None:
            return None
        forwards = list(document.iter("forward-request"))
        unbuffered = bool(forwards) and all(element.get("buffer-response") == "false" for element in forwards)
        limits = document.findall("inbound/rate-limit-by-key")
        limited = any('Variables["caller"]' in limit.get("counter-key", "") for limit in limits)
        return unbuffered and limited and (includes(document, "mcp-upstream") or includes(document, "mcp-remote"))


check = McpApiIsUnbufferedAndLimited()
