"""Applications that ask for themselves: secrets and federated assertions."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from emulators.base.state import Resource
from emulators.entra.assertions import TYPE
from emulators.entra.tests.driver import (
    API,
    BACKEND,
    BASE,
    DAEMON,
    PIPELINE,
    PIPELINE_PRINCIPAL,
    ROLE_READ,
    TENANT,
    Driver,
    Make,
    assignment,
    claims,
    companion,
    deployment,
    refused,
    sp,
)

OIDC_ISSUER = "https://vstoken.dev.azure.com/organisation"
SUBJECT = "sc://organisation/project/connection"
AUDIENCE = "api://AzureADTokenExchange"
KEY = RSAKey.generate_key(2048, {"kid": "k1"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "k1"})


def ask(driver: Driver, **changes: str | None) -> Any:
    sound: dict[str, str | None] = {
        "grant_type": "client_credentials",
        "client_id": DAEMON,
        "client_secret": "daemon-secret",
        "scope": f"api://{API}/.default",
    }
    return driver.token(**{name: value for name, value in (sound | changes).items() if value is not None})


def test_an_app_token_has_no_scp_and_no_user(make: Make) -> None:
    """The principal is oid and sub; roles are what was assigned to it."""
    driver = make([*deployment(), assignment(ROLE_READ, sp(DAEMON), API)])
    found = claims(ask(driver).json()["access_token"])
    assert (found["oid"], found["sub"], found["azp"], found["azpacr"]) == (sp(DAEMON), sp(DAEMON), DAEMON, "1")
    assert (found["roles"], found["aud"]) == (["Mcp.Read"], API)
    assert not {"scp", "preferred_username", "name", "idtyp"} & set(found)


def test_without_an_assignment_the_token_has_no_roles(driver: Driver) -> None:
    """Where assignment is not required, anybody in the tenant gets a token."""
    assert "roles" not in claims(ask(driver).json()["access_token"])


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"client_secret": None}, 7000218, 401),
        ({"client_secret": "wrong"}, 7000215, 401),
        ({"client_id": "aaaaaaaa-0000-4000-8000-00000000000f"}, 700016, 400),
        ({"scope": None}, 900144, 400),
        ({"scope": f"api://{API}/Mcp.Access"}, 1002012, 400),
        ({"scope": f"api://{API}/.default api://{BACKEND}/.default"}, 1002012, 400),
        ({"scope": "api://nobody/.default"}, 500011, 400),
        ({"scope": f"api://{BACKEND}/.default"}, 501051, 400),
        ({"scope": f"api://{DAEMON}/.default"}, 90009, 400),
        ({"resource": "https://other.example"}, 9010010, 400),
    ],
)
def test_a_wrong_request_is_refused(driver: Driver, changes: dict[str, str | None], code: int, status: int) -> None:
    """Entra's codes, among them the required assignment of the backend."""
    answer = ask(driver, **changes)
    assert (refused(answer), answer.status_code) == (code, status)


def test_an_application_may_ask_for_itself_by_its_guid(driver: Driver) -> None:
    """AADSTS90009 is about the named identifier only."""
    assert claims(ask(driver, scope=f"{DAEMON}/.default").json()["access_token"])["oid"] == sp(DAEMON)


def test_an_application_without_service_principal_is_refused(make: Make) -> None:
    """AADSTS7000229 names the Terraform resource that is missing."""
    driver = make([r for r in deployment() if r.values.get("object_id") != sp(DAEMON)])
    answer = ask(driver)
    assert refused(answer) == 7000229
    assert "azuread_service_principal" in answer.json()["error_description"]


