"""The OAuth façade and the issuer's page, attacked: RFC 9700, Best Current Practice for OAuth 2.0 Security."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import urllib.error
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support.browser import Browser
from tests.support.platform_under_test import Answer, Platform, request

VERIFIER = "a" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "http://localhost:52345/callback"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def register(platform: Platform, document: Any) -> Answer:
    body = json.dumps(document).encode()
    return request(f"{platform.gateway}/oauth/register", body, {"Content-Type": "application/json"})


@pytest.fixture(scope="module")
def client_id(platform: Platform) -> str:
    return str(register(platform, {"redirect_uris": [CALLBACK]}).json["client_id"])


def authorize_url(platform: Platform, client: str, **changes: Any) -> str:
    query = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": CALLBACK,
        "scope": platform.status["scope"],
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "resource": platform.endpoint,
        **changes,
    }
    given = {name: value for name, value in query.items() if value is not None}
    return f"{platform.gateway}/oauth/authorize?{urlencode(given, doseq=True)}"


REDIRECTS = [
    "https://evil.example/callback",
    "http://localhost:52345@evil.example/callback",
    "http://localhost:52345\\@evil.example/callback",
    "http://localhost.evil.example/callback",
    "http://evil.example#http://localhost:52345/callback",
    "http://evil.example/?http://localhost/callback",
    "http://localhost:52345/callback/../evil",
    "http://localhost:52345/callback%2f..",
    "http://localhost:52345/callback?next=https://evil.example",
    "http://localhost:52345/callback#https://evil.example",
    "http://localhost:52345/Callback",
    "http://LOCALHOST.:52345/callback",
    "http://127.0.0.1.nip.io/callback",
    "http://[::ffff:127.0.0.1]:52345/callback",
    "http://2130706433:52345/callback",
    "https://localhost:52345/callback",
    "//evil.example/callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "vscode://evil/callback",
    "http://localhost:52345/callback\r\nLocation: https://evil.example",
    "http://localhost:52345/callback\x00.evil.example",
    "https://claude.ai/api/mcp/auth_callback",
]


@pytest.mark.parametrize("uri", REDIRECTS)
def test_a_foreign_redirect_uri_is_neither_followed_nor_registered(
    platform: Platform, client_id: str, uri: str
) -> None:
    """Not at `authorize`, where it would carry the code away, and not at `register` beside a good one."""
    answer = request(authorize_url(platform, client_id, redirect_uri=uri))
    assert answer.status == 400, answer.text
    assert "location" not in answer.headers
    both = register(platform, {"redirect_uris": [CALLBACK, uri]})
    assert (both.status, both.json["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge": "short"},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "s256"},
        {"response_type": "token"},
        {"response_type": "code id_token"},
        {"response_type": "none"},
        {"resource": None},
        {"resource": "https://evil.example/mcp"},
        {"resource": ["https://evil.example/mcp", "x"]},
        {"request": "eyJhbGciOiJub25lIn0.e30."},
        {"request_uri": "https://evil.example/request"},
    ],
    ids=str,
)
def test_a_weaker_request_never_reaches_the_issuer(platform: Platform, client_id: str, changes: dict[str, Any]) -> None:
    """PKCE downgrade, other flows and resources, requests by reference: an error to the validated address, or 400."""
    answer = request(authorize_url(platform, client_id, **changes))
    location = answer.headers.get("location", "")
    if "request" in changes or "request_uri" in changes:
        # Unknown parameters are not forwarded; what is left is an ordinary request.
        assert not {"request", "request_uri"} & parse_qs(urlsplit(location).query).keys()
        return
    assert not location.startswith(platform.status["authority"].removesuffix("/v2.0"))
    if location:
        assert location.startswith(f"{CALLBACK}?")
        assert "error=" in location
        assert "code=" not in location
    else:
        assert answer.status == 400


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "resource", "state", "code_challenge", "scope"])
def test_a_parameter_given_twice_is_refused(platform: Platform, client_id: str, name: str) -> None:
    url = f"{authorize_url(platform, client_id)}&{urlencode({name: 'https://evil.example/'})}"
    answer = request(url)
    assert not answer.headers.get("location", "").startswith(platform.status["authority"].removesuffix("/v2.0"))
    assert "evil.example" not in answer.headers.get("location", "")


def _code(platform: Platform, client_id: str) -> str:
    """Signs in and reads the code from the address that the browser is sent to, which nobody serves."""
    browser = Browser()
    with contextlib.suppress(urllib.error.URLError):
        browser.sign_in(authorize_url(platform, client_id), "admin")
    return parse_qs(urlsplit(browser.opened[-1]).query)["code"][0]


def _redeem(platform: Platform, client: str, code: str, **changes: Any) -> Answer:
    form = {
        "grant_type": "authorization_code",
        "client_id": client,
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "resource": platform.endpoint,
        **changes,
    }
    body = urlencode({name: value for name, value in form.items() if value is not None}, doseq=True).encode()
    return request(f"{platform.gateway}/oauth/token", body, FORM)


def test_a_code_is_good_once(platform: Platform, client_id: str) -> None:
    """RFC 6749 section 4.1.2: a code that is used twice is refused the second time."""
    code = _code(platform, client_id)
    assert _redeem(platform, client_id, code).status == 200
    assert _redeem(platform, client_id, code).status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "b" * 64},
        {"code_verifier": None},
        {"code_verifier": ""},
        {"redirect_uri": "http://localhost:52346/callback"},
        {"redirect_uri": None},
        {"client_id": "00000000-0000-0000-0000-000000000000"},
        {"resource": "https://evil.example/mcp"},
        {"client_secret": "guess"},
        {"client_assertion": "x.y.z", "client_assertion_type": ASSERTION},
        {"grant_type": "password", "username": "admin@twin.example", "password": "x"},
        {"grant_type": "client_credentials"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x.y.z"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
        {"grant_type": ["authorization_code", "password"]},
    ],
    ids=lambda changes: ", ".join(changes),
)  # fmt: skip
def test_a_stolen_code_is_worth_nothing(platform: Platform, client_id: str, changes: dict[str, Any]) -> None:
    """Without the verifier, for another client, for another address or through another grant: no token."""
    answer = _redeem(platform, client_id, _code(platform, client_id), **changes)
    assert answer.status in (400, 401), answer.text
    assert "access_token" not in answer.json
    assert answer.headers["cache-control"] == "no-store"


def test_a_code_buys_no_other_scope(platform: Platform, client_id: str) -> None:
    """A foreign scope at the token endpoint is not passed on: the token is for this platform, or there is none."""
    code = _code(platform, client_id)
    answer = _redeem(platform, client_id, code, scope="https://graph.microsoft.com/.default")
    assert "graph" not in answer.text
    assert answer.status == 400 or answer.json["scope"] == platform.status["scope"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1:1", "localhost", ""])
@pytest.mark.parametrize(
    "path", ["/.well-known/oauth-protected-resource/mongodb/mcp", "/.well-known/oauth-authorization-server"]
)
def test_metadata_says_the_same_whatever_host_is_asked_for(platform: Platform, path: str, host: str) -> None:
    """A cache that is poisoned by a `Host` would send everybody to another issuer."""
    honest = request(f"{platform.gateway}{path}")
    forged = request(f"{platform.gateway}{path}", headers={"Host": host, "X-Forwarded-Host": "evil.example"})
    assert forged.status in (200, 400)
    if forged.status == 200:
        assert forged.text == honest.text


@pytest.mark.parametrize(
    "document",
    [
        {"redirect_uris": [CALLBACK], "client_id": "chosen"},
        {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_basic"},
        {"redirect_uris": [CALLBACK], "client_name": "<script>alert(1)</script>"},
        {"redirect_uris": [CALLBACK], "jwks_uri": "http://169.254.169.254/metadata"},
        {"redirect_uris": [CALLBACK], "software_statement": "x.y.z"},
    ],
    ids=lambda document: sorted(document)[0],
)
def test_registration_takes_nothing_but_addresses(platform: Platform, client_id: str, document: dict[str, Any]) -> None:
    """It creates no client and fetches no address: the answer is the entry that exists, and never a page."""
    answer = register(platform, document)
    assert answer.json["client_id"] == client_id
    assert answer.json["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in answer.json
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [({"Origin": "https://evil.example"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Origin": "null"}, 403)],
    ids=["origin", "fetch metadata", "null"],
)
def test_the_sign_in_page_takes_no_form_from_elsewhere(
    platform: Platform, client_id: str, headers: dict[str, str], wanted: int
) -> None:
    """Cross-site request forgery: a page elsewhere cannot press the button for the person."""
    page = Browser().open(authorize_url(platform, client_id))
    form = page.form()
    body = urlencode({**form.fields, **dict(form.buttons[:1])}).encode()
    target = form.action if form.action.startswith("http") else f"{page.url.split('?')[0]}"
    answer = request(target, body, {**FORM, **headers})
    assert answer.status in (wanted, 400), answer.text
    assert "code=" not in answer.headers.get("location", "")
