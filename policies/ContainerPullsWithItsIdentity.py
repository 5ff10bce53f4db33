"""CKV_MCP_31: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compute import KINDS, identities
from policy_base import Policy, blocks


class ContainerPullsWithItsIdentity(Policy):
    id = "CKV_MCP_31"
    summary = "A container group or an app pulls with an identity of its own, and has one"
    resources = KINDS
    guideline = "A registry password would be one more secret in the state, shared by everything that pulls."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        credentials = [*blocks(values, "image_registry_credential"), *blocks(values, "registry")]
        pulls = all(
            (block.get("user_assigned_identity_id") or block.get("identity"))
            and not (block.get("password") or block.get("password_secret_name"))
            for block in credentials
        )
        return bool(credentials) and pulls and len(identities(values)) == 1


check = ContainerPullsWithItsIdentity()