def test_a_disabled_service_principal_is_refused(make: Make) -> None:
    """AADSTS7000112 for the client, AADSTS500014 for the resource."""
    disabled = {"client_id": DAEMON, "object_id": sp(DAEMON), "account_enabled": False}
    resources = [r for r in deployment() if r.values.get("object_id") != sp(DAEMON)]
    assert refused(ask(make([*resources, Resource("d", "azuread_service_principal", disabled)]))) == 7000112
    disabled = {"client_id": API, "object_id": sp(API), "account_enabled": False}
    resources = [r for r in deployment() if r.values.get("object_id") != sp(API)]
    assert refused(ask(make([*resources, Resource("d", "azuread_service_principal", disabled)]))) == 500014


def federated_world(make: Make, trusted: dict[str, Any] | None = None) -> Driver:
    """A federated credential on the pipeline's identity and one on the daemon's application."""
    credential = {"issuer": OIDC_ISSUER, "subject": SUBJECT}
    identity = {"user_assigned_identity_id": "/SUBSCRIPTIONS/s/pipeline", "audience": [AUDIENCE]}
    resources = [
        *deployment(),
        Resource("fic", "azurerm_federated_identity_credential", credential | identity),
        companion(DAEMON, "federated_identity_credential", audiences=[AUDIENCE], **credential),
    ]
    keys = {OIDC_ISSUER: {"keys": [KEY.as_dict(private=False)]}} if trusted is None else trusted
    return make(resources, trusted=keys)


def assertion(driver: Driver, key: RSAKey = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    now = driver.clock.now
    sound = {"iss": OIDC_ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600}
    payload = {name: value for name, value in (sound | changes).items() if value is not None}
    return jwt.encode(header or {"alg": "RS256", "kid": "k1"}, payload, key)


def present(driver: Driver, token: str, client_id: str = PIPELINE, **changes: str | None) -> Any:
    return ask(
        driver,
        client_id=client_id,
        client_secret=None,
        client_assertion=token,
        **({"client_assertion_type": TYPE} | changes),
    )


def test_a_matching_assertion_gives_the_identity_a_token(make: Make) -> None:
    """Without any secret; azpacr 2."""
    driver = federated_world(make)
    found = claims(present(driver, assertion(driver)).json()["access_token"])
    assert (found["oid"], found["azp"], found["azpacr"]) == (PIPELINE_PRINCIPAL, PIPELINE, "2")


def test_applications_have_federated_credentials_too(make: Make) -> None:
    """azuread_application_federated_identity_credential."""
    driver = federated_world(make)
    assert claims(present(driver, assertion(driver), DAEMON).json()["access_token"])["oid"] == sp(DAEMON)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://token.actions.githubusercontent.com"}, 700211),
        ({"iss": OIDC_ISSUER + "/"}, 700211),
        ({"sub": SUBJECT.upper()}, 700213),
        ({"sub": None}, 700213),
        ({"aud": "api://other"}, 700212),
        ({"aud": ["api://other"]}, 700212),
        ({"aud": {"api://other": 1}}, 700212),
        ({"exp": 1}, 700024),
        ({"exp": None}, 700024),
        ({"exp": "tomorrow"}, 700024),
        ({"exp": float("nan")}, 700027),
        ({"exp": float("inf")}, 700027),
        ({"nbf": 10**400}, 700024),
        ({"nbf": True}, 700024),
        ({"nbf": 1_900_000_000}, 700024),
    ],
)
def test_an_assertion_that_does_not_match_is_refused(make: Make, changes: dict[str, Any], code: int) -> None:
    """Issuer, subject and audience are compared exactly with the applied credential, then the lifetime."""
    driver = federated_world(make)
    answer = present(driver, assertion(driver, **changes))
    assert (refused(answer), answer.status_code) == (code, 401)


