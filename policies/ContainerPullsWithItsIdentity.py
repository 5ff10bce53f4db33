"""CKV_MCP_31: see `guideline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import Policy, blocks, many


class ContainerPullsWithItsIdentity(Policy):
    id = "CKV_MCP_31"
    summary = "A container group pulls with an identity of its own, and has one"
    resources = ("azurerm_container_group",)
    guideline = "A registry password would be one more secret in the state, shared by everything that pulls."

    def passes(self, values: Mapping[str, Any]) -> bool | None:
        credentials = blocks(values, "image_registry_credential")
        identities = [id_ for block in blocks(values, "identity") for id_ in many(block.get("identity_ids"))]
        pulls = all(block.get("user_assigned_identity_id") and not block.get("password") for block in credentials)
        return bool(credentials) and pulls and len(identities) == 1


check = ContainerPullsWithItsIdentity()
