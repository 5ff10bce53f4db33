"""A stand-in cloud that holds one Cosmos DB account, as the provider writes it, for tests of its keys."""

from __future__ import annotations

from pathlib import Path

from emulators.base import account_keys
from emulators.base.store import Store, Values

ACCOUNT = "cosmos-mcp"
GROUP = "rg-mcp"
_ID = f"/subscriptions/s/resourceGroups/{GROUP}/providers/Microsoft.DocumentDB/databaseAccounts/{ACCOUNT}"


def with_database_account(path: Path) -> Store:
    """A cloud with the account `ACCOUNT` in `GROUP`, with four keys and their connection strings."""
    store = Store(path)
    account: Values = {
        "id": _ID,
        "name": ACCOUNT,
        "resource_group_name": GROUP,
        "endpoint": f"https://{ACCOUNT}.documents.azure.com:443/",
    }
    for number, which in enumerate(account_keys.KINDS.values()):
        account |= account_keys.with_key(account, which, account_keys.as_key(bytes([number]) * account_keys.KEY_BYTES))
    store.put(account_keys.TYPE, account)
    return store
