"""The pages: who is offered, what protects the forms, consent."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from emulators.base.state import Resource
from emulators.base.well_known import GRAPH
from emulators.entra.directory import Grant
from emulators.entra.tests.driver import (
    API,
    BASE,
    CLIENT,
    READERS,
    SCOPE,
    STRANGER,
    TENANT,
    Driver,
    Make,
    application,
    assignment,
    deployment,
    principal,
    refused,
    refused_page,
    sp,
)


def test_every_user_is_a_button_with_name_mail_and_groups(driver: Driver) -> None:
    """Without script: a form, and one button per person."""
    shown = driver.authorize().text
    assert re.findall(r'name="user" value="(\w+)"', shown) == ["admin", "reader", "outsider"]
    for text in ("Ada Admin", "reader@twin.example", "mcp-admins", "mcp-readers", "no groups", "<h1>", "vscode"):
        assert text in shown
    assert "<script" not in shown


@pytest.mark.parametrize("hint", ["reader", "reader@twin.example", "READER@twin.example"])
def test_the_login_hint_comes_first(driver: Driver, hint: str) -> None:
    """The suggested person is the first button and has the focus."""
    shown = driver.authorize(login_hint=hint).text
    assert re.findall(r'name="user" value="(\w+)"', shown)[0] == "reader"
    assert shown.count("autofocus") == 1


def test_pages_cannot_be_framed_cached_or_scripted(driver: Driver) -> None:
    """Headers of the sign-in page; the form may lead to the redirect URI's origin and nowhere else."""
    headers = driver.authorize().headers
    assert headers["x-frame-options"] == "DENY"
    assert "no-store" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://localhost:1234;" in policy
    assert "unsafe" not in policy


def test_names_are_escaped(make: Make) -> None:
    """An application's name is text, whatever it holds."""
    resources = [r for r in deployment() if r.get("client_id") != CLIENT or r.type != "azuread_application"]
    resources = [r for r in resources if r.type != "azuread_application_password"]
    name = "<script>alert(1)</script>\"'"
    resources.append(application(CLIENT, name, public_client=[{"redirect_uris": ["http://localhost/callback"]}]))
    shown = make(resources).authorize().text
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_errors_are_escaped(driver: Driver) -> None:
    """What the request held comes back as text."""
    shown = driver.authorize(redirect_uri='"><script>alert(1)</script>').text
    assert "<script" not in shown


def test_cancel_is_access_denied(driver: Driver) -> None:
    """The client hears that the person declined."""
    landed = driver.landed(driver.press(driver.authorize(), cancel="1"))
    assert (landed["error"], landed["state"]) == ("access_denied", "s1")


def test_a_page_works_once(driver: Driver) -> None:
    """The transaction of a form is spent by its first use."""
    shown = driver.authorize()
    assert "code" in driver.landed(driver.press(shown, user="admin"))
    assert refused_page(driver.press(shown, user="reader")) == 9002313


def test_a_page_expires(driver: Driver) -> None:
    """After a quarter of an hour the form is void."""
    shown = driver.authorize()
    driver.clock.now += 901
    assert refused_page(driver.press(shown, user="admin")) == 9002313


@pytest.mark.parametrize("transaction", ["", "forged", "A" * 43])
def test_a_form_without_a_page_is_refused(driver: Driver, transaction: str) -> None:
    """Posting a user without having been shown the page signs nobody in."""
    answer = driver.http.post(f"/{TENANT}/login", data={"transaction": transaction, "user": "admin"})
    assert refused_page(answer) == 9002313


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_another_site_is_refused(driver: Driver, headers: dict[str, str]) -> None:
    """Browsers say where a form came from; a foreign one does not count, and the page stays usable."""
    shown = driver.authorize()
    driver.http.headers.update(headers)
    assert refused_page(driver.press(shown, user="admin")) == 9002313