def hmac_token(payload: str, key: bytes) -> str:
    """HS256 keyed with the RSA public key: algorithm confusion."""
    signed = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').decode().rstrip("=") + f".{payload}"
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_forged_assertion_is_refused(make: Make) -> None:
    """Another key, no signature, a symmetric key made of the public one, garbage."""
    driver = federated_world(make)
    good = assertion(driver)
    head, payload, signature = good.split(".")
    confused = hmac_token(payload, KEY.as_pem(private=False))
    none = f"eyJhbGciOiJub25lIn0.{payload}."
    for forged in (
        assertion(driver, OTHER_KEY),
        confused,
        none,
        f"{head}.{payload}.{signature[:-8]}AAAAAAAA",
        "a.b.c",
        "x",
    ):
        assert refused(present(driver, forged)) == 700027


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"null",
        b"{}",
        b"[" * 40_000,
        b'{"alg":["RS256"],"kid":"k1"}',
        b'{"alg":"RS256","kid":[]}',
        b'{"alg":"RS256","kid":"k1","crit":1}',
        b'{"alg":"RS256","kid":"k1","crit":["b64"],"b64":false}',
        b'{"alg":"RS256","kid":"k1","jwk":{}}',
        b'{"alg":"rs256","kid":"k1"}',
        b'{"alg":"PS256","kid":"k1"}',
        b'{"alg":"RS256","kid":"other"}',
        b"\xff",
    ],
)
def test_a_strange_header_is_refused(make: Make, header: bytes) -> None:
    """None of them is a crash, and none verifies."""
    driver = federated_world(make)
    _, payload, signature = assertion(driver).split(".")
    encoded = base64.urlsafe_b64encode(header).decode().rstrip("=")
    assert refused(present(driver, f"{encoded}.{payload}.{signature}")) == 700027


@pytest.mark.parametrize("payload", [b"[]", b"null", b"1", b"[" * 40_000, b"\xff", b'{"exp": Infinity}'])
def test_a_strange_payload_is_refused(make: Make, payload: bytes) -> None:
    """Before anything of it is used."""
    encoded = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    assert refused(present(federated_world(make), f"e30.{encoded}.x")) == 700027


def test_an_unknown_issuers_keys_are_asked_for_by_name(make: Make) -> None:
    """The stand-in is offline: it says which setting would make it trust the issuer."""
    driver = federated_world(make, trusted={})
    answer = present(driver, assertion(driver))
    assert refused(answer) == 50166
    assert "trusted_issuers" in answer.json()["error_description"]


def test_keys_that_cannot_be_read_are_a_refusal(make: Make) -> None:
    """Not a crash."""
    driver = federated_world(make, trusted={OIDC_ISSUER: {"nothing": []}})
    assert refused(present(driver, assertion(driver))) == 50166


def test_the_assertion_type_is_fixed(make: Make) -> None:
    """RFC 7523."""
    driver = federated_world(make)
    assert refused(present(driver, assertion(driver), client_assertion_type="other")) == 9002313
    assert refused(present(driver, assertion(driver), client_assertion_type=None)) == 9002313


def test_an_identity_cannot_use_a_secret(make: Make) -> None:
    """Managed identities have none."""
    assert refused(ask(federated_world(make), client_id=PIPELINE)) == 7000218


def test_the_issuers_own_tokens_work_as_assertions(make: Make) -> None:
    """A managed identity as federated credential: Entra's own issuer is trusted, its keys are known."""
    own = f"{BASE}/{TENANT}/v2.0"
    values = {
        "issuer": own,
        "subject": PIPELINE_PRINCIPAL,
        "audience": [API],
        "user_assigned_identity_id": "/subscriptions/s/gateway",
    }
    credential = Resource("own", "azurerm_federated_identity_credential", values)
    driver = federated_world(make)
    first = present(driver, assertion(driver)).json()["access_token"]
    again = make([*deployment(), credential])
    gateway = "bbbbbbbb-0000-4000-8000-000000000001"
    assert claims(present(again, first, gateway).json()["access_token"])["azp"] == gateway


def test_signing_keys_verify_with_any_library(driver: Driver) -> None:
    """The token's kid is in the JWKS, and the signature holds."""
    keys = driver.http.get(f"/{TENANT}/discovery/v2.0/keys").json()
    token = ask(driver).json()["access_token"]
    assert jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"]).claims["azp"] == DAEMON
