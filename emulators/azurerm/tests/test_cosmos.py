"""Connection strings of the local Cosmos DB accounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymongo.uri_parser import parse_uri

from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive import cosmos
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.tests.conftest import Applied
from emulators.base.account_keys import KINDS
from emulators.base.store import Store


@pytest.mark.parametrize("number", range(5))
def test_every_connection_string_opens_as_it_is(tmp_path: Path, number: int) -> None:
    """Drivers refuse a bare slash in a password, and Azure's keys have none."""
    values = cosmos.account(
        Cloud(Store(tmp_path / "cloud.json")), {"id": f"/accounts/{number}", "name": "cosmos-mcp", "kind": "MongoDB"}
    )
    for which in KINDS.values():
        parsed = parse_uri(values[f"{which}_mongodb_connection_string"])
        assert (parsed["username"], parsed["password"]) == ("cosmos-mcp", values[f"{which}_key"])


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
