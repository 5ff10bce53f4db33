"""Vault and registry by the real Azure CLI: from a listed address, from another one, and from inside the network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.base.store import Store
from ops.azure import refusals
from tests.az.cloud_under_test import OPERATOR, CloudUnderTest, Result

LISTED, OTHER, INSIDE = "203.0.113.7", "198.51.100.9", "10.60.0.70"
VAULT, REGISTRY = "kv-closed-x", "acrclosedx"


@pytest.fixture
def closed(cloud: CloudUnderTest) -> Iterator[CloudUnderTest]:
    """A vault and a registry that list one address, and one who may read and push."""
    cloud.quick("group", "create", "-n", "rg-net", "-l", "uksouth").json()
    rules = ("--default-action", "Deny")
    vault = ("keyvault", "create", "-n", VAULT, "-g", "rg-net", "-l", "uksouth", "--enable-rbac-authorization", "true")
    made = cloud.quick(*vault, *rules, "--network-acls-ips", LISTED).json()
    role = ("--role", "Key Vault Secrets Officer", "--assignee-object-id", OPERATOR["object_id"])
    cloud.quick(
        *("role", "assignment", "create", *role, "--assignee-principal-type", "User", "--scope", made["id"])
    ).json()
    registry = ("acr", "create", "-n", REGISTRY, "-g", "rg-net", "-l", "uksouth", "--sku", "Premium")
    cloud.quick(*registry, *rules, "--allow-trusted-services", "false").json()
    yield cloud
    cloud.addresses.clear()


def secrets(cloud: CloudUnderTest, address: str) -> Result:
    cloud.addresses["operator"] = address
    return cloud.quick("keyvault", "secret", "list", "--vault-name", VAULT)


def login(cloud: CloudUnderTest, address: str) -> Result:
    cloud.addresses["operator"] = address
    return cloud.quick("acr", "login", "-n", REGISTRY, "--expose-token")


def test_a_listed_address_reads_secrets_and_another_is_told_of_the_network(closed: CloudUnderTest) -> None:
    """No word of roles, which nobody would find missing."""
    assert secrets(closed, LISTED).status == 0
    refused = secrets(closed, OTHER)
    assert refused.status != 0
    assert f"Client address: {OTHER}" in refused.err
    assert refusals.of(refused.err).kind == "network"


def test_a_registrys_firewall_is_no_missing_sign_in(closed: CloudUnderTest) -> None:
    """The Azure CLI advises `az login` there, which changes nothing."""
    refused = login(closed, OTHER)
    assert refused.status != 0
    assert refusals.of(refused.err).kind == "network", refused.err


def test_a_private_endpoint_lets_the_inside_in(closed: CloudUnderTest) -> None:
    store = Store(closed.provider_store)
    target = closed.quick("keyvault", "show", "-n", VAULT, "-g", "rg-net", "--query", "id").json()
    assert secrets(closed, INSIDE).status != 0
    connection = [{"private_connection_resource_id": target}]
    store.put("azurerm_private_endpoint", {"id": "/pe-closed", "private_service_connection": connection})
    try:
        assert secrets(closed, INSIDE).status == 0
        assert secrets(closed, OTHER).status != 0
    finally:
        store.remove("azurerm_private_endpoint", "/pe-closed")
