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
        routes = list(document.iter("set-backend-service"))
        whens = [when for when in document.iter("when") if when.find("set-backend-service") is not None]
        choices = [choose for choose in document.iterfind("inbound/choose") if _refuses(choose)]
        first = any(choose.find("when/set-backend-service") is not None for choose in choices)
        return first and len(routes) == len(whens) and all(map(_own, whens))


def _own(when: ElementTree.Element) -> bool:
    """Whether the branch asks for a tier, and sends to a server of it, `<server>-<tier>-<slot>`, or to one elsewhere,
    `<server>-remote`, which has no tiers of its own."""
    tier = TIER.search(when.get("condition", ""))
    backend = when.find("set-backend-service")
    called = backend.get("backend-id", "") if backend is not None else ""
    return tier is not None and (f"-{tier.group(1)}-" in called or called.endswith("-remote"))


def _refuses(choose: ElementTree.Element) -> bool:
    otherwise = choose.find("otherwise")
    return otherwise is not None and otherwise.find("include-fragment[@fragment-id='mcp-refuse']") is not None


check = TierRoutesToItsOwnServers()
