"""Names that outlive their object: Key Vaults, their secrets and API Management services are deleted softly.

The provider's `features` block decides, with azurerm's defaults, whether a destroy also purges, and whether a create
takes back what is only softly deleted. Purge protection forbids purging.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError

LEDGER = "twin_soft_deleted"  # a type of the stand-in's own: {"id", "object": id of what was deleted, "location"}


@dataclass(frozen=True)
class Kind:
    """Where the features stand, and the name that stays taken: over all of Azure, or within its vault."""

    noun: str
    block: str
    purge: str
    recover: str
    key: Callable[[Values], str]
    code: str


KINDS = {
    "azurerm_key_vault": Kind(
        "Key Vault",
        "key_vault",
        "purge_soft_delete_on_destroy",
        "recover_soft_deleted_key_vaults",
        lambda values: f"vault|{values['name'].lower()}",
        "VaultAlreadyExists",
    ),
    "azurerm_key_vault_secret": Kind(
        "Key Vault secret",
        "key_vault",
        "purge_soft_deleted_secrets_on_destroy",
        "recover_soft_deleted_secrets",
        lambda values: f"secret|{values['key_vault_id'].lower()}|{values['name'].lower()}",
        "ObjectIsDeletedButRecoverable",
    ),
    "azurerm_api_management": Kind(
        "API Management service",
        "api_management",
        "purge_soft_delete_on_destroy",
        "recover_soft_deleted",
        lambda values: f"apim|{values['name'].lower()}",
        "ServiceAlreadyExistsInSoftDeletedState",
    ),
}


def retain_name(cloud: Cloud, type_: str, values: Values) -> None:
    """Called for what was destroyed: its name stays taken unless it is purged."""
    kind = KINDS.get(type_)
    if kind is None or (cloud.feature(kind.block, kind.purge) and not _is_protected(cloud, values)):
        return
    entry = {"id": kind.key(values), "object": _home(values), "location": values.get("location")}
    cloud.store.put(LEDGER, entry)


def recover(cloud: Cloud, type_: str, values: Values) -> None:
    """Called for what is about to be created: recovers what has its name, or raises ProviderError."""
    kind = KINDS.get(type_)
    left = cloud.store.get(LEDGER, kind.key(values)) if kind else None
    if kind is None or left is None:
        return
    same = left["object"] == _home(values) and left["location"] == values.get("location")
    if not (same and cloud.feature(kind.block, kind.recover)):
        why = f"`features.{kind.block}.{kind.recover}` is false" if same else f"it belonged to {left['object']!r}"
        raise ProviderError(
            f"{kind.code}: the name {values['name']!r} is taken by a soft-deleted {kind.noun}, which cannot be "
            f"recovered here because {why}; recover or purge it, or choose another name"
        )
    cloud.store.remove(LEDGER, left["id"])


def _is_protected(cloud: Cloud, values: Values) -> bool:
    vault = cloud.get("azurerm_key_vault", values["key_vault_id"]) if "key_vault_id" in values else values
    return bool(vault.get("purge_protection_enabled"))


def _home(values: Values) -> str:
    """Where it lived: recovery brings it back there and nowhere else."""
    return str(values.get("key_vault_id") or values.get("resource_group_name")).lower()
