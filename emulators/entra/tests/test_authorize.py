"""The authorization request: where answers may go, and what is refused on the way."""

from __future__ import annotations

import pytest

from emulators.entra.directory import Application, Platform
from emulators.entra.redirects import platform_of
from emulators.entra.tests.driver import (
    API,
    CLIENT,
    SCOPE,
    STRANGER,
    TENANT,
    Driver,
    challenge,
    refused_page,
)

APP = Application(
    "c",
    "o",
    "app",
    redirect_uris={
        Platform.PUBLIC: ("http://localhost/callback", "http://127.0.0.1", "cursor://mcp/callback"),
        Platform.WEB: ("http://localhost/web", "https://web.example/callback?fixed=1"),
        Platform.SPA: ("https://spa.example/",),
    },
)


@pytest.mark.parametrize(
    ("uri", "platform"),
    [
        ("http://localhost/callback", Platform.PUBLIC),
        ("http://localhost:33418/callback", Platform.PUBLIC),
        ("http://127.0.0.1:5000", Platform.PUBLIC),
        ("http://127.0.0.1:5000/", Platform.PUBLIC),
        ("cursor://mcp/callback", Platform.PUBLIC),
        ("https://web.example/callback?fixed=1", Platform.WEB),
        ("https://spa.example/", Platform.SPA),
    ],
)
def test_a_registered_redirect_uri_is_found_with_its_platform(uri: str, platform: Platform) -> None:
    """Loopback ports are free on the public client platform; everything else is compared as text."""
    assert platform_of(APP, uri) is platform


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://localhost/callback/",
        "http://localhost/Callback",
        "http://localhost/callback?x=1",
        "http://localhost/callback#x",
        "https://localhost/callback",
        "http://127.0.0.1/callback",
        "http://[::1]/callback",
        "http://localhost.evil.example/callback",
        "http://localhost@evil.example/callback",
        "http://evil@localhost/callback",
        "http://localhost:80@evil.example/callback",
        "http://localhost\\@evil.example/callback",
        "http://localhost:1x/callback",
        "http://localhost/callback\n",
        " http://localhost/callback",
        "//localhost/callback",
        "http://localhost:8080/web",
        "https://web.example/callback",
        "https://web.example:443/callback?fixed=1",
        "https://spa.example",
        "cursor://mcp/callback/",
        "javascript:alert(1)",
    ],
)
def test_any_other_redirect_uri_belongs_to_no_platform(uri: str) -> None:
    """Hosts, paths, schemes and user info never bend; a web platform's port is not free."""
    assert platform_of(APP, uri) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": None}, 900144),
        ({"client_id": "aaaaaaaa-0000-4000-8000-00000000000f"}, 700016),
        ({"redirect_uri": None}, 50011),
        ({"redirect_uri": "https://evil.example/"}, 50011),
        ({"redirect_uri": "https://evil.example/", "scope": "nonsense"}, 50011),
        ({"client_id": STRANGER, "redirect_uri": "cursor://mcp/callback"}, 50011),
    ],
)
def test_without_a_trusted_redirect_uri_the_error_stays_on_a_page(
    driver: Driver, changes: dict[str, str | None], code: int
) -> None:
    """Nothing is ever sent to an address that is not the client's."""
    assert refused_page(driver.authorize(**changes)) == code


