"""CKV_MCP_16: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import ModulePolicy

CONNECTION = re.compile(r"connection_strings\[\s*(\"[^\"]*\"|[^\]]*)\s*\]")


class ConnectionFollowsTier(ModulePolicy):
    id = "CKV_MCP_16"
    summary = "A module that deploys servers picks the connection string by the tier's own `connection`"
    severity_name = "CRITICAL"
    guideline = (
        "A connection string named outright is the same for every tier: readers would get the administrators' key."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        picked = CONNECTION.findall(str(values.get("secure_environment_variables", "")))
        return all("each.value.connection" in key for key in picked)


check = ConnectionFollowsTier()
