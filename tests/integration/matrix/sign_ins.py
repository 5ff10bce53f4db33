"""The ways to a token: a person through the façade, through Entra or through MSAL; a program by itself."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import urllib.error
import warnings
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import msal

from tests.support.browser import Browser
from tests.support.platform_under_test import Answer, Platform, request

VERIFIER = "m" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "http://localhost:54321/callback"


def facade(platform: Platform, user: str) -> str:
    """As MCP clients do it: metadata, registration, PKCE, `resource`."""
    origin = request(f"{platform.gateway}/.well-known/oauth-protected-resource/mongodb/mcp").json
    server = request(f"{origin['authorization_servers'][0]}/.well-known/oauth-authorization-server").json
    registration = json.dumps({"redirect_uris": [CALLBACK]}).encode()
    client = request(server["registration_endpoint"], registration, {"Content-Type": "application/json"}).json
    resource = {"resource": origin["resource"]}
    return _code_flow(server, client["client_id"], origin["scopes_supported"][0], user, resource)


def document(platform: Platform, user: str) -> str:
    """As MCP 2026-07-28 prefers it: the client id is the address of a metadata document, and nothing registers.

    The vendor's site is out of reach here, so the entry that names the document decides.
    """
    origin = request(f"{platform.gateway}/.well-known/oauth-protected-resource/mongodb/mcp").json
    server = request(f"{origin['authorization_servers'][0]}/.well-known/oauth-authorization-server").json
    assert server["client_id_metadata_document_supported"]
    client_id = "https://claude.ai/oauth/claude-code-client-metadata"
    return _code_flow(server, client_id, origin["scopes_supported"][0], user, {"resource": origin["resource"]})


def entra(platform: Platform, user: str) -> str:
    """As a client does it that knows Entra ID: its own metadata, no registration, no `resource`."""
    server = request(f"{platform.status['authority']}/.well-known/openid-configuration").json
    return _code_flow(server, platform.status["client_id"], platform.status["scope"], user, {})


def _code_flow(server: dict[str, Any], client_id: str, scope: str, user: str, more: dict[str, str]) -> str:
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": scope,
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **more,
    }
    landed = _landed(f"{server['authorization_endpoint']}?{urlencode(query)}", user)
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": landed["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        **more,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = request(server["token_endpoint"], urlencode(form).encode(), headers)
    assert answer.status == 200, answer.text
    return str(answer.json["access_token"])


def _landed(url: str, user: str) -> dict[str, str]:
    """The query of the address that the browser is sent back to, where nobody listens."""
    browser = Browser()
    with contextlib.suppress(urllib.error.URLError):
        browser.sign_in(url, user)
    found = parse_qs(urlsplit(browser.opened[-1]).query)
    assert "code" in found, browser.opened
    return {name: values[0] for name, values in found.items()}


class _Plain:
    """MSAL insists on https; the local issuer answers on the same address without it."""

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Any:
        return self._answer(request(_http(url, params), None, dict(headers or {})))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> Any:
        body = urlencode(data, doseq=True).encode() if isinstance(data, dict) else (data or "").encode()
        given = {"Content-Type": "application/x-www-form-urlencoded", **dict(headers or {})}
        return self._answer(request(_http(url, params), body, given))

    def close(self) -> None:
        """Nothing stays open."""

    @staticmethod
    def _answer(answer: Answer) -> Any:
        class Response:
            status_code, headers = answer.status, answer.headers
            text = answer.text.replace("http://127.0.0.1", "https://127.0.0.1")

            def raise_for_status(self) -> None:
                assert self.status_code < 400, self.text

        return Response()


def _http(url: str, params: Any) -> str:
    return url.replace("https://127.0.0.1", "http://127.0.0.1", 1) + (f"?{urlencode(params)}" if params else "")


def _authority(platform: Platform) -> str:
    return str(platform.status["authority"]).removesuffix("/v2.0").replace("http://", "https://", 1)


def msal_person(platform: Platform, user: str) -> str:
    """MSAL as a desktop application uses it."""
    client = msal.PublicClientApplication(
        platform.status["client_id"], authority=_authority(platform), instance_discovery=False, http_client=_Plain()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its advice to web applications
        flow = client.initiate_auth_code_flow([platform.status["scope"]], redirect_uri=CALLBACK)
    landed = _landed(_http(flow["auth_uri"], None), user)
    result = client.acquire_token_by_auth_code_flow(flow, dict(parse_qsl(urlencode(landed))))
    assert "access_token" in result, result
    return str(result["access_token"])


def msal_daemon(platform: Platform, client_id: str, secret: str) -> str:
    """MSAL as a service uses it."""
    client = msal.ConfidentialClientApplication(
        client_id,
        secret,
        authority=_authority(platform),
        instance_discovery=False,
        http_client=_Plain(),
    )
    result = client.acquire_token_for_client([f"{platform.status['scope'].rpartition('/')[0]}/.default"])
    assert "access_token" in result, result
    return str(result["access_token"])
