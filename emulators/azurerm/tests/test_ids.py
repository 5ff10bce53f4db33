"""Ids have the form that each service gives them."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.azurerm.catalog import catalog_of
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.ids import identify
from emulators.azurerm.lifecycle import apply, seed
from emulators.azurerm.planning import plan
from emulators.azurerm.tests.conftest import Applied
from emulators.azurerm.values import empty

GROUP = "/subscriptions/sub/resourceGroups/rg"
APIM = f"{GROUP}/providers/Microsoft.ApiManagement/service/apim"
ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/mcp.internal"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/KV-One"
APPLICATION, CLIENT = "11111111-aaaa-4aaa-8aaa-000000000051", "11111111-aaaa-4aaa-8aaa-000000000052"
IN_APIM = {"resource_group_name": "rg", "api_management_name": "apim"}


@pytest.mark.parametrize(
    ("type_", "arguments", "expected"),
    [
        ("azurerm_resource_group", {"name": "rg"}, GROUP),
        (
            "azurerm_subnet",
            {"name": "s", "resource_group_name": "rg", "virtual_network_name": "vnet"},
            f"{VNET}/subnets/s",
        ),
        ("azurerm_api_management_api", {**IN_APIM, "name": "mongodb", "revision": "1"}, f"{APIM}/apis/mongodb;rev=1"),
        (
            "azurerm_api_management_api_operation",
            {**IN_APIM, "api_name": "mongodb", "operation_id": "post", "display_name": "Post", "method": "POST"},
            f"{APIM}/apis/mongodb/operations/post",
        ),
        ("azurerm_api_management_api_policy", {**IN_APIM, "api_name": "mongodb"}, f"{APIM}/apis/mongodb"),
        ("azurerm_api_management_product", {**IN_APIM, "product_id": "p", "display_name": "P"}, f"{APIM}/products/p"),
        (
            "azurerm_api_management_policy_fragment",
            {"api_management_id": APIM, "name": "f"},
            f"{APIM}/policyFragments/f",
        ),
        ("azurerm_api_management_policy", {"api_management_id": APIM}, APIM),
        ("azurerm_private_dns_a_record", {"private_dns_zone_id": ZONE, "name": "a"}, f"{ZONE}/A/a"),
        ("azurerm_private_dns_cname_record", {"private_dns_zone_id": ZONE, "name": "a"}, f"{ZONE}/CNAME/a"),
        (
            "azurerm_private_dns_zone_virtual_network_link",
            {"private_dns_zone_id": ZONE, "virtual_network_id": VNET, "name": "l"},
            f"{ZONE}/virtualNetworkLinks/l",
        ),
        (
            "azurerm_virtual_network_peering",
            {
                "name": "p",
                "resource_group_name": "rg",
                "virtual_network_name": "vnet",
                "remote_virtual_network_id": "/x",
            },
            f"{VNET}/virtualNetworkPeerings/p",
        ),
        (
            "azurerm_subnet_network_security_group_association",
            {"subnet_id": f"{VNET}/subnets/s", "network_security_group_id": f"{GROUP}/providers/N/n/x"},
            f"{VNET}/subnets/s",
        ),
        (
            "azurerm_cosmosdb_mongo_collection",
            {"name": "c", "resource_group_name": "rg", "account_name": "acct", "database_name": "db"},
            f"{GROUP}/providers/Microsoft.DocumentDB/databaseAccounts/acct/mongodbDatabases/db/collections/c",
        ),
        ("azurerm_monitor_diagnostic_setting", {"target_resource_id": APIM, "name": "d"}, f"{APIM}|d"),
        (
            "azuread_application_pre_authorized",
            {"application_id": f"/applications/{APPLICATION}", "authorized_client_id": CLIENT},
            f"{APPLICATION}/preAuthorizedApplication/{CLIENT}",
        ),
        (
            "azurerm_management_lock",
            {"scope": GROUP, "name": "l"},
            f"{GROUP}/providers/Microsoft.Authorization/locks/l",
        ),
    ],
)
def test_names_make_the_id(cloud: Cloud, type_: str, arguments: dict[str, Any], expected: str) -> None:
    """An id is found again by whoever knows the names."""
    assert identify(cloud, type_, arguments) == expected


def test_secrets_are_known_by_url(applied: Applied) -> None:
    """A secret's id is its versioned address in the vault; another value is another version."""
    secret = applied("azurerm_key_vault_secret", name="uri", key_vault_id=VAULT, value="a")
    assert secret["id"] == f"https://kv-one.vault.azure.net/secrets/uri/{secret['version']}"
    assert secret["versionless_id"] == "https://kv-one.vault.azure.net/secrets/uri"
    assert secret["resource_versionless_id"] == f"{VAULT}/secrets/uri"
    other = applied("azurerm_key_vault_secret", name="uri", key_vault_id=VAULT, value="b")
    assert other["version"] != secret["version"]


def test_identical_twins_are_two_objects(applied: Applied) -> None:
    """`count = 2` of a group makes two groups."""
    first, second = (applied("azuread_group", display_name="g", security_enabled=True) for _ in range(2))
    assert first["object_id"] != second["object_id"]
    assert first["id"] == f"/groups/{first['object_id']}"


def test_an_interrupted_apply_is_repeated(cloud: Cloud, applied: Applied) -> None:
    """What the store holds but no state does is adopted: same id, same object."""
    first = applied("azuread_group", display_name="g", security_enabled=True)
    cloud.begin("azuread")
    assert applied("azuread_group", display_name="g", security_enabled=True)["id"] == first["id"]
    assert len(cloud.store.of_type("azuread_group")) == 1


def test_one_name_is_one_object(cloud: Cloud, applied: Applied) -> None:
    """Two resources of one command cannot have one id; the next command adopts what was left, if it is the same."""
    network = {"name": "v", "resource_group_name": "rg", "location": "westeurope"}
    applied("azurerm_virtual_network", **network)
    with pytest.raises(ProviderError, match="already exists - to be managed via Terraform this resource needs to be"):
        applied("azurerm_virtual_network", **network)
    cloud.begin("azurerm")
    with pytest.raises(ProviderError, match="already exists"):
        applied("azurerm_virtual_network", **network, tags={"owner": "somebody else"})
    applied("azurerm_virtual_network", **network)
    assert len(cloud.store.of_type("azurerm_virtual_network")) == 1


def test_what_a_state_holds_is_not_adopted(cloud: Cloud, applied: Applied) -> None:
    """Once Terraform has read an object from a state, another root must import it, in later sessions too."""
    network = {"name": "v", "resource_group_name": "rg", "location": "westeurope"}
    made = applied("azurerm_virtual_network", **network)
    cloud.claim("azurerm_virtual_network", made["id"])
    cloud.save_claims()
    later = Cloud(cloud.store, subscription_id="sub")
    config = {**empty(catalog_of("azurerm_virtual_network").resource("azurerm_virtual_network")["block"]), **network}
    planned = plan("azurerm_virtual_network", None, config).planned or {}
    with pytest.raises(ProviderError, match="needs to be imported"):
        apply(later, "azurerm_virtual_network", None, planned, config)


def test_a_seeded_object_has_to_be_imported(cloud: Cloud, applied: Applied) -> None:
    """What bootstrap made is no remnant of an apply."""
    seed(cloud.store, "azurerm_resource_group", {"name": "rg", "location": "westeurope"}, subscription_id="sub")
    with pytest.raises(ProviderError, match="already exists"):
        applied("azurerm_resource_group", name="rg", location="westeurope")
