"""A small applied state, as stage 1 and stage 2 leave it: one server, two tiers, one gateway, one database."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emulators.base.files import write_json
from emulators.base.state import Resource, State

TENANT = "0f5a6d3e-1111-4222-8333-444455556666"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-mcp"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-mcp"
ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/mcp.internal"
DATABASE_ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.mongo.cosmos.azure.com"
ACCOUNT = f"{GROUP}/providers/Microsoft.DocumentDB/databaseAccounts/cosmos-mcp"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/acrmcp"
SECURITY_GROUP = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg-containers"
DIGEST = "sha256:" + "ab" * 32
ACCOUNT_URI = (
    "mongodb://cosmos-mcp:{key}@cosmos-mcp.mongo.cosmos.azure.com:10255/?ssl=true&replicaSet=globaldb"
    "&retrywrites=false&maxIdleTimeMS=120000&appName=@cosmos-mcp@"
)

Edit = Callable[[dict[str, dict[str, Any]]], None]


def identity_id(name: str) -> str:
    return f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"


def build(edit: Edit | None = None) -> State:
    """The state after `edit` has changed its resources in place: {address: values}."""
    resources = _shared() | _tier("admin", "10.20.2.4", "rw+key==") | _tier("reader", "10.20.2.5", "ro+key==")
    resources = copy.deepcopy(resources)
    if edit is not None:
        edit(resources)
    return State(tuple(Resource(address, address.split(".")[0], values) for address, values in resources.items()))


def fill_image_store(home: Path, python: str = "venv/bin/python", **overrides: Any) -> None:
    """What `invoke push` leaves for the one image of this state; `python` is below `home`, or empty."""
    if python:
        (home / python).parent.mkdir(parents=True, exist_ok=True)
        (home / python).touch()
    folder = home / "images" / "mongodb-mcp"
    image = {
        "digest": DIGEST,
        "entrypoint": ["python", "-m", "mongo_db_server"],
        "python": str(home / python) if python else "",
        "path": ["/code"],
        **overrides,
    }
    write_json(folder / "tags.json", {"0.1.0": DIGEST})
    write_json(folder / DIGEST.removeprefix("sha256:") / "image.json", image)


def _identity(name: str, number: int) -> dict[str, Any]:
    return {
        "id": identity_id(name),
        "name": name,
        "client_id": f"c0000000-0000-4000-8000-00000000000{number}",
        "principal_id": f"d0000000-0000-4000-8000-00000000000{number}",
        "tenant_id": TENANT,
    }


def _shared() -> dict[str, dict[str, Any]]:
    return {**_registry(), **_network(), **_gateway(), **_database()}


def _registry() -> dict[str, dict[str, Any]]:
    return {
        "azurerm_container_registry.this": {
            "id": REGISTRY,
            "login_server": "acrmcp.azurecr.io",
            "sku": "Premium",
            "public_network_access_enabled": False,
            "network_rule_bypass_option": "AzureServices",
            "role_assignment_mode": "LegacyRegistryPermissions",
        },
        "azurerm_user_assigned_identity.gateway": _identity("id-gateway", 1),
        "azurerm_user_assigned_identity.admin": _identity("id-admin", 2),
        "azurerm_user_assigned_identity.reader": _identity("id-reader", 3),
    }


def _network() -> dict[str, dict[str, Any]]:
    return {
        "azurerm_virtual_network.this": {"id": NETWORK, "address_space": ["10.20.0.0/16"]},
        "azurerm_subnet.gateway": {"id": f"{NETWORK}/subnets/snet-apim", "address_prefixes": ["10.20.1.0/24"]},
        "azurerm_subnet.containers": {"id": f"{NETWORK}/subnets/snet-aci", "address_prefixes": ["10.20.2.0/24"]},
        "azurerm_network_security_group.containers": {
            "id": SECURITY_GROUP,
            "name": "nsg-containers",
            "resource_group_name": "rg-mcp",
            "security_rule": [
                rule("gateway", 100, "Allow", "10.20.1.0/24", "8000"),
                rule("nothing-else", 4096, "Deny", "*", "*"),
            ],
        },
        "azurerm_subnet_network_security_group_association.containers": {
            "subnet_id": f"{NETWORK}/subnets/snet-aci",
            "network_security_group_id": SECURITY_GROUP,
        },
        "azurerm_private_dns_zone.this": {"id": ZONE, "name": "mcp.internal"},
        "azurerm_private_dns_zone_virtual_network_link.this": {
            "private_dns_zone_id": ZONE,
            "virtual_network_id": NETWORK,
        },
    }


def _gateway() -> dict[str, dict[str, Any]]:
    return {
        "azurerm_api_management.this": {
            "id": f"{GROUP}/providers/Microsoft.ApiManagement/service/apim-mcp",
            "identity": [{"type": "UserAssigned", "identity_ids": [identity_id("id-gateway")]}],
            "virtual_network_configuration": [{"subnet_id": f"{NETWORK}/subnets/snet-apim"}],
        },
        "azurerm_api_management_api.mongodb": {"name": "mongodb", "path": "mongodb"},
        "azurerm_api_management_named_value.key": {
            "name": "key",
            "value_from_key_vault": [{"secret_id": "https://kv-mcp.vault.azure.net/secrets/partner"}],
        },
        "azurerm_key_vault_secret.partner": {
            "name": "partner",
            "versionless_id": "https://kv-mcp.vault.azure.net/secrets/partner",
        },
        "azurerm_key_vault_secret.database": {
            "name": "partner-2",
            "versionless_id": "https://kv-mcp.vault.azure.net/secrets/partner-2",
        },
        "azuread_application.api": {"client_id": "a0000000-0000-4000-8000-000000000001"},
    }


def _database() -> dict[str, dict[str, Any]]:
    return {
        "azurerm_cosmosdb_account.this": {
            "id": ACCOUNT,
            "name": "cosmos-mcp",
            "capabilities": [{"name": "EnableMongo"}],
            "public_network_access_enabled": False,
            "primary_key": "rw+key==",
            "secondary_key": "rw2",
            "primary_readonly_key": "ro+key==",
            "secondary_readonly_key": "ro2",
        },
        "azurerm_private_endpoint.database": {
            "private_service_connection": [
                {"private_connection_resource_id": ACCOUNT, "subresource_names": ["MongoDB"]}
            ],
            "private_dns_zone_group": [{"private_dns_zone_ids": [DATABASE_ZONE]}],
        },
        "azurerm_private_dns_zone.database": {"id": DATABASE_ZONE, "name": "privatelink.mongo.cosmos.azure.com"},
        "azurerm_private_dns_zone_virtual_network_link.database": {
            "private_dns_zone_id": DATABASE_ZONE,
            "virtual_network_id": NETWORK,
        },
    }


def rule(name: str, priority: int, access: str, source: str, port: str) -> dict[str, Any]:
    return {
        "name": name,
        "priority": priority,
        "access": access,
        "direction": "Inbound",
        "protocol": "Tcp" if access == "Allow" else "*",
        "source_address_prefix": source,
        "source_address_prefixes": [],
        "destination_address_prefix": "*",
        "destination_address_prefixes": None,
        "destination_port_range": port,
        "destination_port_ranges": [],
    }


def _tier(tier: str, address: str, key: str) -> dict[str, dict[str, Any]]:
    name = f"mongodb-{tier}-a"
    return {
        f"azurerm_role_assignment.{tier}": {
            "scope": REGISTRY,
            "role_definition_name": "AcrPull",
            "principal_id": _identity("", 2 if tier == "admin" else 3)["principal_id"],
        },
        f"azurerm_container_group.{tier}": {
            "name": f"aci-{name}",
            "ip_address": address,
            "restart_policy": "Always",
            "subnet_ids": [f"{NETWORK}/subnets/snet-aci"],
            "identity": [{"type": "UserAssigned", "identity_ids": [identity_id(f"id-{tier}")]}],
            "image_registry_credential": [
                {"server": "acrmcp.azurecr.io", "user_assigned_identity_id": identity_id(f"id-{tier}")}
            ],
            "container": [_container(tier, name, key)],
        },
        f"azurerm_private_dns_a_record.{tier}": {
            "name": name,
            "private_dns_zone_id": ZONE,
            "records": [address],
        },
        f"azurerm_api_management_backend.{tier}": {"name": name, "url": f"http://{name}.mcp.internal:8000"},
    }


def _container(tier: str, name: str, key: str) -> dict[str, Any]:
    return {
        "name": "server",
        "image": "acrmcp.azurecr.io/mongodb-mcp:0.1.0",
        "ports": [{"port": 8000, "protocol": "TCP"}],
        "commands": None,
        "environment_variables": {"PORT": "8000", "MCP_TIER": tier, "MCP_ALLOWED_HOSTS": f"{name}.mcp.internal:8000"},
        "secure_environment_variables": {"MONGODB_URI": ACCOUNT_URI.format(key=key)},
        "volume": [],
    }
