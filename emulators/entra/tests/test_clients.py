"""Real client libraries, in process: MSAL and azure-identity, over https as they insist on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from starlette.testclient import TestClient

from emulators.base.state import State
from emulators.entra import applied
from emulators.entra.app import create_app
from emulators.entra.issuer import Issuer
from emulators.entra.tests.driver import API, BACKEND, CLIENT, DAEMON, KEYS, SCOPE, TENANT, claims, deployment

BASE = "https://login.twin.example"


class MsalTransport:
    """The little that MSAL wants of `requests`."""

    def __init__(self, http: TestClient) -> None:
        self._http = http

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Any:
        return self._http.get(url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> Any:
        return self._http.post(url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """Nothing to close: the fixture owns the connection."""


@pytest.fixture
def http() -> Iterator[TestClient]:
    issuer = Issuer(BASE, applied.directory(State(tuple(deployment()))), KEYS)
    with TestClient(create_app(issuer), base_url=BASE, follow_redirects=False) as client:
        yield client


@pytest.fixture
def public(http: TestClient) -> Any:
    """MSAL as a desktop application uses it; it checks the ID token's issuer, audience, nonce and lifetime itself."""
    return msal.PublicClientApplication(
        CLIENT,
        authority=f"{BASE}/{TENANT}",
        instance_discovery=False,
        http_client=MsalTransport(http),
    )


def press(http: TestClient, shown: httpx2.Response, **button: str) -> httpx2.Response:
    transaction = shown.text.partition('name="transaction" value="')[2].partition('"')[0]
    return http.post(f"/{TENANT}/login", data={"transaction": transaction, **button})


@pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended")  # MSAL's advice to web applications
def test_msal_signs_in_with_a_code_and_refreshes(http: TestClient, public: Any) -> None:
    """Authorization code with PKCE, then a silent refresh that names the scope."""
    flow = public.initiate_auth_code_flow([SCOPE], redirect_uri="http://localhost:4321/callback", login_hint="reader")
    answer = press(http, http.get(flow["auth_uri"]), user="reader")
    landed = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    result = public.acquire_token_by_auth_code_flow(flow, landed)
    assert "error" not in result, result
    assert claims(result["access_token"])["roles"] == ["Mcp.Read"]
    account = public.get_accounts()[0]
    assert account["username"] == "reader@twin.example"
    again = public.acquire_token_silent_with_error([SCOPE], account, force_refresh=True)
    assert claims(again["access_token"])["uti"] != claims(result["access_token"])["uti"]


def test_msal_signs_a_device_in(http: TestClient, public: Any) -> None:
    """The device flow, with the code typed on the page."""
    flow = public.initiate_device_flow([SCOPE])
    shown = http.post("/devicelogin", data={"user_code": flow["user_code"]})
    press(http, shown, user="admin")
    result = public.acquire_token_by_device_flow(flow)
    assert claims(result["access_token"])["oid"] == applied.LOCAL_USERS[0].object_id


def test_msal_reports_entras_errors(http: TestClient) -> None:
    """A confidential client with a wrong secret sees the AADSTS code."""
    client = msal.ConfidentialClientApplication(
        DAEMON,
        client_credential="wrong",
        authority=f"{BASE}/{TENANT}",
        instance_discovery=False,
        http_client=MsalTransport(http),
    )
    result = client.acquire_token_for_client([f"api://{API}/.default"])
    assert (result["error"], result["error_codes"]) == ("invalid_client", [7000215])


class AzureResponse:
    """An answer as azure-core's pipeline reads it."""

    def __init__(self, request: HttpRequest, answer: httpx2.Response) -> None:
        self.request, self.status_code, self.reason = request, answer.status_code, answer.reason_phrase
        self.headers, self.content_type, self._text = answer.headers, answer.headers.get("content-type"), answer.text
        self.block_size, self.internal_response = 4096, answer

    def text(self, encoding: str | None = None) -> str:
        return self._text

    def body(self) -> bytes:
        return self._text.encode()


class AzureTransport(HttpTransport[Any, Any]):
    """azure-core's transport over the in-process client."""

    def __init__(self, http: TestClient) -> None:
        self._http = http

    def send(self, request: Any, **_: Any) -> Any:
        body = request.data if isinstance(request.data, dict) else None
        return AzureResponse(
            request, self._http.request(request.method, request.url, data=body, headers=request.headers)
        )

    def open(self) -> None:
        """The fixture owns the connection."""

    def close(self) -> None:
        """The fixture owns the connection."""

    def __exit__(self, *_: object) -> None:
        """The fixture owns the connection."""


def credential(http: TestClient, secret: str) -> ClientSecretCredential:
    return ClientSecretCredential(
        TENANT,
        DAEMON,
        secret,
        authority=BASE,
        disable_instance_discovery=True,
        transport=AzureTransport(http),
    )


def test_azure_identity_gets_an_app_token(http: TestClient) -> None:
    """ClientSecretCredential, as pipelines use it."""
    token = credential(http, "daemon-secret").get_token(f"api://{API}/.default")
    assert (claims(token.token)["aud"], claims(token.token)["azp"]) == (API, DAEMON)


def test_azure_identity_reports_the_missing_role(http: TestClient) -> None:
    """The backend requires an assignment: AADSTS501051 reaches the developer."""
    with pytest.raises(ClientAuthenticationError, match="AADSTS501051"):
        credential(http, "daemon-secret").get_token(f"api://{BACKEND}/.default")
