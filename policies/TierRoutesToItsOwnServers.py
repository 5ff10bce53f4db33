"""CKV_MCP_24: see `guideline`."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

from policy_base import Policy, policy_xml

TIER = re.compile(r'\["tier"\] == "([a-z][a-z0-9]*)"')


class TierRoutesToItsOwnServers(Policy):
    id = "CKV_MCP_24"
    summary = "Each tier's calls go to that tier's servers, and a caller without a tier is refused"
    severity_name = "CRITICAL"
    resources = ("azurerm_api_management_api_policy",)
    guideline = "A reader who reaches the administrators' server has every tool that they have."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if not str(values.get("api_name", "")).startswith("mcp-"):
            return True
        document = policy_xml(values)
        if document is None:
            return None
        choices = [
            choose
            for choose in document.iterfind("inbound/choose")
            if choose.find(".//set-backend-service") is not None
        ]
        whens = [when for choose in choices for when in choose.iterfind("when")]
        return bool(choices) and all(map(_own, whens)) and any(map(_refuses, choices))


def _own(when: ElementTree.Element) -> bool:
    tier = TIER.search(when.get("condition", ""))
    backends = [element.get("backend-id", "") for element in when.iter("set-backend-service")]
    return not backends or (tier is not None and all(f"-{tier.group(1)}-" in backend for backend in backends))


def _refuses(choose: ElementTree.Element) -> bool:
    otherwise = choose.find("otherwise")
    return otherwise is not None and otherwise.find("include-fragment[@fragment-id='mcp-refuse']") is not None


check = TierRoutesToItsOwnServers()
