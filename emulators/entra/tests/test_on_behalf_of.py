"""A service that acts as its caller: on-behalf-of, proved by a secret or by its managed identity."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from emulators.base.state import Resource
from emulators.entra.grants.on_behalf_of import GRANT
from emulators.entra.tests.driver import (
    ADMIN,
    API,
    BACKEND,
    BASE,
    CLIENT,
    DAEMON,
    GATEWAY_PRINCIPAL,
    READER,
    TENANT,
    Driver,
    Make,
    application,
    claims,
    companion,
    deployment,
    principal,
    refused,
    scope_block,
    sp,
)

DOWNSTREAM = "aaaaaaaa-0000-4000-8000-00000000000d"
READ_ID, WRITE_ID = "cccccccc-0000-4000-8000-00000000000e", "cccccccc-0000-4000-8000-00000000000f"
EXCHANGE = "api://AzureADTokenExchange"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def world(*scopes: str, version: int = 2) -> list[Resource]:
    """The API of this deployment may call another one, by these scopes of an administrator's grant."""
    block = {
        "requested_access_token_version": version,
        "oauth2_permission_scope": [scope_block(READ_ID, "Files.Read"), scope_block(WRITE_ID, "Files.Write")],
    }
    access = {"resource_app_id": DOWNSTREAM, "resource_access": [{"id": READ_ID, "type": "Scope"}]}
    found = [
        replace(resource, values={**resource.values, "required_resource_access": [access]})
        if resource.values.get("client_id") == API and resource.type == "azuread_application"
        else resource
        for resource in deployment()
    ]
    grant = {
        "service_principal_object_id": sp(API),
        "resource_service_principal_object_id": sp(DOWNSTREAM),
        "claim_values": list(scopes),
    }
    return [
        *found,
        application(DOWNSTREAM, "files", api=[block]),
        companion(DOWNSTREAM, "identifier_uri", identifier_uri=f"api://{DOWNSTREAM}"),
        principal(DOWNSTREAM),
        companion(API, "password", value="api-secret"),
        companion(
            API,
            "federated_identity_credential",
            issuer=f"{BASE}/{TENANT}/v2.0",
            subject=GATEWAY_PRINCIPAL,
            audiences=[EXCHANGE],
        ),
        *([Resource("g", "azuread_service_principal_delegated_permission_grant", grant)] if scopes else []),
    ]


def ask(driver: Driver, token: str, /, **changes: str | None) -> Any:
    sound: dict[str, str | None] = {
        "grant_type": GRANT,
        "requested_token_use": "on_behalf_of",
        "client_id": API,
        "client_secret": "api-secret",
        "assertion": token,
        "scope": f"api://{DOWNSTREAM}/.default",
    }
    return driver.token(**{name: value for name, value in (sound | changes).items() if value is not None})


def callers(driver: Driver, user: str = "admin") -> str:
    """A person's token for the API, as their client has it."""
    return str(driver.tokens(user)["access_token"])


@pytest.mark.parametrize(("user", "oid"), [("admin", ADMIN), ("reader", READER)])
def test_the_new_token_is_the_person_s_for_the_other_api(make: Make, user: str, oid: str) -> None:
    """Whoever called, the API as client, and what was granted to it; the roles of the first API stay there."""
    answer = ask(driver := make(world("Files.Read")), callers(driver, user)).json()
    found = claims(answer["access_token"])
    assert (found["oid"], found["aud"], found["azp"], found["azpacr"]) == (oid, DOWNSTREAM, API, "1")
    assert (found["scp"], answer["scope"]) == (
        "Files.Read",
        f"api://{DOWNSTREAM}/Files.Read api://{DOWNSTREAM}/.default",
    )
    assert "roles" not in found
    assert "refresh_token" not in answer


def test_a_managed_identity_is_the_credential(make: Make) -> None:
    """No secret: the gateway's identity gets a token for the exchange, which says the exchange's GUID as audience."""
    driver = make(world("Files.Read"))
    own = driver.identity(resource=EXCHANGE).json()["access_token"]
    assert (claims(own)["aud"], claims(own)["iss"]) == ("fb60f99c-7a34-4190-8149-302f77469936", f"{BASE}/{TENANT}/v2.0")
    proof = {"client_secret": None, "client_assertion_type": ASSERTION_TYPE, "client_assertion": own}
    found = claims(ask(driver, callers(driver), **proof).json()["access_token"])
    assert (found["oid"], found["azpacr"]) == (ADMIN, "2")
    wrong = {**proof, "client_assertion": driver.identity(resource=BACKEND).json()["access_token"]}
    assert refused(ask(driver, callers(driver), **wrong)) in (700211, 700212)


def test_another_identity_s_token_is_no_credential(make: Make) -> None:
    """The subject is compared with the credential's."""
    resources = [
        replace(one, values={**one.values, "subject": "00000000-0000-4000-8000-000000000000"})
        if one.type == "azuread_application_federated_identity_credential"
        else one
        for one in world("Files.Read")
    ]
    driver = make(resources)
    own = driver.identity(resource=EXCHANGE).json()["access_token"]
    proof = {"client_secret": None, "client_assertion_type": ASSERTION_TYPE, "client_assertion": own}
    assert refused(ask(driver, callers(driver), **proof)) == 700213


