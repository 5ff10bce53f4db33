"""The keys of Cosmos DB accounts in the stand-in cloud, and the connection strings made of them.

`regenerate` does what `az cosmosdb keys regenerate` does: the account has another value, its connection strings follow,
and Terraform sees both at its next refresh.
"""

from __future__ import annotations

import base64
import secrets

from emulators.base.errors import StoreError
from emulators.base.store import Store, Values

TYPE = "azurerm_cosmosdb_account"
KEY_BYTES = 64

# "Database Accounts - Regenerate Key" (REST API of Microsoft.DocumentDB): its key kinds, and Terraform's names.
KINDS = {
    "primary": "primary",
    "secondary": "secondary",
    "primaryReadonly": "primary_readonly",
    "secondaryReadonly": "secondary_readonly",
}


def as_key(data: bytes) -> str:
    """Base64 with neither `+` nor `/`, as Azure's keys: drivers refuse a connection string with a bare slash."""
    return base64.b64encode(data, altchars=b"Az").decode()


def with_key(account: Values, which: str, key: str) -> Values:
    """What follows from one of the account's keys: itself, and the connection strings made of it."""
    return {
        f"{which}_key": key,
        f"{which}_sql_connection_string": f"AccountEndpoint={account['endpoint']};AccountKey={key};",
        f"{which}_mongodb_connection_string": mongodb(account["name"], key),
    }


def mongodb(account: str, key: str) -> str:
    """The string that the account hands out: one host, port 10255, TLS, no retryable writes."""
    host = f"{account}.mongo.cosmos.azure.com:10255"
    options = f"ssl=true&replicaSet=globaldb&retrywrites=false&maxIdleTimeMS=120000&appName=@{account}@"
    return f"mongodb://{account}:{key}@{host}/?{options}"


def find(store: Store, name: str, resource_group: str) -> Values | None:
    """The account of that name in that group; Azure compares both without case."""
    wanted = (name.lower(), resource_group.lower())
    return next((a for a in store.of_type(TYPE) if _place(a) == wanted), None)


def regenerate(store: Store, name: str, resource_group: str, kind: str) -> None:
    """Give one key a new random value, whatever it was; StoreError for an unknown account or kind."""
    if kind not in KINDS:
        raise StoreError(f"the key kind {kind!r} does not exist; it must be one of {', '.join(KINDS)}")
    with store.transaction():
        account = find(store, name, resource_group)
        if account is None:
            raise StoreError(
                f"the stand-in cloud has no Cosmos DB account {name!r} in {resource_group!r}; apply one first"
            )
        new = as_key(secrets.token_bytes(KEY_BYTES))
        store.update(TYPE, account["id"], with_key(account, KINDS[kind], new))


def _place(account: Values) -> tuple[str, str]:
    return str(account["name"]).lower(), str(account["resource_group_name"]).lower()
