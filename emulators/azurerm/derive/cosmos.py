"""Cosmos DB accounts: four keys, and the connection strings made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive import IdRule, derives, identifies

KEYS = ("primary", "secondary", "primary_readonly", "secondary_readonly")
KEY_BYTES = 64


@derives("azurerm_cosmosdb_account")
def account(cloud: Cloud, it: Values) -> Mapping[str, Any]:
    name = it["name"]
    endpoint = f"https://{name}.documents.azure.com:443/"
    places = [place["location"] for place in it.get("geo_location") or []]
    regional = [f"https://{name}-{place.replace(' ', '').lower()}.documents.azure.com:443/" for place in places]
    out: dict[str, Any] = {
        "endpoint": endpoint,
        "read_endpoints": regional,
        "write_endpoints": regional if it.get("multiple_write_locations_enabled") else regional[:1],
        "create_mode": "Default",
        "mongo_server_version": "7.0" if it.get("kind") == "MongoDB" else "",
        "geo_location.id": lambda place: f"{name}-{place['location'].replace(' ', '').lower()}",
        "backup.interval_in_minutes": lambda backup: 240 if backup["type"] == "Periodic" else 0,
        "backup.retention_in_hours": lambda backup: 8 if backup["type"] == "Periodic" else 0,
        "backup.storage_redundancy": lambda backup: "Geo" if backup["type"] == "Periodic" else "",
        "backup.tier": lambda backup: "" if backup["type"] == "Periodic" else "Continuous30Days",
    }
    for which in KEYS:
        out |= with_key({**it, "endpoint": endpoint}, which, cloud.secret(it["id"], which, size=KEY_BYTES))
    return out


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


@derives("azurerm_cosmosdb_mongo_database", "azurerm_cosmosdb_mongo_collection")
def container(_: Cloud, it: Values) -> Mapping[str, Any]:
    scaled = it.get("autoscale_settings")
    return {"throughput": None, "autoscale_settings.max_throughput": 1000 if scaled else None, "system_indexes": []}


def _numbered(collection: str, *parts: str) -> IdRule:
    """An account's role definitions and assignments are numbered; the number may be given as `name`."""

    def rule(cloud: Cloud, it: Values, _: int) -> str:
        group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{it['resource_group_name']}"
        given = it.get("name" if collection == "sqlRoleAssignments" else "role_definition_id")
        number = given if isinstance(given, str) else guid(collection, *(str(it[part]) for part in parts))
        return f"{group}/providers/Microsoft.DocumentDB/databaseAccounts/{it['account_name']}/{collection}/{number}"

    return rule


identifies("azurerm_cosmosdb_sql_role_assignment")(
    _numbered("sqlRoleAssignments", "scope", "principal_id", "role_definition_id")
)
identifies("azurerm_cosmosdb_sql_role_definition")(_numbered("sqlRoleDefinitions", "account_name", "name"))
