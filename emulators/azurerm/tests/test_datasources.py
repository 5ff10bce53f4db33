"""Data sources answer with what was applied, and say what is missing."""

from __future__ import annotations

import pytest

from emulators.azurerm.cloud import TENANT_ID, Cloud
from emulators.azurerm.datasources import read_data
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.tests.conftest import Applied
from emulators.base.well_known import GRAPH

IN = {"resource_group_name": "rg", "location": "westeurope"}


def test_stored_objects_are_found_by_their_arguments(cloud: Cloud, applied: Applied) -> None:
    """Names are compared as Resource Manager does: without regard to case."""
    applied("azurerm_container_registry", name="acrone", **IN, sku="Basic")
    two = applied("azurerm_container_registry", name="acrtwo", **IN, sku="Premium")
    found = read_data(cloud, "azurerm_container_registry", {"name": "ACRTWO", "resource_group_name": "RG"})
    assert (found["id"], found["login_server"], found["sku"]) == (two["id"], "acrtwo.azurecr.io", "Premium")


def test_names_that_differ_are_translated(cloud: Cloud, applied: Applied) -> None:
    """A data source's own attributes are filled from the object."""
    applied(
        "azurerm_subnet", name="s", resource_group_name="rg", virtual_network_name="v", address_prefixes=["10.0.0.0/24"]
    )
    where = {"name": "s", "resource_group_name": "rg", "virtual_network_name": "v"}
    assert read_data(cloud, "azurerm_subnet", where)["address_prefix"] == "10.0.0.0/24"


def test_a_service_says_what_it_answers_to(cloud: Cloud, applied: Applied) -> None:
    """Its own name always, and a domain with the certificate that it was given."""
    gateway = applied("azurerm_api_management", name="apim", **IN, sku_name="Developer_1")
    where = {"name": "apim", "resource_group_name": "rg"}

    def names() -> list[tuple[str, str]]:
        (hosts,) = read_data(cloud, "azurerm_api_management", where)["hostname_configuration"]
        return [(host["host_name"], host["key_vault_certificate_id"]) for host in hosts["proxy"]]

    assert names() == [("apim.azure-api.net", "")]
    domain = {"host_name": "mcp.example.com", "key_vault_certificate_id": "https://kv.vault.azure.net/secrets/mcp"}
    applied("azurerm_api_management_custom_domain", api_management_id=gateway["id"], gateway=[domain])
    assert names()[1:] == [tuple(domain.values())]


def test_what_is_missing_is_named(cloud: Cloud) -> None:
    """The arguments that found nothing are in the message."""
    with pytest.raises(ProviderError, match=r"key vault \(name = 'kv', resource_group_name = 'rg'\) was not found"):
        read_data(cloud, "azurerm_key_vault", {"name": "kv", "resource_group_name": "rg"})


def test_unsupported_data_sources_are_refused_by_name(cloud: Cloud) -> None:
    """There is no object that could answer for Azure's own list of addresses."""
    with pytest.raises(ProviderError, match="azurerm_network_service_tags is not supported"):
        read_data(cloud, "azurerm_network_service_tags", {"service": "Storage", "location": "uksouth"})


def test_a_group_s_resources_are_listed(cloud: Cloud, applied: Applied) -> None:
    """By type and tags, what lies in the group itself and not in another object; none is an empty list."""
    where = {"resource_group_name": "rg", "location": "uksouth"}
    applied("azurerm_resource_group", name="rg", location="uksouth")
    applied("azurerm_user_assigned_identity", name="id-ours", **where, tags={"deployment": "mcp", "tier": "reader"})
    applied("azurerm_user_assigned_identity", name="id-theirs", **where, tags={"deployment": "other"})
    wanted = {
        "resource_group_name": "rg",
        "type": "microsoft.managedidentity/userAssignedIdentities",
        "required_tags": {"deployment": "mcp"},
    }
    assert [one["name"] for one in read_data(cloud, "azurerm_resources", wanted)["resources"]] == ["id-ours"]
    everything = read_data(cloud, "azurerm_resources", {"resource_group_name": "rg"})["resources"]
    assert {one["name"] for one in everything} == {"id-ours", "id-theirs"}
    assert read_data(cloud, "azurerm_resources", {**wanted, "resource_group_name": "elsewhere"})["resources"] == []


def test_the_deployer_is_known(cloud: Cloud) -> None:
    """Both providers say who deploys, in which tenant."""
    for type_ in ("azurerm_client_config", "azuread_client_config"):
        found = read_data(cloud, type_, {})
        assert (found["tenant_id"], found["object_id"]) == (TENANT_ID, cloud.object_id)
    assert read_data(cloud, "azurerm_subscription", {})["id"] == "/subscriptions/sub"


def test_microsoft_graph_is_in_every_tenant(cloud: Cloud) -> None:
    """Its service principal is found by client id, with the well-known numbers of its permissions."""
    graph = read_data(cloud, "azuread_service_principal", {"client_id": GRAPH})
    assert graph["display_name"] == "Microsoft Graph"
    assert graph["oauth2_permission_scope_ids"]["User.Read"] == "e1fe6dd8-ba31-4d61-89e7-88639da4683d"


def test_built_in_roles_have_their_numbers(cloud: Cloud) -> None:
    """A role is found by its name; one that does not exist is not."""
    found = read_data(cloud, "azurerm_role_definition", {"name": "AcrPull", "scope": "/subscriptions/sub"})
    assert found["role_definition_id"] == "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    with pytest.raises(ProviderError, match="was not found"):
        read_data(cloud, "azurerm_role_definition", {"name": "AcrPul"})


def test_applications_are_found_by_identifier_uri(cloud: Cloud, applied: Applied) -> None:
    """One of several identifier URIs is enough."""
    app = applied("azuread_application", display_name="api", identifier_uris=["api://one", "api://two"])
    assert read_data(cloud, "azuread_application", {"identifier_uri": "api://two"})["client_id"] == app["client_id"]


def test_the_three_users_can_be_looked_up(cloud: Cloud) -> None:
    """By name or by object id."""
    found = read_data(cloud, "azuread_user", {"user_principal_name": "admin@twin.example"})
    assert found["object_id"] == "11111111-aaaa-4aaa-8aaa-000000000001"
    several = read_data(cloud, "azuread_users", {"object_ids": [found["object_id"]]})
    assert several["user_principal_names"] == ["admin@twin.example"]
