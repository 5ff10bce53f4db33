"""Connection strings of the local Cosmos DB accounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from database_account import with_database_account
from pymongo.uri_parser import parse_uri

from emulators.azurerm import account_keys
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive import cosmos
from emulators.azurerm.store import Store
from emulators.azurerm.tests.conftest import Applied
from emulators.base.errors import ProviderError


@pytest.mark.parametrize("number", range(5))
def test_every_connection_string_opens_as_it_is(tmp_path: Path, number: int) -> None:
    """Drivers refuse a bare slash in a password, and Azure's keys have none."""
    values = cosmos.account(
        Cloud(Store(tmp_path / "cloud.json")), {"id": f"/accounts/{number}", "name": "cosmos-mcp", "kind": "MongoDB"}
    )
    for which in cosmos.KEYS:
        parsed = parse_uri(values[f"{which}_mongodb_connection_string"])
        assert (parsed["username"], parsed["password"]) == ("cosmos-mcp", values[f"{which}_key"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return with_database_account(tmp_path / "cloud.json", capabilities=[{"name": "EnableMongo"}])


@pytest.mark.parametrize(("kind", "which"), account_keys.KINDS.items())
def test_one_key_and_its_connection_strings_change_and_nothing_else(store: Store, kind: str, which: str) -> None:
    (before,) = store.of_type(account_keys.TYPE)
    account_keys.regenerate(store, "COSMOS-mcp", "RG-mcp", kind)
    (after,) = Store(store.path).of_type(account_keys.TYPE)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"{which}_key", f"{which}_sql_connection_string", f"{which}_mongodb_connection_string"}
    assert len(after[f"{which}_key"]) == len(before[f"{which}_key"])
    assert parse_uri(after[f"{which}_mongodb_connection_string"])["password"] == after[f"{which}_key"]


def test_every_time_it_is_another_value(store: Store) -> None:
    seen = set()
    for _ in range(3):
        account_keys.regenerate(store, "cosmos-mcp", "rg-mcp", "primary")
        seen.add(store.of_type(account_keys.TYPE)[0]["primary_key"])
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("name", "group", "kind", "sentence"),
    [
        ("cosmos-mcp", "rg-mcp", "tertiary", "'tertiary' does not exist; it must be one of primary, secondary"),
        ("other", "rg-mcp", "primary", "has no Cosmos DB account 'other' in 'rg-mcp'; run `invoke deploy` first"),
        ("cosmos-mcp", "rg-other", "primary", "has no Cosmos DB account"),
    ],
)
def test_what_does_not_exist_is_named(store: Store, name: str, group: str, kind: str, sentence: str) -> None:
    before = store.of_type(account_keys.TYPE)
    with pytest.raises(ProviderError, match=sentence):
        account_keys.regenerate(store, name, group, kind)
    assert store.of_type(account_keys.TYPE) == before


def test_who_shares_throughput_is_sharded(applied: Applied) -> None:
    """A collection takes part in its database's throughput with a shard key, or has an amount of its own."""
    where = {"resource_group_name": "rg", "account_name": "cosmos"}
    applied("azurerm_resource_group", name="rg", location="westeurope")
    place = {"location": "westeurope", "failover_priority": 0}
    account = {"offer_type": "Standard", "kind": "MongoDB", "geo_location": [place], "location": "westeurope"}
    applied("azurerm_cosmosdb_account", name="cosmos", resource_group_name="rg", **account)
    applied("azurerm_cosmosdb_mongo_database", **where, name="d", throughput=400)
    collection = {**where, "database_name": "d", "index": [{"keys": ["_id"], "unique": True}]}
    with pytest.raises(ProviderError, match="'plain' shares the throughput of database 'd' and has no `shard_key`"):
        applied("azurerm_cosmosdb_mongo_collection", **collection, name="plain")
    applied("azurerm_cosmosdb_mongo_collection", **collection, name="sharded", shard_key="service")
    applied("azurerm_cosmosdb_mongo_collection", **collection, name="own", throughput=400)
