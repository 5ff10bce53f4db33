"""CKV_MCP_2: see `guideline`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from compute import KINDS, containers, plain
from policy_base import SECRET_VALUE, Policy, blocks, unwrap

SECRET_NAME = re.compile(
    r"(password|secret|token|api_?key|account_?key|connection_?string|(mongodb|database)_ur[il])$", re.I
)
# An address that names an identity: who connects brings that identity's token.
KEYLESS = re.compile(r"mongodb\+srv://[0-9a-f-]{36}@[a-z0-9.-]+/\?(\w+=[^&]*&)*authMechanism=MONGODB-OIDC(&\w+=[^&]*)*")


class ContainerEnvironmentHasNoSecret(Policy):
    id = "CKV_MCP_2"
    summary = "Secrets reach containers as secure environment variables or by reference to the vault only"
    severity_name = "CRITICAL"
    resources = KINDS
    guideline = (
        "The portal shows plain environment variables: use secure_environment_variables, or key_vault_secret_id of an "
        "app's secret, whose value stands in no state."
    )

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        if any(secret.get("value") for secret in blocks(values, "secret")):
            return False
        return not any(_secret(*variable) for container in containers(values) for variable in plain(container).items())


def _secret(name: str, value: object) -> bool:
    text = str(unwrap(value))
    if KEYLESS.fullmatch(text):
        return False
    return bool(SECRET_NAME.search(str(name)) or SECRET_VALUE.search(text))


check = ContainerEnvironmentHasNoSecret()
