"""Cosmos DB accounts: endpoints, four keys, and the connection strings made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive.registry import IdRule, derives, identifies
from emulators.base.account_keys import KEY_BYTES, KINDS, with_key


@derives("azurerm_cosmosdb_account")
def account(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    name = values["name"]
    endpoint = f"https://{name}.documents.azure.com:443/"
    places = [place["location"] for place in values.get("geo_location") or []]
    regional = [f"https://{name}-{place.replace(' ', '').lower()}.documents.azure.com:443/" for place in places]
    out: dict[str, Any] = {
        "endpoint": endpoint,
        "read_endpoints": regional,
        "write_endpoints": regional if values.get("multiple_write_locations_enabled") else regional[:1],
        "create_mode": "Default",
        "mongo_server_version": "7.0" if values.get("kind") == "MongoDB" else "",
        "geo_location.id": lambda place: f"{name}-{place['location'].replace(' ', '').lower()}",
        "backup.interval_in_minutes": lambda backup: 240 if backup["type"] == "Periodic" else 0,
        "backup.retention_in_hours": lambda backup: 8 if backup["type"] == "Periodic" else 0,
        "backup.storage_redundancy": lambda backup: "Geo" if backup["type"] == "Periodic" else "",
        "backup.tier": lambda backup: "" if backup["type"] == "Periodic" else "Continuous30Days",
    }
    for which in KINDS.values():
        out |= with_key({**values, "endpoint": endpoint}, which, cloud.secret(values["id"], which, size=KEY_BYTES))
    return out


@derives("azurerm_cosmosdb_mongo_database", "azurerm_cosmosdb_mongo_collection")
def container(_: Cloud, values: Values) -> Mapping[str, Any]:
    scaled = values.get("autoscale_settings")
    return {"throughput": None, "autoscale_settings.max_throughput": 1000 if scaled else None, "system_indexes": []}


def _numbered(collection: str, *parts: str) -> IdRule:
    """An account's role definitions and assignments are numbered; the number may be given as `name`."""

    def rule(cloud: Cloud, values: Values, _: int) -> str:
        group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/{values['resource_group_name']}"
        given = values.get("name" if collection == "sqlRoleAssignments" else "role_definition_id")
        number = given if isinstance(given, str) else guid(collection, *(str(values[part]) for part in parts))
        return f"{group}/providers/Microsoft.DocumentDB/databaseAccounts/{values['account_name']}/{collection}/{number}"

    return rule


identifies("azurerm_cosmosdb_sql_role_assignment")(
    _numbered("sqlRoleAssignments", "scope", "principal_id", "role_definition_id")
)
identifies("azurerm_cosmosdb_sql_role_definition")(_numbered("sqlRoleDefinitions", "account_name", "name"))
