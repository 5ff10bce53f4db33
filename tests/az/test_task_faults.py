"""What goes wrong in Azure, met by the tasks: each ends well after waiting, or says in one sentence what is missing.

Whatever is left undone, a repeat finishes.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.az.cloud_under_test import Result
from tests.az.project_under_test import Project
from tests.az.test_bootstrap import CONNECTION

ARM, GRAPH = "management.azure.com", "graph.microsoft.com"
GROUP: dict[str, Any] = {"method": "PUT", "host": ARM, "path": "/resourcegroups/rg-boot$"}
IDENTITY: dict[str, Any] = {"method": "PUT", "host": ARM, "path": "/userAssignedIdentities/id-boot$"}
MANY = 50
"""More than the Azure CLI tries."""


def identity(project: Project) -> Result:
    return project.invoke("bootstrap.identity", "--yes")


def said(ended: Result) -> str:
    return " ".join(ended.err.split())


def assert_finished_by_a_repeat(project: Project) -> None:
    """And nothing is made twice."""
    project.cloud.control("DELETE", "/faults")
    repeated = identity(project)
    assert repeated.status == 0, repeated.err
    project.changes()
    assert (identity(project).status, project.changes()) == (0, [])


@pytest.mark.parametrize(
    ("fault", "at_least"),
    [
        ({"status": 429, "retry_after": 4}, 4),
        ({"status": 500}, 0),
        ({"status": 409, "code": "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"}, 5),
        ({"status": 504, "after": True, "seconds": 3}, 3),
        ({"drop": True}, 0),
    ],
    ids=["throttled", "server error", "busy", "answer lost", "connection lost"],
)
def test_what_passes_is_waited_for(project: Project, fault: dict[str, Any], at_least: float) -> None:
    project.cloud.control("POST", "/faults", [{**IDENTITY, **fault}])
    started = time.monotonic()

    ended = identity(project)

    assert ended.status == 0, ended.err
    assert time.monotonic() - started >= at_least
    assert project.cloud.control("GET", "/faults")["waiting"] == 0
    assert_finished_by_a_repeat(project)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"status": 403}, "error: `az group create --name` failed: the signed-in account lacks a role; ask for Owner"),
        ({"status": 429, "retry_after": 1}, "`az group create --name` failed: Azure is throttling; wait a minute"),
        ({"status": 500}, "`az group create --name` failed: Azure itself failed or did not answer; run it again"),
        (
            {"status": 403, "code": "RequestDisallowedByPolicy", "message": "Resource was disallowed by policy."},
            "an Azure Policy denies it; ask the subscription's owner for an exemption",
        ),
    ],
    ids=["missing role", "throttled for long", "broken for long", "policy"],
)
def test_what_does_not_pass_is_one_sentence_with_its_remedy(
    project: Project, fault: dict[str, Any], sentence: str
) -> None:
    project.cloud.control("POST", "/faults", [{**GROUP, **fault, "times": MANY}])

    ended = identity(project)

    assert ended.status == 1
    assert sentence in said(ended)
    assert "az says: " in said(ended)
    assert "Traceback" not in ended.err
    assert project.cloud.control("GET", "/cloud")["resources"] == []
    assert_finished_by_a_repeat(project)


def test_a_role_that_is_not_in_force_yet_is_waited_for_with_progress(project: Project) -> None:
    """Azure says up to ten minutes; here it takes twenty seconds from when the role is given."""
    assert identity(project).status == 0
    project.cloud.control("PUT", "/delays", {"roles": 20})

    ended = project.invoke("bootstrap.state", "--yes")

    assert ended.status == 0, ended.err
    assert "waiting for access to the storage account's data (your role is not in force yet)" in said(ended)
    assert "s of at most 600 s" in said(ended)
    assert "access to the storage account's data granted after" in said(ended)


def test_a_new_principal_is_no_obstacle_as_its_kind_is_told(project: Project) -> None:
    """The directory knows it everywhere only later; Azure asks for the kind until then."""
    project.cloud.control("PUT", "/delays", {"directory": 600})
    assert identity(project).status == 0

    ended = project.invoke("bootstrap.federation", "--yes", *CONNECTION)

    assert ended.status == 0, ended.err


def test_what_azure_does_not_know_yet_is_tried_again_with_progress(project: Project) -> None:
    assert identity(project).status == 0
    unknown = {"status": 400, "code": "PrincipalNotFound", "message": "Principal x does not exist in the directory y."}
    project.cloud.control("POST", "/faults", [{**unknown, "method": "PUT", "path": "/roleAssignments/", "times": 2}])

    ended = project.invoke("bootstrap.federation", "--yes", *CONNECTION)

    assert ended.status == 0, ended.err
    assert "trying again for" in said(ended)
    assert "role Contributor for the identity created" in said(ended)


def test_somebody_without_the_rights_is_told_which_and_the_next_operator_finishes(project: Project) -> None:
    """Carl is Contributor: he may make credentials, but neither give roles nor directory roles."""
    assert identity(project).status == 0

    roles = project.invoke("bootstrap.federation", "--yes", *CONNECTION, who="contributor")
    directory = project.invoke("bootstrap.entra", "--yes", who="contributor")

    assert (roles.status, directory.status) == (1, 1)
    assert "failed: the signed-in account lacks a role; ask for Owner of the subscription" in said(roles)
    assert "'Microsoft.Authorization/roleAssignments/write'" in said(roles)
    assert "lacks a directory role: in Entra ID, to bootstrap a pipeline: Privileged Role" in said(directory)
    finished = project.invoke("bootstrap.federation", "--yes", *CONNECTION), project.invoke("bootstrap.entra", "--yes")
    assert [ended.status for ended in finished] == [0, 0]
    assert "federated credential ado-federation there" in said(finished[0])


def test_a_name_that_somebody_else_has_is_said_before_anything_is_made(project: Project) -> None:
    assert identity(project).status == 0
    project.account = "sttaken"

    ended = project.invoke("bootstrap.state", "--yes")

    assert ended.status == 1
    assert "STORAGE_ACCOUNT 'sttaken' is taken, and not by this resource group" in said(ended)
    assert not [d for d in project.cloud.control("GET", "/cloud")["resources"] if "storage" in d["type"].lower()]


def test_nobody_is_signed_in(project: Project) -> None:
    ended = project.invoke("bootstrap.identity", "--yes", who="nobody")

    assert (ended.status, said(ended).count("nobody is signed in; run `az login`")) == (1, 1)
