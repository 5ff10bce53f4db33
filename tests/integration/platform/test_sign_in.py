"""The whole browser flow through the façade, as FastMCP's OAuth client runs it, and the façade's refusals."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from fastmcp import Client
from fastmcp.client.auth import OAuth

from ops.clients.registrations import REGISTRATIONS
from tests.support.browser import Browser
from tests.support.platform_under_test import ROOT, Answer, Platform, request

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "http://localhost:51234/callback"


def sign_in_when_called_back(browser: Browser, url: str, user: str) -> None:
    """The client opens the browser first and its callback server second, faster than any person clicks: wait for it."""
    callback = urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((callback.hostname, callback.port), 1):
            break
        time.sleep(0.05)
    browser.sign_in(url, user)


@pytest.mark.parametrize(("user", "writes"), [("admin", True), ("reader", False)])
async def test_fastmcp_signs_in_through_the_browser(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, user: str, writes: bool
) -> None:
    """Discovery, registration, PKCE, sign-in page, token, call: nothing is configured but the endpoint."""
    browser = Browser()

    def open_browser(url: str) -> bool:
        threading.Thread(target=sign_in_when_called_back, args=(browser, url, user), daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_browser)

    async with Client(platform.endpoint, auth=OAuth(callback_timeout=30)) as client:
        tools = {tool.name for tool in await client.list_tools()}
        found = await client.call_tool("find", {"database": "platform", "collection": "services", "limit": 1})

    assert ("insert-many" in tools) is writes
    assert not found.is_error
    assert browser.opened[0].startswith(f"{platform.gateway}/oauth/authorize?")
    at_entra = parse_qs(urlsplit(browser.opened[1]).query)
    assert browser.opened[1].startswith(platform.status["authority"].removesuffix("/v2.0"))
    assert "resource" not in at_entra
    assert at_entra["prompt"] == ["select_account"]


def test_authorization_server_metadata_says_what_entra_does_not(platform: Platform) -> None:
    """RFC 8414: the issuer is byte-identical to the advertised one; PKCE and registration are announced."""
    document = request(f"{platform.gateway}/.well-known/oauth-authorization-server").json
    assert document["issuer"] == platform.gateway
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["registration_endpoint"] == f"{platform.gateway}/oauth/register"
    assert "authorization_response_iss_parameter_supported" not in document
    assert document["scopes_supported"] == [platform.status["scope"], "offline_access"]
    resource = request(f"{platform.gateway}/.well-known/oauth-protected-resource/mongodb/mcp").json
    assert resource["scopes_supported"] == [platform.status["scope"]]
    assert "offline_access" not in platform.call("tools/list").headers["www-authenticate"]


def register(platform: Platform, *redirect_uris: str) -> Answer:
    body = json.dumps({"client_name": "test", "redirect_uris": redirect_uris}).encode()
    return request(f"{platform.gateway}/oauth/register", body, {"Content-Type": "application/json"})


def test_registration_returns_the_client_that_holds_all_uris(platform: Platform) -> None:
    answer = register(platform, CALLBACK, "http://127.0.0.1:33418/")
    assert answer.status == 201
    assert answer.json["token_endpoint_auth_method"] == "none"
    assert answer.json["redirect_uris"] == [CALLBACK, "http://127.0.0.1:33418/"]
    assert "client_secret" not in answer.json
    claude = register(platform, "https://claude.ai/api/mcp/auth_callback")
    assert claude.json["client_id"] != answer.json["client_id"]


@pytest.mark.parametrize(
    "redirect_uris",
    [
        ["https://evil.example/callback"],
        [CALLBACK, "https://evil.example/callback"],
        ["https://claude.ai/api/mcp/auth_callback", CALLBACK],
        ["http://localhost:80@evil.example/callback"],
        ["http://localhost.evil.example/callback"],
        [],
    ],
)
def test_registration_refuses_what_no_single_client_holds(platform: Platform, redirect_uris: list[str]) -> None:
    answer = register(platform, *redirect_uris)
    assert (answer.status, answer.json["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"redirect_uris": "x"}'])
def test_registration_refuses_malformed_bodies(platform: Platform, body: bytes) -> None:
    answer = request(f"{platform.gateway}/oauth/register", body, {"Content-Type": "application/json"}, "POST")
    assert (answer.status, answer.json["error"]) == (400, "invalid_redirect_uri")


@pytest.fixture(scope="module")
def client_id(platform: Platform) -> str:
    return str(register(platform, CALLBACK).json["client_id"])


def authorize_query(platform: Platform, client: str, **changes: Any) -> str:
    query = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": CALLBACK,
        "scope": platform.status["scope"],
        "state": "s t&a=te",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "resource": platform.endpoint,
        **changes,
    }
    return urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)


def authorize(platform: Platform, client: str, **changes: Any) -> Answer:
    return request(f"{platform.gateway}/oauth/authorize?{authorize_query(platform, client, **changes)}")


def test_authorize_sends_only_allowed_parameters_to_entra(platform: Platform, client_id: str) -> None:
    answer = authorize(platform, client_id, domain_hint="evil", claims="{}")
    assert answer.status == 302
    sent = urlsplit(answer.headers["location"])
    authority = platform.status["authority"].removesuffix("/v2.0")
    assert f"{sent.scheme}://{sent.netloc}{sent.path}" == f"{authority}/oauth2/v2.0/authorize"
    query = parse_qs(sent.query)
    assert query["state"] == ["s t&a=te"]
    assert query["redirect_uri"] == [CALLBACK]
    assert query["prompt"] == ["select_account"]
    assert not {"resource", "domain_hint", "claims"} & query.keys()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_redirect_uri"),
        ({"redirect_uri": None}, "invalid_redirect_uri"),
        ({"redirect_uri": [CALLBACK, "https://evil.example/"]}, "invalid_request"),
        ({"redirect_uri": "http://localhost:51234/callback/../evil"}, "invalid_redirect_uri"),
        ({"resource": ["http://a/", "http://b/"]}, "invalid_target"),
    ],
)
def test_authorize_never_redirects_to_an_unvalidated_uri(
    platform: Platform, client_id: str, changes: dict[str, Any], error: str
) -> None:
    answer = authorize(platform, client_id, **changes)
    assert answer.status == 400
    assert "location" not in answer.headers
    assert answer.json["error"] == error


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"resource": None}, "invalid_target"),
        ({"resource": "https://evil.example/mcp"}, "invalid_target"),
        ({"scope": "https://graph.microsoft.com/User.Read"}, "invalid_scope"),
    ],
)
def test_authorize_tells_a_validated_client_what_is_wrong(
    platform: Platform, client_id: str, changes: dict[str, Any], error: str
) -> None:
    answer = authorize(platform, client_id, **changes)
    assert answer.status == 302
    assert answer.headers["location"].startswith(f"{CALLBACK}?error={error}")
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"] == ["s t&a=te"]


def test_resource_comparison_forgives_case_of_host_and_trailing_slash(platform: Platform, client_id: str) -> None:
    scheme, rest = platform.endpoint.split("://")
    answer = authorize(platform, client_id, resource=f"{scheme.upper()}://{rest}/")
    assert "error=" not in answer.headers["location"]


def exchange(platform: Platform, headers: dict[str, str] | None = None, **form: Any) -> Answer:
    body = urlencode({k: v for k, v in form.items() if v is not None}, doseq=True).encode()
    sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    return request(f"{platform.gateway}/oauth/token", body, sent)


def code_for(platform: Platform, client_id: str, user: str, scope: str | None = None) -> str:
    """Signs in and reads the code from the address that the browser is sent to, which nobody serves."""
    query = authorize_query(platform, client_id, scope=scope or platform.status["scope"])
    browser = Browser()
    with contextlib.suppress(OSError):  # nothing listens at the callback: the address is all that is wanted
        browser.sign_in(f"{platform.gateway}/oauth/authorize?{query}", user)
    return parse_qs(urlsplit(browser.opened[-1]).query)["code"][0]


def test_token_exchange_and_refresh(platform: Platform, client_id: str) -> None:
    """Code and verifier buy a token that works; an Origin does not disturb; a refresh needs no scope and resource."""
    code = code_for(platform, client_id, "reader", scope=f"{platform.status['scope']} offline_access")
    common = {"client_id": client_id, "resource": platform.endpoint}
    bought = exchange(
        platform,
        {"Origin": "https://client.example"},
        grant_type="authorization_code",
        code=code,
        code_verifier=VERIFIER,
        redirect_uri=CALLBACK,
        scope=f"{platform.status['scope']} offline_access",
        **common,
    )
    assert bought.status == 200, bought.text
    assert bought.headers["cache-control"] == "no-store"
    assert bought.headers["access-control-allow-origin"] == "*"
    refreshed = exchange(platform, grant_type="refresh_token", refresh_token=bought.json["refresh_token"], **common)
    assert refreshed.status == 200, refreshed.text
    forgetful = exchange(
        platform, grant_type="refresh_token", refresh_token=refreshed.json["refresh_token"], client_id=client_id
    )
    assert forgetful.status == 200, forgetful.text
    token = forgetful.json["access_token"]
    assert platform.call("tools/list", headers={"Authorization": f"Bearer {token}"}).status == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_secret": "s"}, "invalid_client"),
        ({"client_assertion": "a"}, "invalid_client"),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, "invalid_client"),
        ({"code_verifier": None}, "invalid_request"),
        ({"resource": ""}, "invalid_target"),
        ({"resource": ["http://a/", "http://b/"]}, "invalid_target"),
        ({"code": ["a", "b"]}, "invalid_request"),
    ],
)
def test_token_endpoint_refuses(platform: Platform, client_id: str, changes: dict[str, Any], error: str) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": "code",
        "code_verifier": VERIFIER,
        "redirect_uri": CALLBACK,
        "resource": platform.endpoint,
        **changes,
    }
    answer = exchange(platform, **form)
    assert (answer.status, answer.json["error"]) == (400, error)


def test_entra_itself_refuses_the_resource_parameter(platform: Platform, client_id: str) -> None:
    """Why the façade exists: the same request straight to the issuer ends in AADSTS9010010."""
    authority = platform.status["authority"].removesuffix("/v2.0")
    answer = request(f"{authority}/oauth2/v2.0/authorize?{authorize_query(platform, client_id)}")
    assert "AADSTS9010010" in answer.headers.get("location", "") + answer.text


def test_connect_says_which_entry_serves_each_client(platform: Platform) -> None:
    """As the gateway itself answers: the shipped entry, or none where a connection has an address of its own."""
    entries = json.loads(platform.invoke("connect", "--json").stdout)["entries"]
    assert entries == {name: client.entry for name, client in REGISTRATIONS.items()}
    shown = platform.invoke("connect", "--client", "cursor")
    assert "cursor" in shown.stderr.rpartition("The entry of mcp_clients that serves it")[2]


def test_the_curl_that_connect_shows_calls_a_tool(platform: Platform) -> None:
    """Pasted into a shell in the project's folder, as it stands."""
    line = platform.invoke("connect", "--client", "curl").stdout
    here = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=ROOT,
        env={**os.environ, **platform.variables, **here},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answer = json.loads(done.stdout.rpartition("data: ")[2])
    assert not answer["result"].get("isError"), done.stdout + done.stderr
    assert answer["result"]["content"]
