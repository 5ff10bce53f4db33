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
