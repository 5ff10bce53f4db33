"""The managed identity endpoint."""

from __future__ import annotations

import pytest

from emulators.base.state import State
from emulators.entra import applied
from emulators.entra.errors import DirectoryError
from emulators.entra.issuer import Issuer
from emulators.entra.tests.driver import (
    API,
    BACKEND,
    BASE,
    GATEWAY,
    GATEWAY_PRINCIPAL,
    PIPELINE,
    SECRET,
    TENANT,
    Driver,
    Make,
    claims,
    deployment,
)


@pytest.mark.parametrize("resource", [BACKEND, f"api://{BACKEND}", BACKEND.upper()])
def test_a_host_gets_a_token_for_its_identity(driver: Driver, resource: str) -> None:
    """App-only, for the backend's client id, with the role that Terraform assigned."""
    body = driver.identity(resource=resource).json()
    assert set(body) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert (body["client_id"], body["expires_on"]) == (GATEWAY, str(int(driver.clock.now) + 86_400))
    found = claims(body["access_token"])
    assert found | {"uti": "", "iat": 0, "nbf": 0} == {
        "aud": BACKEND,
        "iss": f"{BASE}/{TENANT}/v2.0",
        "iat": 0,
        "nbf": 0,
        "exp": int(driver.clock.now) + 86_400,
        "tid": TENANT,
        "uti": "",
        "ver": "2.0",
        "azp": GATEWAY,
        "azpacr": "2",
        "oid": GATEWAY_PRINCIPAL,
        "sub": GATEWAY_PRINCIPAL,
        "idtyp": "app",
        "roles": ["Gateway.Invoke"],
    }


@pytest.mark.parametrize("headers", [{}, {"X-IDENTITY-HEADER": ""}, {"X-IDENTITY-HEADER": "guess"}])
def test_without_the_hosts_secret_nothing_is_given(driver: Driver, headers: dict[str, str]) -> None:
    """401, whatever is asked for."""
    query = {"resource": BACKEND, "client_id": GATEWAY, "api-version": "2019-08-01"}
    answer = driver.http.get("/msi/token", params=query, headers=headers)
    assert (answer.status_code, "access_token" in answer.text) == (401, False)


def test_two_secrets_are_none(driver: Driver) -> None:
    """A repeated header is not searched for a good one."""
    headers = [("X-IDENTITY-HEADER", "guess"), ("X-IDENTITY-HEADER", SECRET)]
    assert driver.http.get("/msi/token", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"client_id": PIPELINE}, "No User Assigned"),
        ({"client_id": ""}, "no system-assigned identity"),
        ({"client_id": "made-up"}, "No User Assigned"),
        ({"principal_id": GATEWAY_PRINCIPAL}, "principal_id is not supported"),
        ({"resource": ""}, "resource parameter is missing"),
        ({"resource": "api://nobody"}, "AADSTS500011"),
        ({"api-version": "2018-02-01"}, "api-version must be 2019-08-01"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(driver: Driver, query: dict[str, str], text: str) -> None:
    """400, with the reason in `message`; another identity is out of reach."""
    answer = driver.identity(**query)
    assert answer.status_code == 400
    assert text in answer.json()["message"]


def test_a_missing_assignment_is_named(make: Make) -> None:
    """AADSTS501051 where the backend requires assignment and Terraform assigned nothing."""
    driver = make([r for r in deployment() if r.type != "azuread_app_role_assignment"])
    answer = driver.identity()
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [501051])
    assert answer.json()["message"].startswith("AADSTS501051: ")


def test_where_no_assignment_is_required_the_token_has_no_roles(driver: Driver) -> None:
    """As for any other application."""
    assert "roles" not in claims(driver.identity(resource=API).json()["access_token"])


def test_a_host_of_an_unknown_identity_is_refused_at_start(driver: Driver) -> None:
    """The configuration must name applied identities."""
    directory = applied.directory(State(tuple(deployment())))
    with pytest.raises(DirectoryError, match="'nobody'"):
        Issuer(BASE, directory, driver.issuer.keys, {SECRET: frozenset({"nobody"})})
