"""The keys of Cosmos DB accounts ("Microsoft.DocumentDB").

The accounts are those that Terraform made: the stand-in provider's file has them, so what is regenerated here is what
the next `terraform plan` sees.
"""

from __future__ import annotations

from typing import Any

from emulators.arm.call import Answer, Call
from emulators.arm.cloud import Cloud, group_of
from emulators.arm.errors import bad_request, not_found
from emulators.arm.routing import Route
from emulators.arm.services.common import GROUP
from emulators.base import account_keys
from emulators.base.store import Store

TYPE = "Microsoft.DocumentDB/databaseAccounts"


def _account(cloud: Cloud, call: Call) -> tuple[Store, dict[str, Any]]:
    path = call.path.rsplit("/", 1)[0]
    found = account_keys.find(cloud.applied, call["name"], call["group"]) if cloud.applied else None
    if cloud.applied is None or found is None:
        raise not_found(path, group_of(path))
    return cloud.applied, found


def list_keys(cloud: Cloud, call: Call) -> Answer:
    """As "Database Accounts - List Keys" answers."""
    _, account = _account(cloud, call)
    return Answer({f"{kind}MasterKey": account[f"{which}_key"] for kind, which in account_keys.KINDS.items()})


def regenerate_key(cloud: Cloud, call: Call) -> Answer:
    """As "Database Accounts - Regenerate Key", but done at once: Azure answers 202 and takes minutes."""
    store, account = _account(cloud, call)
    kind = str(call.document().get("keyKind"))
    if kind not in account_keys.KINDS:
        raise bad_request("BadRequest", f"The key kind {kind!r} must be one of {', '.join(account_keys.KINDS)}.")
    account_keys.regenerate(store, account["name"], account["resource_group_name"], kind)
    return Answer()


_ACCOUNT = f"{GROUP}/providers/{TYPE}/{{name}}"

ROUTES = (
    Route(
        "POST",
        f"{_ACCOUNT}/listKeys",
        list_keys,
        f"{TYPE}/listKeys/action",
        scope=_ACCOUNT,
        page="Database Accounts - List Keys, 2026-03-15",
    ),
    Route(
        "POST",
        f"{_ACCOUNT}/regenerateKey",
        regenerate_key,
        f"{TYPE}/regenerateKey/action",
        scope=_ACCOUNT,
        page="Database Accounts - Regenerate Key, 2026-03-15",
    ),
)
