"""`invoke bootstrap` with the real Azure CLI and Terraform's real azurerm backend."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.az.cloud_under_test import AGENTS, OPERATOR, SUBSCRIPTION, TENANT, CloudUnderTest, Result
from tests.az.cloud_under_test import GITHUB as GITHUB_ISSUER
from tests.az.project_under_test import Project
from tests.az.test_documented_steps import ROLES, without_times
from tests.az.test_sign_in import LOGIN

CONNECTION = ("--issuer", f"https://login.microsoftonline.com/{TENANT}/v2.0", "--subject", "/eid1/c/pub/t/abc/a/def")
GITHUB = (
    *("--github", "contoso/mcp", "--github-subject", "branch:main"),
    *("--github-subject", "environment:prod", "--github-subject", "pull_request"),
)
REQUESTS = Path(__file__).parent / "requests_bootstrap.json"
ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"


@dataclass(frozen=True)
class Runs:
    first: Result
    after_first: Any
    sent: list[str]
    saved: dict[str, str]
    second: Result
    after_second: Any
    changes: list[str]
    refused: list[str]
    initialised: list[bool]


@pytest.fixture(scope="module")
def runs(shared: CloudUnderTest, shared_project: Project) -> Runs:
    """Both runs on an empty subscription, each `az` a process of its own."""
    project = shared_project
    project.account, project.forked = "stboot", False
    shared.control("DELETE", "/cloud")
    shared.control("DELETE", "/requests")
    first, after_first = project.bootstrap(), shared.control("GET", "/cloud")
    asked = [row for row in shared.requests() if row["host"] != "login.microsoftonline.com"]  # tokens are cached
    sent = sorted({f"{row['method']} {row['host']}{row['path']} {row['version'] or ''}".strip() for row in asked})
    saved = json.loads((project.home / "bootstrap.json").read_text(encoding="utf-8"))
    shared.control("DELETE", "/requests")
    second, after_second = project.bootstrap(), shared.control("GET", "/cloud")
    refused, changes = shared.refused(), project.changes()
    stages = [project.folder / f"terraform/stage{number}/.terraform/terraform.tfstate" for number in (1, 2)]
    project.forked = True
    return Runs(first, after_first, sent, saved, second, after_second, changes, refused, [p.exists() for p in stages])


def test_the_first_run_makes_everything_that_steps_1_to_3_promise(runs: Runs) -> None:
    assert runs.first.status == 0, runs.first.err
    made = runs.after_first
    of_type = {d["type"].rsplit("/", 1)[-1]: d["properties"] for d in made["resources"]}
    principal = of_type["userAssignedIdentities"]["principalId"]
    assert of_type["federatedIdentityCredentials"]["issuer"] == AGENTS
    assert of_type["federatedIdentityCredentials"]["subject"] == "sc://contoso/mcp/azure"
    assert of_type["blobServices"]["isVersioningEnabled"] is True
    assert of_type["storageAccounts"]["minimumTlsVersion"] == "TLS1_2"
    assert of_type["storageAccounts"]["allowSharedKeyAccess"] is False
    assert roles(made) >= {
        ("Contributor", principal, SUBSCRIPTION),
        ("User Access Administrator", principal, SUBSCRIPTION),
        ("Storage Blob Data Contributor", OPERATOR["object_id"], "stboot"),
        ("Storage Blob Data Contributor", principal, "stboot"),
    }
    assert [principal, ADMINISTRATOR] in made["directory_roles"]
    assert len(made["app_roles"]) == 3
    assert runs.initialised == [True, True]


def test_the_ids_are_printed_for_programs_and_saved(runs: Runs) -> None:
    identity = next(d for d in runs.after_first["resources"] if d["name"] == "id-boot")["properties"]
    ids = {"IDENTITY_CLIENT_ID": identity["clientId"], "IDENTITY_PRINCIPAL_ID": identity["principalId"]}
    assert dict(line.split("=") for line in runs.first.out.splitlines()) == ids
    assert {name: runs.saved.get(name) for name in ids} == ids


def test_people_see_what_there_is_and_what_will_be_made(runs: Runs) -> None:
    said = " ".join(runs.first.err.split())
    assert "resource group rg-boot in uksouth missing create" in said
    assert "warning: whoever can change this pipeline" in said
    assert "identity id-boot created" in said
    assert "directory role Application Administrator created" in said


def test_a_second_run_sends_nothing_that_changes_anything(runs: Runs) -> None:
    assert runs.second.status == 0, runs.second.err
    assert runs.changes == []
    assert without_times(runs.after_second) == without_times(runs.after_first)
    assert "nothing changed" in runs.second.err


def test_the_tasks_send_the_requests_that_are_written_down(runs: Runs, pytestconfig: pytest.Config) -> None:
    """Nothing else, and nothing that the stand-in does not know."""
    if pytestconfig.getoption("--regenerate"):
        REQUESTS.write_text(json.dumps(runs.sent, indent=1) + "\n", encoding="utf-8")
    assert runs.sent == json.loads(REQUESTS.read_text(encoding="utf-8"))
    assert runs.refused == []


def test_minimal_gives_the_directory_only_what_the_pipeline_owns(project: Project) -> None:
    ended = project.invoke("bootstrap.identity", "--yes"), project.invoke("bootstrap.entra", "--yes", "--minimal")

    assert [run.status for run in ended] == [0, 0], ended[1].err
    made = project.cloud.control("GET", "/cloud")
    principal = json.loads((project.home / "bootstrap.json").read_text(encoding="utf-8"))["IDENTITY_PRINCIPAL_ID"]
    assert [principal, ADMINISTRATOR] not in made["directory_roles"]
    assert {role for held, role in made["app_roles"] if held == principal} == {
        "18a4783c-866b-4cc7-a460-3d5e5662c884",  # Application.ReadWrite.OwnedBy
        "bf7b1a76-6e77-406b-b258-bf5c7720e98f",  # Group.Create
        "df021288-bdef-4463-88db-98f22de89214",  # User.Read.All
    }
    assert "left to an administrator" in " ".join(ended[1].err.split())


def test_github_is_trusted_for_each_subject_and_for_no_other(project: Project) -> None:
    ended = project.invoke("bootstrap.identity", "--yes"), project.invoke("bootstrap.federation", "--yes", *GITHUB)

    assert [run.status for run in ended] == [0, 0], ended[1].err
    made = project.cloud.control("GET", "/cloud")["resources"]
    credentials = [d["properties"] for d in made if d["type"].endswith("federatedIdentityCredentials")]
    assert {c["issuer"] for c in credentials} == {"https://token.actions.githubusercontent.com"}
    assert {c["subject"] for c in credentials} == {
        "repo:contoso/mcp:ref:refs/heads/main",
        "repo:contoso/mcp:environment:prod",
        "repo:contoso/mcp:pull_request",
    }
    assert {tuple(c["audiences"]) for c in credentials} == {("api://AzureADTokenExchange",)}


@pytest.mark.parametrize(
    ("repository", "trusted", "other"),
    [
        ("contoso@1234567/mcp@7654321", "repo:contoso@1234567/mcp@7654321", "repo:contoso/mcp"),
        ("contoso/mcp", "repo:contoso/mcp", "repo:contoso@1234567/mcp@7654321"),
    ],
    ids=["by ids", "by name"],
)
def test_a_job_signs_in_in_the_form_that_is_trusted(
    project: Project, repository: str, trusted: str, other: str
) -> None:
    """A repository made since July 2026 sends its ids, and an older one its name: neither passes for the other."""
    given = ("--github", repository, "--github-subject", "environment:mcp-dev")
    ended = project.invoke("bootstrap.identity", "--yes"), project.invoke("bootstrap.federation", "--yes", *given)
    assert [run.status for run in ended] == [0, 0], ended[1].err
    client = json.loads((project.home / "bootstrap.json").read_text(encoding="utf-8"))["IDENTITY_CLIENT_ID"]

    def sign_in(who: str, prefix: str) -> Result:
        token = project.cloud.assertion(f"{prefix}:environment:mcp-dev", GITHUB_ISSUER)
        return project.cloud.quick(*LOGIN, client, "--federated-token", token, who=who)

    assert sign_in("job", trusted).status == 0
    assert "AADSTS700213" in sign_in("another-job", other).err  # az would take the first one's token from its cache


def test_the_narrower_role_cannot_make_anybody_an_owner(project: Project) -> None:
    project.invoke("bootstrap.identity", "--yes")
    ended = project.invoke("bootstrap.federation", "--yes", "--narrow", *CONNECTION)

    assert ended.status == 0, ended.err
    held = project.cloud.control("GET", "/cloud")["assignments"]
    conditions = {a["role"]: a["condition"] for a in held if a["condition"]}
    assert list(conditions) == ["f58310d9-a9f6-439a-9e8d-f62e7b41a168"]
    assert "28bf596f-4eb7-45ce-b5bc-6cf482fec137" in {a["role"] for a in held}  # Locks Contributor
    assert "7f951dda-4ed3-4680-a7ca-43fe172d538d" in conditions["f58310d9-a9f6-439a-9e8d-f62e7b41a168"]  # AcrPull
    assert "8e3af657-a8ff-443c-a75c-2fe8c4bcb635" not in str(conditions)  # Owner
    project.changes()
    again = project.invoke("bootstrap.federation", "--yes", "--narrow", *CONNECTION)
    assert (again.status, project.changes()) == (0, [])


def roles(made: Any) -> set[tuple[str | None, str, str]]:
    return {(ROLES.get(a["role"]), a["principal"], a["scope"].split("/")[-1]) for a in made["assignments"]}


def test_from_a_laptop_there_is_no_identity_and_no_key_opens_the_state(project: Project) -> None:
    """Resource group, state, and the role to read and write it; Azure DevOps and Graph are not asked."""
    ended = project.bootstrap("--without-pipeline")

    assert ended.status == 0, ended.err
    made = project.cloud.control("GET", "/cloud")
    assert {d["type"].rpartition("/")[2] for d in made["resources"]} == {
        "resourceGroups",
        "storageAccounts",
        "blobServices",
    }
    assert made["app_roles"] == []
    assert "dev.azure.com" not in {row["host"] for row in project.cloud.requests()}
    place = ("--account-name", project.account, "--container-name", "tfstate")
    states = project.cloud.quick("storage", "blob", "list", *place, "--auth-mode", "login").json()
    assert [one["name"] for one in states] == ["stage1.tfstate", "stage2.tfstate"]
    by_key = project.cloud.quick("storage", "blob", "list", *place, "--auth-mode", "key")
    assert by_key.status != 0
    assert "Key based authentication is not permitted" in by_key.err
