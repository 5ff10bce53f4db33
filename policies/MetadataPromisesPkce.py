"""CKV_MCP_30: see `guideline`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, policy_xml


class MetadataPromisesPkce(Policy):
    id = "CKV_MCP_30"
    summary = "The metadata asks for PKCE with S256 and public clients, and names no other flow"
    resources = ("azurerm_api_management_api_operation_policy",)
    guideline = (
        "MCP clients refuse a server that does not advertise S256; a further flow or client secret would be "
        "an unguarded way in."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        document = policy_xml(values)
        if document is None:
            return None
        texts = [body.text or "" for body in document.iter("set-body") if "authorization_endpoint" in (body.text or "")]
        return all(_strict(json.loads(text)) for text in texts if text.lstrip().startswith("{"))


def _strict(metadata: Mapping[str, Any]) -> bool:
    return (
        metadata.get("code_challenge_methods_supported") == ["S256"]
        and metadata.get("token_endpoint_auth_methods_supported") == ["none"]
        and metadata.get("response_types_supported") == ["code"]
        and set(metadata.get("grant_types_supported", [])) <= {"authorization_code", "refresh_token"}
        and not metadata.get("authorization_response_iss_parameter_supported", False)
    )


check = MetadataPromisesPkce()
