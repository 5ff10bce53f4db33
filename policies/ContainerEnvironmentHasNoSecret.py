"""CKV_MCP_2: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import SECRET_VALUE, Policy, many

SECRET_NAME = re.compile(
    r"(password|secret|token|api_?key|account_?key|connection_?string|(mongodb|database)_ur[il])$", re.I
)


class ContainerEnvironmentHasNoSecret(Policy):
    id = "CKV_MCP_2"
    summary = "Secrets reach containers as secure environment variables only"
    severity_name = "CRITICAL"
    resources = ("azurerm_container_group",)
    guideline = "The portal shows plain environment variables: use secure_environment_variables."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        for container in many(values.get("container")) + many(values.get("init_container")):
            for environment in many(container.get("environment_variables")):
                if isinstance(environment, Mapping) and any(
                    _secret(name, value) for name, value in environment.items()
                ):
                    return False
        return True


def _secret(name: str, value: object) -> bool:
    return bool(SECRET_NAME.search(str(name)) or SECRET_VALUE.search(str(value)))


check = ContainerEnvironmentHasNoSecret()
