"""Vault and registry by the real Azure CLI: from a listed address, from another one, and from inside the network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.base.store import Store
from ops.azure import refusals
from tests.az.cloud_under_test import OPERATOR, SUBSCRIPTION, CloudUnderTest, Result
from tests.az.project_under_test import Project

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


PLACES = {"a listed laptop": LISTED, "a hosted agent": OTHER, "an agent inside": INSIDE}


@pytest.fixture
def docker(tmp_path: Path) -> str:
    """A PATH whose docker program answers `az acr login`, and no engine that would build: what comes before is seen."""
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    program.chmod(0o755)
    return f"{tmp_path}{os.pathsep}"


@pytest.mark.parametrize(("place", "let_in"), [("a listed laptop", True), ("a hosted agent", False)])
def test_push_ends_before_it_builds_where_the_registry_lets_nobody_in(
    project: Project, docker: str, place: str, let_in: bool
) -> None:
    """In one sentence; from a listed address it comes as far as the engine."""
    cloud = project.cloud
    cloud.quick("group", "create", "-n", "rg-boot", "-l", "uksouth").json()
    rules = {"defaultAction": "Deny", "ipRules": [{"action": "Allow", "value": LISTED}]}
    properties = {"networkRuleSet": rules, "networkRuleBypassOptions": "None"}
    body = {"location": "uksouth", "sku": {"name": "Premium"}, "properties": properties}
    group = f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-boot"
    address = f"{group}/providers/Microsoft.ContainerRegistry/registries/acrmcppoddev?api-version=2025-11-01"
    cloud.quick("rest", "--method", "PUT", "--uri", address, "--body", json.dumps(body)).json()
    cloud.addresses["operator"] = PLACES[place]
    try:
        said = push(project, docker)
    finally:
        cloud.addresses.clear()
    assert ("no Docker engine answers" in said) is let_in, said
    assert ("registry acrmcppoddev does not let this machine in" in said) is not let_in, said
    assert not (project.folder / "terraform/environments/dev/images.json").exists()


def push(project: Project, docker: str) -> str:
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    path = docker + project.cloud.environment(forked=True)["PATH"]
    done = project.invoke("push", "--yes", PATH=path, **nowhere)
    assert done.status == 1
    return " ".join(done.err.split())


def test_bootstrap_from_three_places(project: Project) -> None:
    """The first time the account is open. Once it is closed, only the inside goes on, and the others change nothing."""
    cloud = project.cloud
    try:
        cloud.addresses["operator"] = OTHER
        assert project.bootstrap("--without-pipeline").status == 0
        account = ("storage", "account", "update", "-n", project.account, "-g", "rg-boot")
        made = cloud.quick(*account, "--public-network-access", "Disabled").json()
        endpoint = {"id": "/pe-state", "private_service_connection": [{"private_connection_resource_id": made["id"]}]}
        Store(cloud.provider_store).put("azurerm_private_endpoint", endpoint)
        for place, address in PLACES.items():
            cloud.addresses["operator"] = address
            cloud.control("DELETE", "/requests")
            done = project.bootstrap("--without-pipeline")
            assert (place, done.status) == (place, int(address != INSIDE))
            assert address == INSIDE or "does not let this machine in" in " ".join(done.err.split())
            assert project.changes() == [], place
    finally:
        Store(cloud.provider_store).remove("azurerm_private_endpoint", "/pe-state")
        cloud.addresses.clear()
