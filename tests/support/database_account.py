"""A stand-in cloud in which Terraform made a database account, for tests of its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulators.azurerm import Store, account_keys

ACCOUNT = "cosmos-mcp"
GROUP = "rg-mcp"


def with_database_account(path: Path, **more: Any) -> Store:
    """A cloud in which Terraform made one Cosmos DB account, `ACCOUNT` in `GROUP`."""
    store = Store(path)
    store.seed("azurerm_resource_group", {"name": GROUP, "location": "uksouth"})
    account = {
        "name": ACCOUNT,
        "resource_group_name": GROUP,
        "location": "uksouth",
        "offer_type": "Standard",
        "kind": "MongoDB",
        "consistency_policy": [{"consistency_level": "Session"}],
        "geo_location": [{"location": "uksouth", "failover_priority": 0}],
    }
    store.seed(account_keys.TYPE, {**account, **more})
    return store
