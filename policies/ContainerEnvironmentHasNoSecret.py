"""CKV_MCP_2: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_base import SECRET_VALUE, Policy, many, unwrap

SECRET_NAME = re.compile(
    r"(password|secret|token|api_?key|account_?key|connection_?string|(mongodb|database)_ur[il])$", re.I
)
# An address that names an identity: who connects brings that identity's token.
KEYLESS = re.compile(r"mongodb\+srv://[0-9a-f-]{36}@[a-z0-9.-]+/\?(\w+=[^&]*&)*authMechanism=MONGODB-OIDC(&\w+=[^&]*)*")


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
    text = str(unwrap(value))
    if KEYLESS.fullmatch(text):
        return False
    return bool(SECRET_NAME.search(str(name)) or SECRET_VALUE.search(text))


check = ContainerEnvironmentHasNoSecret()
