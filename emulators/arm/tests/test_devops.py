"""Azure DevOps' service connections: who may, what is refused, and what the service chooses itself."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.arm.errors import AzureError
from emulators.arm.organisations import Organisation
from emulators.base.errors import EmulatorError

from .conftest import CONTRIBUTOR, OWNER, TENANT, Azure

HOST = "dev.azure.com"
PROJECT = "55555555-bbbb-4bbb-8bbb-000000000001"
GIVEN: dict[str, Any] = {
    "id": "55555555-bbbb-4bbb-8bbb-00000000000a",
    "name": "Contoso",
    "projects": {"Remote tools": PROJECT},
    "members": [OWNER],
}
ENDPOINTS = "/contoso/_apis/serviceendpoint/endpoints"
OF_PROJECT = "/contoso/Remote%20tools/_apis/serviceendpoint/endpoints"


def connection(name: str = "azure", **changed: Any) -> dict[str, Any]:
    parameters = {"tenantid": TENANT, "serviceprincipalid": "client"}
    return {
        "name": name,
        "type": "azurerm",
        "authorization": {"scheme": "WorkloadIdentityFederation", "parameters": parameters},
        "data": {"subscriptionId": "s"},
        "serviceEndpointProjectReferences": [{"projectReference": {"id": PROJECT}}],
        **changed,
    }


@pytest.fixture
def devops(azure: Azure) -> Azure:
    azure.cloud.organisations["contoso"] = Organisation.parse(GIVEN)
    return azure


def refused(devops: Azure, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
    with pytest.raises(AzureError) as caught:
        devops.call(method, path, body, host=HOST, **more)
    return caught.value.status, str(caught.value)


@pytest.mark.parametrize("older", [True, False])
def test_issuer_and_subject_are_the_services_choice(azure: Azure, older: bool) -> None:
    """An older organisation issues its agents' tokens itself and names things; a newer one leaves both to Entra ID."""
    azure.cloud.organisations["contoso"] = Organisation.parse({**GIVEN, "older": older})
    made = azure.call("POST", ENDPOINTS, connection(), host=HOST).body
    parameters = made["authorization"]["parameters"]
    issuer, subject = (parameters[f"workloadIdentityFederation{part}"] for part in ("Issuer", "Subject"))
    if older:
        assert issuer == f"https://vstoken.dev.azure.com/{GIVEN['id']}"
        assert subject == "sc://Contoso/Remote tools/azure"
    else:
        assert issuer == f"https://login.microsoftonline.com/{TENANT}/v2.0"
        assert subject.endswith(f"/sc/{GIVEN['id']}/{made['id']}")


def test_connections_are_found_by_their_name(devops: Azure) -> None:
    for name in ("azure", "other"):
        devops.call("POST", ENDPOINTS, connection(name), host=HOST)
    found = devops.call("GET", OF_PROJECT, host=HOST, query={"endpointNames": "AZURE", "api-version": "7.1"}).body
    assert (found["count"], [one["name"] for one in found["value"]]) == (1, ["azure"])
    assert devops.call("GET", OF_PROJECT, host=HOST).body["count"] == 2
    status, said = refused(devops, "GET", OF_PROJECT, query={"type": "azurerm"})
    assert (status, "'type'" in said) == (400, True)


def test_below_a_project_nothing_is_created(devops: Azure) -> None:
    """There POST refreshes existing connections ("Get Service Endpoints With Refreshed Authentication", 7.1)."""
    status, said = refused(devops, "POST", OF_PROJECT, connection())
    assert (status, "endpointIds" in said) == (400, True)
    assert refused(devops, "POST", OF_PROJECT, [], query={"endpointIds": PROJECT})[0] == 501
    assert devops.call("GET", OF_PROJECT, host=HOST).body["count"] == 0


def test_the_body_names_the_project(devops: Azure) -> None:
    elsewhere = [{"projectReference": {"id": "55555555-bbbb-4bbb-8bbb-0000000000ff"}}]
    status, said = refused(devops, "POST", ENDPOINTS, connection(serviceEndpointProjectReferences=elsewhere))
    assert (status, "TF200016" in said) == (404, True)


def test_a_name_is_taken_once(devops: Azure) -> None:
    devops.call("POST", ENDPOINTS, connection(), host=HOST)
    status, said = refused(devops, "POST", ENDPOINTS, connection("Azure"))
    assert (status, "already exists" in said) == (409, True)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"name": ""}, "name"),
        ({"type": "github"}, "type"),
        ({"authorization": {"scheme": "ServicePrincipal", "parameters": {}}}, "authorization.scheme"),
        (
            {"authorization": {"scheme": "WorkloadIdentityFederation", "parameters": {"tenantid": TENANT}}},
            "serviceprincipalid",
        ),
        ({"data": {}}, "data.subscriptionId"),
        ({"serviceEndpointProjectReferences": []}, "serviceEndpointProjectReferences"),
    ],
)
def test_what_lacks_something_is_refused_by_name(devops: Azure, changed: dict[str, Any], what: str) -> None:
    status, said = refused(devops, "POST", ENDPOINTS, connection(**changed))
    assert (status, what in said) == (400, True)
    assert devops.call("GET", OF_PROJECT, host=HOST).body["count"] == 0


@pytest.mark.parametrize(
    ("path", "who", "status", "code"),
    [
        ("/contoso/_apis/connectionData", CONTRIBUTOR, 401, "TF400813"),
        ("/fabrikam/_apis/connectionData", OWNER, 404, "TF400949"),
        ("/contoso/_apis/projects/other", OWNER, 404, "TF200016"),
    ],
)
def test_who_is_no_member_and_what_is_not_there(devops: Azure, path: str, who: str, status: int, code: str) -> None:
    found, said = refused(devops, "GET", path, who=who)
    assert (found, code in said) == (status, True)


def test_a_project_is_known_by_name_and_by_id(devops: Azure) -> None:
    for wanted in ("remote%20tools", PROJECT):
        assert devops.call("GET", f"/contoso/_apis/projects/{wanted}", host=HOST).body["id"] == PROJECT
    assert devops.call("GET", "/contoso/_apis/connectionData", host=HOST).body["instanceId"] == GIVEN["id"]


@pytest.mark.parametrize(
    ("given", "said"), [({**GIVEN, "owner": "x"}, "unknown key 'owner'"), ({"id": "x"}, "lacks 'members'")]
)
def test_an_organisation_is_configured_whole(given: dict[str, Any], said: str) -> None:
    with pytest.raises(EmulatorError, match=said):
        Organisation.parse(given)