def test_a_form_from_our_own_page_is_accepted(driver: Driver) -> None:
    """What a browser sends from the page itself."""
    shown = driver.authorize()
    driver.http.headers.update({"Origin": BASE, "Sec-Fetch-Site": "same-origin"})
    assert "code" in driver.landed(driver.press(shown, user="admin"))


def test_an_unknown_user_is_refused(driver: Driver) -> None:
    """Only people of the directory sign in."""
    assert refused_page(driver.press(driver.authorize(), user="nobody")) == 50034


def test_a_client_without_preauthorisation_needs_consent_once(driver: Driver) -> None:
    """The page asks, the answer is remembered for that person and client."""
    asked = driver.press(driver.authorize(client_id=STRANGER), user="reader")
    assert "Permissions requested" in asked.text
    assert "Mcp.Access" in asked.text
    assert "code" in driver.landed(driver.press(asked, accept="1"))
    assert "code" in driver.landed(driver.press(driver.authorize(client_id=STRANGER), user="reader"))
    assert "Permissions requested" in driver.press(driver.authorize(client_id=STRANGER), user="admin").text


def test_declined_consent_is_access_denied(driver: Driver) -> None:
    """And is not remembered."""
    asked = driver.press(driver.authorize(client_id=STRANGER), user="reader")
    assert driver.landed(driver.press(asked, cancel="1"))["error"] == "access_denied"
    assert "Permissions requested" in driver.press(driver.authorize(client_id=STRANGER), user="reader").text


def test_prompt_consent_asks_even_where_nothing_is_missing(driver: Driver) -> None:
    """`prompt=consent`."""
    assert "Permissions requested" in driver.press(driver.authorize(prompt="consent"), user="admin").text


def test_the_account_form_cannot_skip_consent(driver: Driver) -> None:
    """A consent page's transaction is worth nothing at the account form, and the other way round."""
    asked = driver.press(driver.authorize(client_id=STRANGER), user="reader")
    transaction = re.search(r'name="transaction" value="([^"]+)"', asked.text)
    assert transaction
    form = {"transaction": transaction[1], "user": "admin"}
    assert refused_page(driver.http.post(f"/{TENANT}/login", data=form)) == 9002313
    shown = re.search(r'name="transaction" value="([^"]+)"', driver.authorize().text)
    assert shown
    assert (
        refused_page(driver.http.post(f"/{TENANT}/consent", data={"transaction": shown[1], "accept": "1"})) == 9002313
    )


def test_an_admin_only_scope_is_not_the_users_to_grant(driver: Driver) -> None:
    """AADSTS90094 where the scope's type is Admin and nobody granted it."""
    shown = driver.authorize(client_id=STRANGER, scope=f"api://{API}/Mcp.Manage")
    assert refused_page(driver.press(shown, user="admin")) == 90094


def test_an_administrators_grant_replaces_consent(make: Make) -> None:
    """azuread_service_principal_delegated_permission_grant for everybody."""
    values = {
        "service_principal_object_id": sp(STRANGER),
        "resource_service_principal_object_id": sp(API),
        "claim_values": ["Mcp.Access", "Mcp.Manage"],
    }
    grant = Resource("grant", "azuread_service_principal_delegated_permission_grant", values)
    driver = make([*deployment(), grant])
    shown = driver.authorize(client_id=STRANGER, scope=f"{SCOPE} api://{API}/Mcp.Manage")
    assert "code" in driver.landed(driver.press(shown, user="outsider"))


def test_default_scope_without_registered_permissions_is_refused(driver: Driver) -> None:
    """`.default` means what was granted or registered; a client with neither gets AADSTS650057."""
    shown = driver.authorize(client_id=STRANGER, scope=f"api://{API}/.default")
    assert refused_page(driver.press(shown, user="admin")) == 650057


