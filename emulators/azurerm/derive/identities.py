"""Managed identities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive.registry import derives


@derives("azurerm_user_assigned_identity")
def user_assigned(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "client_id": guid("identity-client", values["id"]),
        "principal_id": guid("identity-principal", values["id"]),
        "tenant_id": cloud.tenant_id,
    }


def identity_block(cloud: Cloud, id_: str, identity: Values, name: str) -> str:
    """`principal_id` or `tenant_id` of a resource's own identity; empty where it only borrows others."""
    if "SystemAssigned" not in str(identity.get("type")):
        return ""
    return cloud.tenant_id if name == "tenant_id" else guid("system-identity", id_)


def with_own_identity(cloud: Cloud, values: Values) -> Values:
    """The object with the ids of its own identity as they are after an update, which a plan takes over from before."""
    blocks = values.get("identity")
    if not isinstance(blocks, list) or not all(isinstance(b, dict) and "principal_id" in b for b in blocks):
        return values
    names = ("principal_id", "tenant_id")
    mine = [{**b, **{name: identity_block(cloud, values["id"], b, name) for name in names}} for b in blocks]
    return {**values, "identity": mine}