def test_a_token_for_another_application_is_no_assertion(make: Make) -> None:
    """AADSTS500131: who is given a token for somebody else cannot become its person at a third."""
    driver = make([*world("Files.Read"), companion(DAEMON, "password", value="again")])
    answer = ask(driver, callers(driver), client_id=DAEMON, client_secret="daemon-secret")
    assert (refused(answer), answer.json()["error"]) == (500131, "invalid_grant")
    exchanged = ask(driver, callers(driver)).json()["access_token"]
    assert refused(ask(driver, exchanged)) == 500131


def test_only_a_person_s_token_counts(make: Make) -> None:
    """AADSTS7000114 for an application's own; what is forged, cut or old has codes of its own."""
    driver = make(world("Files.Read"))
    daemon = {"grant_type": "client_credentials", "client_id": DAEMON, "client_secret": "daemon-secret"}
    own = driver.token(**daemon, scope=f"api://{API}/.default").json()["access_token"]
    assert refused(ask(driver, own)) == 7000114
    good = callers(driver)
    head, payload, signature = good.split(".")
    assert refused(ask(driver, f"{head}.{payload}.{signature[:-8]}AAAAAAAA")) == 50013
    assert refused(ask(driver, f"eyJhbGciOiJub25lIn0.{payload}.")) == 50013
    assert refused(ask(driver, "x")) == 50027
    driver.clock.now += 3601
    assert refused(ask(driver, good)) == 500133


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"requested_token_use": None}, 900144),
        ({"requested_token_use": "other"}, 9002313),
        ({"assertion": None}, 900144),
        ({"scope": None}, 900144),
        ({"client_secret": None}, 7000218),
        ({"client_secret": "wrong"}, 7000215),
        ({"client_id": CLIENT, "client_secret": "right-secret"}, 500131),
        ({"scope": "api://nobody/.default"}, 500011),
        ({"scope": f"api://{DOWNSTREAM}/Files.Delete"}, 650053),
    ],
)
def test_a_wrong_request_is_refused(make: Make, changes: dict[str, str | None], code: int) -> None:
    driver = make(world("Files.Read"))
    assert refused(ask(driver, callers(driver), **changes)) == code


@pytest.mark.parametrize("scope", [".default", "Files.Read", "Files.Write"])
def test_what_nobody_consented_to_is_65001(make: Make, scope: str) -> None:
    """The suberror says so, by which libraries know it."""
    driver = make(world())
    answer = ask(driver, callers(driver), scope=f"api://{DOWNSTREAM}/{scope}")
    assert (refused(answer), answer.json()["error"], answer.json()["suberror"]) == (
        65001,
        "invalid_grant",
        "consent_required",
    )


def test_conditional_access_asks_for_claims(make: Make) -> None:
    """`interaction_required`, with what the client must ask for at its next sign-in."""
    driver = make(world("Files.Read"))
    token = callers(driver)
    directory = driver.issuer.directory
    driver.issuer.directory = replace(
        directory,
        users=tuple(replace(user, needs_mfa=user.object_id == ADMIN) for user in directory.users),
    )
    answer = ask(driver, token)
    assert (refused(answer), answer.json()["error"]) == (50076, "interaction_required")
    assert json.loads(answer.json()["claims"])["access_token"]["polids"]["essential"] is True
    assert ask(driver, callers(driver, "reader")).status_code == 200


def test_a_revoked_session_ends_what_was_exchanged_for_it(make: Make) -> None:
    """AADSTS50173, as for refresh tokens."""
    driver = make(world("Files.Read"))
    token, directory = callers(driver), driver.issuer.directory
    users = tuple(replace(user, sessions_valid_from=driver.clock.now + 1) for user in directory.users)
    driver.issuer.directory = replace(directory, users=users)
    assert refused(ask(driver, token)) == 50173


def test_offline_access_gives_a_refresh_token_of_the_service(make: Make) -> None:
    """Which only the service can use, with its credential."""
    driver = make(world("Files.Read"))
    scope = f"api://{DOWNSTREAM}/Files.Read offline_access"
    token = ask(driver, callers(driver), scope=scope).json()["refresh_token"]
    again = {"grant_type": "refresh_token", "client_id": API, "refresh_token": token}
    assert refused(driver.token(**again)) == 7000218
    assert claims(driver.token(**again, client_secret="api-secret").json()["access_token"])["oid"] == ADMIN


def test_a_v1_api_is_named_as_it_was_asked_for(make: Make) -> None:
    """Its audience is the URI, and its issuer another."""
    driver = make(world("Files.Read", version=1))
    found = claims(ask(driver, callers(driver)).json()["access_token"])
    assert (found["aud"], found["ver"], found["appid"]) == (f"api://{DOWNSTREAM}", "1.0", API)
