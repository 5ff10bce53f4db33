"""A bootstrap that was killed anywhere is finished by the next run, and the one after that changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.az.project_under_test import Project
from tests.az.test_bootstrap import roles

GITHUB = ("--github", "contoso/mcp", "--github-subject", "branch:main", "--github-subject", "pull_request")
ARM, GRAPH, BLOBS = "management.azure.com", "graph.microsoft.com", ".blob.core.windows.net"
DEATHS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "with a resource group and nothing in it": (
        {"method": "PUT", "host": ARM, "path": "/userAssignedIdentities/id-boot$"},
        set(),
    ),
    "with an identity that nobody may sign in as": (
        {"method": "PUT", "host": ARM, "path": "/federatedIdentityCredentials/github-branch-main$"},
        {"id-boot"},
    ),
    "with one of two federated credentials": (
        {"method": "PUT", "host": ARM, "path": "/federatedIdentityCredentials/github-pull-request$"},
        {"id-boot", "github-branch-main"},
    ),
    "with one of two roles": (
        {"method": "PUT", "host": ARM, "path": "/roleAssignments/", "skip": 1},
        {"id-boot", "github-branch-main", "github-pull-request"},
    ),
    "with a storage account that keeps no versions": (
        {"method": "PUT", "host": ARM, "path": "/blobServices/default$"},
        {"id-boot", "github-branch-main", "github-pull-request", "{account}"},
    ),
    "with a storage account without container": (
        {"method": "PUT", "host": BLOBS, "path": "^/tfstate$"},
        {"id-boot", "github-branch-main", "github-pull-request", "{account}", "default"},
    ),
}


@pytest.mark.parametrize("where", DEATHS)
def test_a_run_that_died_is_finished_by_the_next(project: Project, where: str) -> None:
    """Killed while the next request was on its way, which was never carried out."""
    fault, there = DEATHS[where]
    project.dies_at(fault, *GITHUB)
    half = {d["name"] for d in resources(project)} - {"rg-boot"}
    assert half == {name.format(account=project.account) for name in there}
    already = project.changes()

    second = project.bootstrap(*GITHUB)

    assert second.status == 0, second.err
    assert_complete(project)
    # What the dead run had done is not done again.
    assert len(already) + len(project.changes()) == len(EVERYTHING)
    third = project.bootstrap(*GITHUB)
    assert (third.status, project.changes()) == (0, []), third.err


def test_a_container_whose_account_keeps_no_versions_gets_them(project: Project) -> None:
    """As after the documented commands, which switch nothing on; the rest is in the account already."""
    assert project.bootstrap(*GITHUB).status == 0
    project.cloud.quick(
        "storage", "account", "blob-service-properties", "update", "--account-name", project.account,
        "-g", "rg-boot", "--enable-versioning", "false", "--enable-delete-retention", "false",
    ).json()  # fmt: skip
    project.changes()

    ended = project.bootstrap(*GITHUB)

    assert ended.status == 0, ended.err
    assert "differs: no versions, deleted blobs are kept" in " ".join(ended.err.split())
    assert project.changes() == [f"PUT {ARM}{STORAGE}/blobServices/default"]
    assert_complete(project)


GROUP = "/subscriptions/{subscription}/resourcegroups/{group}"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{{name}}"
EVERYTHING = (
    "group",
    "identity",
    *("credential",) * 2,
    *("role",) * 4,
    "directory role",
    *("permission",) * 3,
    "account",
    "versions",
    "container",
)
"""Requests by which an undisturbed bootstrap changes something."""


def resources(project: Project) -> list[Any]:
    return list(project.cloud.control("GET", "/cloud")["resources"])


def assert_complete(project: Project) -> None:
    made = project.cloud.control("GET", "/cloud")
    names = {d["name"]: d["properties"] for d in made["resources"]}
    assert {"id-boot", "github-branch-main", "github-pull-request", project.account} <= set(names)
    principal = names["id-boot"]["principalId"]
    service = names["default"]
    assert (service["isVersioningEnabled"], service["deleteRetentionPolicy"]["days"]) == (True, 30)
    held = roles(made)
    assert {role for role, holder, _ in held if holder == principal} == {
        "Contributor",
        "User Access Administrator",
        "Storage Blob Data Contributor",
    }
    assert len(made["assignments"]) == len(held)
    assert len([1 for holder, _ in made["directory_roles"] if holder == principal]) == 1
    assert len([1 for holder, _ in made["app_roles"] if holder == principal]) == 3
    place = ("--account-name", project.account, "--name", "tfstate", "--auth-mode", "login")
    assert project.cloud.quick("storage", "container", "exists", *place).json() == {"exists": True}
