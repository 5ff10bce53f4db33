"""The service connection, made through Azure DevOps' REST API by `az rest`, and trusted as it says it is issued."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.base.well_known import DEVOPS
from tests.az.cloud_under_test import AGENTS, OPERATOR, ORGANISATIONS, TENANT
from tests.az.project_under_test import SETTINGS, Project
from tests.az.test_sign_in import LOGIN

NEWER: dict[str, Any] = next(one for one in ORGANISATIONS if one["name"] == "fabrikam")
FABRIKAM = {"ADO_ORG": "fabrikam", "ADO_PROJECT": "Remote tools", "SERVICE_CONNECTION_NAME": "azure dev"}


@pytest.fixture
def contoso(project: Project) -> Project:
    """An identity, and nobody who may sign in as it."""
    made = project.invoke("bootstrap.identity", "--yes")
    assert made.status == 0, made.err
    project.changes()
    return project


def at(project: Project, organisation: dict[str, str], *arguments: str, who: str = "operator") -> Any:
    project.settings = {**SETTINGS, **organisation}
    try:
        return project.invoke("bootstrap.federation", "--yes", *arguments, who=who)
    finally:
        project.settings = dict(SETTINGS)


def credentials(project: Project) -> list[dict[str, Any]]:
    made = project.cloud.control("GET", "/cloud")["resources"]
    return [d["properties"] for d in made if d["type"].endswith("federatedIdentityCredentials")]


def test_the_connection_is_made_and_its_agents_sign_in(contoso: Project) -> None:
    """Issuer and subject are read back from it; a second run changes nothing."""
    ended = at(contoso, {})
    assert ended.status == 0, ended.err
    assert "POST dev.azure.com/{organisation}/_apis/serviceendpoint/endpoints" in contoso.changes()
    (trusted,) = credentials(contoso)
    assert (trusted["issuer"], trusted["subject"]) == (AGENTS, "sc://contoso/mcp/azure")

    client = contoso.cloud.quick("identity", "show", "-n", "id-boot", "-g", "rg-boot").json()["clientId"]
    token = contoso.cloud.assertion(trusted["subject"])
    login = contoso.cloud.az(*LOGIN, client, "--federated-token", token, "--allow-no-subscriptions", who="agent")
    assert login.status == 0, login.err

    again = at(contoso, {})
    assert (again.status, contoso.changes()) == (0, []), again.err


def test_a_newer_organisation_is_trusted_through_the_tenant(contoso: Project) -> None:
    """Names with blanks included; the subject holds ids that nobody can know before the connection exists."""
    ended = at(contoso, FABRIKAM)
    assert ended.status == 0, ended.err
    (trusted,) = credentials(contoso)
    assert trusted["issuer"] == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert f"/sc/{NEWER['id']}/" in trusted["subject"]

    contoso.changes()
    again = at(contoso, FABRIKAM)
    assert (again.status, contoso.changes()) == (0, []), again.err


def test_the_organisations_id_is_asked_for(contoso: Project) -> None:
    """For a connection that somebody made by hand, in an organisation whose agents' tokens it issues itself."""
    ended = at(contoso, {}, "--ado-org-id", "ask")
    assert ended.status == 0, ended.err
    (trusted,) = credentials(contoso)
    assert (trusted["issuer"], trusted["subject"]) == (AGENTS, "sc://contoso/mcp/azure")


@pytest.mark.parametrize(
    ("where", "who", "why"),
    [
        ({}, "contributor", "TF400813"),
        ({"ADO_ORG": "another"}, "operator", "TF400949"),
        ({"ADO_PROJECT": "another"}, "operator", "TF200016"),
    ],
)
def test_what_cannot_be_read_is_done_by_hand_with_every_value(
    contoso: Project, where: dict[str, str], who: str, why: str
) -> None:
    """Azure DevOps' own words, then what to fill in; nothing has changed."""
    ended = at(contoso, where, who=who)
    said = " ".join(ended.err.split())
    assert ended.status != 0
    assert why in said
    assert "New service connection > Azure Resource Manager" in said
    assert "Managed identity: id-boot" in said
    assert (contoso.changes(), credentials(contoso)) == ([], [])


def test_what_azure_devops_does_not_make_is_done_by_hand_too(contoso: Project) -> None:
    """A member may read connections without being allowed to create them."""
    words = {"status": 403, "code": "AccessDeniedException", "message": "Access denied. Needs Administer permissions."}
    contoso.cloud.control(
        "POST", "/faults", [{**words, "method": "POST", "host": "dev.azure.com", "path": "/endpoints"}]
    )
    ended = at(contoso, {})
    said = " ".join(ended.err.split())
    assert ended.status == 1
    assert "the service connection of contoso cannot be made" in said
    assert "Needs Administer permissions" in said
    assert "New service connection > Azure Resource Manager" in said
    assert credentials(contoso) == []


def test_a_token_for_something_else_is_shown_the_sign_in_page(contoso: Project) -> None:
    """Azure DevOps answers it with a page and a status below 300; az passes it on, and nothing is taken for data."""
    uri = "https://dev.azure.com/contoso/_apis/connectionData?api-version=7.1-preview"
    wrong = contoso.cloud.quick("rest", "--resource", "https://management.azure.com/", "--uri", uri)
    assert "Sign In" in wrong.out
    right = contoso.cloud.quick("rest", "--resource", DEVOPS, "--uri", uri).json()
    assert right["authenticatedUser"]["id"] == OPERATOR["object_id"]
