"""CKV_MCP_25: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, blocks, many

DIRECTIONS = ("frontend_request", "frontend_response", "backend_request", "backend_response")
SECRET = {"authorization", "cookie", "set-cookie", "ocp-apim-subscription-key"}


class PayloadIsNotLogged(Policy):
    id = "CKV_MCP_25"
    summary = "No byte of a request or response, and no token, is logged"
    resources = ("azurerm_api_management_api_diagnostic", "azurerm_api_management_diagnostic")
    guideline = "Bodies hold callers' data and authorization codes; reading a response body also buffers the stream."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        for direction in DIRECTIONS:
            for block in blocks(values, direction):
                if str(block.get("body_bytes") or 0) != "0" or SECRET & {
                    str(name).lower() for name in many(block.get("headers_to_log"))
                }:
                    return False
        return all(blocks(values, direction) for direction in DIRECTIONS)


check = PayloadIsNotLogged()
