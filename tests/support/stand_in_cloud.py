"""What tests put into the stand-in provider's cloud, or change in it behind Terraform's back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twin.provider import Store, account_keys

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


def move_container(path: Path, name: str) -> None:
    """What Azure may do at a restart: another address than the one that Terraform wrote into DNS."""
    cloud = json.loads(path.read_text(encoding="utf-8"))
    moved = next(group for group in cloud["objects"]["azurerm_container_group"].values() if group["name"] == name)
    moved["ip_address"] = moved["ip_address"].rpartition(".")[0] + ".200"
    path.write_text(json.dumps(cloud), encoding="utf-8")
