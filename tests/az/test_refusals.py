"""What Azure refuses, the stand-in refuses in the same words, and the real Azure CLI shows it."""

from __future__ import annotations

import time

import pytest

from tests.az.cloud_under_test import OPERATOR, SUBSCRIPTION, TENANT, CloudUnderTest

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
GRAPH = "https://graph.microsoft.com/v1.0"


@pytest.fixture
def group(cloud: CloudUnderTest) -> str:
    cloud.az("group", "create", "-n", "rg-x", "-l", "uksouth").json()
    return "rg-x"


def test_a_contributor_cannot_assign_roles(cloud: CloudUnderTest) -> None:
    refused = cloud.az(
        "role", "assignment", "create", "--assignee-object-id", str(OPERATOR["object_id"]),
        "--assignee-principal-type", "User", "--role", "Reader", "--scope", SCOPE, who="contributor",
    )  # fmt: skip

    assert refused.status != 0
    assert "AuthorizationFailed" in refused.err
    assert "'Microsoft.Authorization/roleAssignments/write'" in refused.err
    assert "contributor@twin.example" in refused.err


def test_only_a_privileged_role_administrator_assigns_directory_roles(cloud: CloudUnderTest) -> None:
    body = f'{{"principalId": "{OPERATOR["object_id"]}", "roleDefinitionId": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", '
    refused = cloud.az(
        "rest", "--method", "POST", "--uri", f"{GRAPH}/roleManagement/directory/roleAssignments",
        "--body", body + '"directoryScopeId": "/"}', who="contributor",
    )  # fmt: skip

    assert refused.status != 0
    assert "Authorization_RequestDenied" in refused.err


def test_a_storage_account_that_belongs_to_somebody_else_is_refused(cloud: CloudUnderTest, group: str) -> None:
    refused = cloud.az("storage", "account", "create", "-n", "sttaken", "-g", group, "-l", "uksouth")

    assert refused.status != 0
    assert "already taken" in refused.err


def test_blobs_need_a_data_role_and_a_new_one_takes_its_time(cloud: CloudUnderTest, group: str) -> None:
    account = cloud.az("storage", "account", "create", "-n", "stblobs", "-g", group, "-l", "uksouth").json()["id"]
    create = ["storage", "container", "create", "--account-name", "stblobs", "-n", "tfstate", "--auth-mode", "login"]
    assert "do not have the required permissions" in cloud.az(*create).err
    cloud.control("PUT", "/delays", {"roles": 15})
    cloud.az(
        "role", "assignment", "create", "--assignee-object-id", str(OPERATOR["object_id"]),
        "--assignee-principal-type", "User", "--role", "Storage Blob Data Contributor", "--scope", account,
    ).json()  # fmt: skip
    granted = time.monotonic()

    tries = [cloud.quick(*create)]  # a slow machine must not need the whole delay for its first try
    while tries[-1].status and time.monotonic() < granted + 120:
        tries.append(cloud.quick(*create))

    assert tries[0].status != 0
    assert tries[-1].json() == {"created": True}
    assert time.monotonic() - granted >= 3
    cloud.control("PUT", "/delays", {"roles": 0})


def test_a_deleted_vault_keeps_its_name_until_it_is_purged(cloud: CloudUnderTest, group: str) -> None:
    create = ["keyvault", "create", "-n", "kv-x-1", "-g", group, "-l", "uksouth", "--enable-rbac-authorization", "true"]
    cloud.az(*create).json()
    assert cloud.az("keyvault", "delete", "-n", "kv-x-1").status == 0

    assert "deleted state" in cloud.az(*create).err
    assert [v["name"] for v in cloud.az("keyvault", "list-deleted", "--resource-type", "vault").json()] == ["kv-x-1"]
    assert cloud.az("keyvault", "purge", "-n", "kv-x-1").status == 0
    cloud.az(*create).json()


def test_an_unregistered_provider_is_refused_until_it_is_registered(cloud: CloudUnderTest) -> None:
    shown = cloud.az("provider", "show", "-n", "Microsoft.ContainerInstance").json()
    assert shown["registrationState"] == "NotRegistered"

    assert cloud.az("provider", "register", "-n", "Microsoft.ContainerInstance").status == 0

    shown = cloud.az("provider", "show", "-n", "Microsoft.ContainerInstance").json()
    assert shown["registrationState"] == "Registered"


def test_a_registry_gives_tokens_to_those_who_may_pull(cloud: CloudUnderTest, group: str) -> None:
    cloud.az("acr", "create", "-n", "acrtwintest", "-g", group, "--sku", "Premium", "-l", "uksouth").json()

    shown = cloud.az("acr", "login", "-n", "acrtwintest", "--expose-token").json()

    assert shown["loginServer"] == "acrtwintest.azurecr.io"
    assert shown["accessToken"]


def test_tokens_are_of_the_tenant_and_the_resource(cloud: CloudUnderTest) -> None:
    shown = cloud.az("account", "get-access-token", "--resource", "https://storage.azure.com/").json()

    assert shown["tenant"] == TENANT
    assert shown["subscription"] == SUBSCRIPTION