@pytest.mark.parametrize(
    ("changes", "code", "error"),
    [
        ({"response_type": "token"}, 700054, "unsupported_response_type"),
        ({"response_type": "code id_token"}, 700054, "unsupported_response_type"),
        ({"response_type": None}, 900144, "invalid_request"),
        ({"response_mode": "web_message"}, 90023, "invalid_request"),
        ({"prompt": "create"}, 90023, "invalid_request"),
        ({"prompt": "none"}, 50058, "login_required"),
        ({"scope": None}, 900144, "invalid_request"),
        ({"scope": "Mcp.Access"}, 650053, "invalid_client"),
        ({"scope": f"api://{API}/Nothing"}, 650053, "invalid_client"),
        ({"scope": "api://nobody/Mcp.Access"}, 500011, "invalid_resource"),
        ({"scope": f"{SCOPE} https://graph.microsoft.com/User.Read"}, 28000, "invalid_request"),
        ({"scope": f"{SCOPE} api://{API}/.default"}, 70011, "invalid_scope"),
        ({"resource": "http://127.0.0.1:8080/mongodb/mcp"}, 9010010, "invalid_target"),
        ({"resource": f"api://{API}/"}, 9010010, "invalid_target"),
        ({"code_challenge_method": "S512"}, 90023, "invalid_request"),
        ({"code_challenge": "short"}, 501491, "invalid_request"),
        ({"code_challenge": None}, 900144, "invalid_request"),
        ({"request": "eyJ"}, 901002, "invalid_request"),
        ({"request_uri": "https://evil.example"}, 901002, "invalid_request"),
        ({"claims": '{"id_token": {"acr": null}}'}, 901002, "invalid_request"),
        ({"claims": "{"}, 90023, "invalid_request"),
        ({"claims": "NaN"}, 90023, "invalid_request"),
        ({"claims": "[" * 20_000}, 90023, "invalid_request"),
        ({"claims": "[]"}, 901002, "invalid_request"),
        ({"claims": '{"access_token": null}'}, 901002, "invalid_request"),
        (
            {
                "redirect_uri": "https://spa.example/callback",
                "code_challenge": None,
                "code_challenge_method": None,
            },
            9002325,
            "invalid_request",
        ),
    ],
)
def test_with_a_trusted_redirect_uri_the_error_goes_to_the_client(
    driver: Driver, changes: dict[str, str | None], code: int, error: str
) -> None:
    """Entra's code, the OAuth error and the client's state arrive; no `iss` does."""
    landed = driver.landed(driver.authorize(**changes))
    assert landed["error_description"].startswith(f"AADSTS{code}: ")
    assert (landed["error"], landed["state"]) == (error, "s1")
    assert "iss" not in landed


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": API},
        {"resource": f"api://{API}"},
        {"scope": f"{API}/Mcp.Access"},
        {"scope": f"api://{API}/.default"},
        {"scope": "openid profile"},
        {"scope": "User.Read"},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"claims": '{"access_token": {"xms_cc": {"values": ["CP1"]}}}'},
        {"claims": "{}"},
        {"prompt": "login"},
        {"state": None},
    ],
)
def test_what_entra_accepts_reaches_the_page(driver: Driver, changes: dict[str, str | None]) -> None:
    """Each of these is a sign-in page, not an error."""
    shown = driver.authorize(**changes)
    assert (shown.status_code, "Pick an account" in shown.text) == (200, True)


def test_a_repeated_parameter_is_refused(driver: Driver) -> None:
    """Two values for one name are an attempt to be understood in two ways."""
    answer = driver.http.get(
        f"/{TENANT}/oauth2/v2.0/authorize?client_id={CLIENT}&client_id={STRANGER}&redirect_uri=http://localhost/callback"
    )
    assert refused_page(answer) == 9000411


@pytest.mark.parametrize(
    ("tenant", "code"),
    [("11111111-0000-4000-8000-000000000001", 90002), ("common", 50194), ("organizations", 50194), ("%2e%2e", 90002)],
)
def test_another_tenant_is_refused(driver: Driver, tenant: str, code: int) -> None:
    """Only the applied tenant signs in; the shared endpoints are not for single-tenant applications."""
    driver.tenant = tenant
    assert refused_page(driver.authorize()) == code


def test_the_tenant_may_be_named_by_its_domain(driver: Driver) -> None:
    """Entra ID accepts a verified domain in place of the id."""
    driver.tenant = "twin.example"
    assert driver.authorize().status_code == 200


def test_the_code_comes_back_in_the_query_by_default(driver: Driver) -> None:
    """Code and state only; a query of the redirect URI stays."""
    landed = driver.landed(driver.press(driver.authorize(), user="admin"))
    assert set(landed) == {"code", "state"}


def test_the_code_comes_back_in_the_fragment_on_request(driver: Driver) -> None:
    """`response_mode=fragment`."""
    answer = driver.press(driver.authorize(response_mode="fragment"), user="admin")
    assert "?" not in answer.headers["location"]
    assert set(driver.landed(answer)) == {"code", "state"}


def test_the_code_comes_back_in_a_form_on_request(driver: Driver) -> None:
    """`response_mode=form_post` posts to the redirect URI, and the policy of the page allows just that."""
    answer = driver.press(driver.authorize(response_mode="form_post"), user="admin")
    assert '<form method="post" action="http://localhost:1234/callback">' in answer.text
    assert 'name="code"' in answer.text
    assert "form-action 'self' http://localhost:1234;" in answer.headers["content-security-policy"]


def test_a_post_is_as_good_as_a_get(driver: Driver) -> None:
    """OpenID Connect lets clients POST the request."""
    form = {
        "client_id": CLIENT,
        "redirect_uri": "http://localhost/callback",
        "response_type": "code",
        "scope": SCOPE,
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    assert driver.post("authorize", form).status_code == 200