def test_default_scope_asks_for_what_the_client_registered(make: Make) -> None:
    """`.default` with required_resource_access leads to consent for exactly those scopes."""
    scope_id = "cccccccc-0000-4000-8000-000000000001"
    access = {"resource_app_id": API, "resource_access": [{"id": scope_id, "type": "Scope"}]}
    other = "aaaaaaaa-0000-4000-8000-000000000009"
    redirects = [{"redirect_uris": ["http://localhost/callback"]}]
    driver = make(
        [*deployment(), application(other, "other", public_client=redirects, required_resource_access=[access])]
    )
    asked = driver.press(driver.authorize(client_id=other, scope=f"api://{API}/.default"), user="reader")
    assert "<code>Mcp.Access</code>" in asked.text
    code = driver.landed(driver.press(asked, accept="1"))["code"]
    assert driver.redeem(code, client_id=other).json()["scope"] == f"{SCOPE} api://{API}/.default"


def test_required_assignment_keeps_others_out(make: Make) -> None:
    """AADSTS50105 on the page; those in an assigned group pass."""
    resources = [r for r in deployment() if r.values.get("object_id") != sp(API)]
    driver = make([*resources, principal(API, app_role_assignment_required=True)])
    assert refused_page(driver.press(driver.authorize(), user="outsider")) == 50105
    assert "code" in driver.landed(driver.press(driver.authorize(), user="reader"))


def test_required_assignment_of_the_client_counts_too(make: Make) -> None:
    """The client's own service principal may want its users assigned."""
    resources = [r for r in deployment() if r.values.get("object_id") != sp(CLIENT)]
    default = "00000000-0000-0000-0000-000000000000"
    required = principal(CLIENT, app_role_assignment_required=True)
    driver = make([*resources, required, assignment(default, READERS, CLIENT)])
    assert refused_page(driver.press(driver.authorize(), user="admin")) == 50105
    assert "code" in driver.landed(driver.press(driver.authorize(), user="reader"))


def test_a_revoked_consent_shows_at_the_token_endpoint(make: Make) -> None:
    """A code that was issued before pre-authorisation went away gets AADSTS65001, with the suberror MSAL looks for."""
    driver = make()
    code = driver.code()
    without = [r for r in deployment() if r.type != "azuread_application_pre_authorized"]
    driver.issuer.adopt(make(without).issuer.directory)
    answer = driver.redeem(code)
    assert refused(answer) == 65001
    assert (answer.json()["error"], answer.json()["suberror"]) == ("invalid_grant", "consent_required")


def test_first_party_clients_need_no_registration(driver: Driver) -> None:
    """Visual Studio Code is in every tenant, and asks for consent unless pre-authorised."""
    visual_studio_code = "aebc6443-996d-45c2-90f0-388ff96faa56"
    shown = driver.authorize(client_id=visual_studio_code, redirect_uri="https://vscode.dev/redirect")
    assert "Visual Studio Code" in shown.text
    assert "Permissions requested" in driver.press(shown, user="reader").text


def without_consent(driver: Driver, *grants: Grant) -> Driver:
    driver.issuer.adopt(replace(driver.issuer.directory, users_may_consent=False, grants=grants))
    return driver


def test_where_users_may_not_consent_an_administrator_has_to(driver: Driver) -> None:
    """Pre-authorization covers the API's scope alone: openid, profile and offline_access are Graph's (AADSTS90094)."""
    without_consent(driver)
    assert refused_page(driver.press(driver.authorize(), user="admin")) == 90094
    assert "code" in driver.landed(driver.press(driver.authorize(scope=SCOPE), user="admin"))


@pytest.mark.parametrize(("granted", "passes"), [({"openid", "profile", "offline_access"}, True), ({"openid"}, False)])
def test_a_grant_for_everybody_is_enough(driver: Driver, granted: set[str], passes: bool) -> None:
    graph = driver.issuer.directory.service_principals[GRAPH].object_id
    without_consent(driver, Grant(sp(CLIENT), graph, None, frozenset(granted)))
    answer = driver.press(driver.authorize(), user="admin")
    assert answer.status_code == (302 if passes else 400)
