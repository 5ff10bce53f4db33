"""Refreshing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulators.entra.tests.driver import (
    API,
    CLIENT,
    KEYS,
    SCOPE,
    STRANGER,
    Driver,
    Make,
    api_application,
    claims,
    deployment,
    principal,
    refused,
    sp,
)


@pytest.mark.parametrize("scope", ["", "openid offline_access", SCOPE, f"{API}/Mcp.Access", f"api://{API}/.default"])
def test_a_refresh_gives_the_same_resource(driver: Driver, scope: str) -> None:
    """A missing scope means the original one; the answer holds a new refresh token."""
    first = driver.tokens()
    answer = driver.refresh(first["refresh_token"], **({"scope": scope} if scope else {}))
    second = answer.json()
    assert claims(second["access_token"])["scp"] == "Mcp.Access"
    assert second["refresh_token"] != first["refresh_token"]
    assert "id_token" in second


def test_a_used_refresh_token_still_works(driver: Driver) -> None:
    """Entra ID does not revoke a refresh token when it is used."""
    token = driver.tokens()["refresh_token"]
    assert driver.refresh(token).status_code == 200
    assert driver.refresh(token).status_code == 200


def test_a_refresh_token_survives_a_restart(driver: Driver, make: Make) -> None:
    """It is sealed with a kept key, not stored."""
    token = driver.tokens()["refresh_token"]
    assert make().refresh(token).status_code == 200


def test_refresh_tokens_live_ninety_days(driver: Driver) -> None:
    """Later it is AADSTS70008."""
    token = driver.tokens()["refresh_token"]
    driver.clock.now += 90 * 86_400 - 1
    assert driver.refresh(token).status_code == 200
    driver.clock.now += 1
    assert refused(driver.refresh(token)) == 70008


@pytest.mark.parametrize("token", ["made-up", "a.b.c.d.e", "eyJhbGciOiJub25lIn0..."])
def test_a_made_up_refresh_token_is_refused(driver: Driver, token: str) -> None:
    """AADSTS70000."""
    assert refused(driver.refresh(token)) == 70000


def test_nothing_else_that_is_sealed_passes_for_a_refresh_token(driver: Driver) -> None:
    """The record says what it is."""
    assert refused(driver.refresh(KEYS.seal({"kind": "other", "client": CLIENT}))) == 70000


def test_a_refresh_token_belongs_to_its_client(driver: Driver) -> None:
    """Another client cannot use it."""
    token = driver.tokens()["refresh_token"]
    assert refused(driver.token(grant_type="refresh_token", client_id=STRANGER, refresh_token=token)) == 70000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_secret": "right-secret"}, 700025),
        ({"resource": "http://127.0.0.1:8080/mongodb/mcp"}, 9010010),
        ({"scope": "Mcp.Access"}, 650053),
        ({"scope": "api://nobody/x"}, 500011),
    ],
)
def test_a_wrong_refresh_is_refused(driver: Driver, changes: dict[str, str], code: int) -> None:
    """The same rules as at the first redemption."""
    assert refused(driver.refresh(driver.tokens()["refresh_token"], **changes)) == code


def test_a_refresh_needs_consent_for_another_resource(driver: Driver) -> None:
    """AADSTS65001: the refresh token opens what the user agreed to, nothing more."""
    other = "https://storage.azure.com/user_impersonation"
    assert refused(driver.refresh(driver.tokens()["refresh_token"], scope=other)) == 65001


def test_a_user_who_lost_the_assignment_cannot_refresh(make: Make) -> None:
    """A newly applied directory judges what was issued before."""
    driver = make()
    token = driver.tokens("outsider")["refresh_token"]
    resources = [r for r in deployment() if r.values.get("object_id") != sp(API)]
    driver.issuer.adopt(make([*resources, principal(API, app_role_assignment_required=True)]).issuer.directory)
    assert refused(driver.refresh(token)) == 50105


def test_a_client_that_is_its_own_resource_must_name_it(make: Make) -> None:
    """The commonest failure an hour after sign-in: AADSTS90009 for a refresh without scope."""
    resources = [r for r in deployment() if r.address != "azuread_application.api"]
    redirects = [{"redirect_uris": ["http://localhost/callback"]}]
    driver = make([*resources, api_application(public_client=redirects)])
    shown = driver.press(driver.authorize(client_id=API), user="admin")
    code = driver.landed(driver.press(shown, accept="1"))["code"]
    token = driver.redeem(code, client_id=API).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": API, "refresh_token": token}
    assert refused(driver.token(**form)) == 90009
    assert refused(driver.token(**form, scope="openid offline_access")) == 90009
    assert driver.token(**form, scope=SCOPE).status_code == 200


def test_roles_follow_the_directory(make: Make) -> None:
    """A group change shows in the next token."""
    driver = make()
    token = driver.tokens("reader")["refresh_token"]
    without = [r for r in deployment() if r.type != "azuread_app_role_assignment"]
    driver.issuer.adopt(make(without).issuer.directory)
    assert "roles" not in claims(driver.refresh(token).json()["access_token"])


def change_admin(driver: Driver, **values: Any) -> None:
    users = tuple(replace(user, **values) if user.key == "admin" else user for user in driver.issuer.directory.users)
    driver.issuer.adopt(replace(driver.issuer.directory, users=users))


def test_revoked_sessions_end_and_new_ones_begin(driver: Driver) -> None:
    """AADSTS50173 is `invalid_grant`, so that a client signs in again; that session is good."""
    token = driver.tokens()["refresh_token"]
    driver.clock.now += 60
    change_admin(driver, sessions_valid_from=driver.clock.now)
    answer = driver.refresh(token)
    assert (refused(answer), answer.json()["error"], answer.json()["suberror"]) == (50173, "invalid_grant", "bad_token")
    assert driver.refresh(driver.tokens()["refresh_token"]).status_code == 200


def test_a_second_factor_cannot_be_shown_on_refresh(driver: Driver) -> None:
    """AADSTS50076 wants the person: at the page the sign-in goes on."""
    token = driver.tokens()["refresh_token"]
    change_admin(driver, needs_mfa=True)
    answer = driver.refresh(token)
    assert (refused(answer), answer.json()["error"]) == (50076, "interaction_required")
    assert driver.tokens()["access_token"]
