"""The keys of a Cosmos DB account, regenerated as `az cosmosdb keys regenerate` does.

What Azure's control plane would do: the account has another value, its connection strings follow, and Terraform sees
both at its next refresh.
"""

from __future__ import annotations

import secrets

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import as_key
from emulators.azurerm.derive import cosmos
from emulators.azurerm.store import Store
from emulators.base.errors import ProviderError

TYPE = "azurerm_cosmosdb_account"

# "Database Accounts - Regenerate Key" (REST API of Microsoft.DocumentDB): its key kinds, and Terraform's names.
KINDS = {
    "primary": "primary",
    "secondary": "secondary",
    "primaryReadonly": "primary_readonly",
    "secondaryReadonly": "secondary_readonly",
}


def find(store: Store, name: str, resource_group: str) -> Values | None:
    """The account of that name in that group; Azure compares both without case."""
    wanted = (name.lower(), resource_group.lower())
    return next((a for a in store.of_type(TYPE) if _place(a) == wanted), None)


def regenerate(store: Store, name: str, resource_group: str, kind: str) -> None:
    """Gives one key a new random value, whatever it was; ProviderError for an unknown account or kind."""
    if kind not in KINDS:
        raise ProviderError(f"the key kind {kind!r} does not exist; it must be one of {', '.join(KINDS)}")
    with store.transaction():
        account = find(store, name, resource_group)
        if account is None:
            raise ProviderError(
                f"the stand-in cloud has no Cosmos DB account {name!r} in {resource_group!r}; run `invoke deploy` first"
            )
        new = as_key(secrets.token_bytes(cosmos.KEY_BYTES))
        store.update(TYPE, account["id"], cosmos.with_key(account, KINDS[kind], new))


def _place(account: Values) -> tuple[str, str]:
    return str(account["name"]).lower(), str(account["resource_group_name"]).lower()
