"""`twin.sign_in` against the issuer itself, in process."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping

import pytest
from starlette.testclient import TestClient

from emulators.base.state import Resource, State
from emulators.entra import applied
from emulators.entra.app import create_app
from emulators.entra.issuer import Issuer
from emulators.entra.keys import KeyRing
from twin.sign_in import Answer, Send, SignInError, sign_in

TENANT = "99999999-0000-4000-8000-000000000001"
API, CLIENT = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
BASE = "http://127.0.0.1:8081"
AUTHORITY = f"{BASE}/{TENANT}/v2.0"
SCOPE = f"api://{API}/Mcp.Access"
SCOPE_ID = "cccccccc-0000-4000-8000-000000000001"


def _application(client_id: str, **values: object) -> Resource:
    base = {
        "id": f"/applications/{client_id}",
        "object_id": client_id,
        "client_id": client_id,
        "display_name": client_id,
    }
    return Resource(f"azuread_application.{client_id}", "azuread_application", base | values)


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    scope = {"id": SCOPE_ID, "value": "Mcp.Access"}
    api = [{"requested_access_token_version": 2, "oauth2_permission_scope": [scope]}]
    principal = {"client_id": API, "object_id": "eeeeeeee-0000-4000-8000-000000000001"}
    state = State(
        (
            _application(API, api=api, identifier_uris=[f"api://{API}"]),
            _application(CLIENT, public_client=[{"redirect_uris": ["http://localhost/callback"]}]),
            Resource("azuread_service_principal.api", "azuread_service_principal", principal),
        )
    )
    issuer = Issuer(BASE, applied.directory(state, TENANT), KeyRing.in_memory())
    with TestClient(create_app(issuer), base_url=BASE, follow_redirects=False) as http:

        def through(method: str, url: str, form: Mapping[str, str] | None) -> Answer:
            answer = http.request(method, url, data=dict(form) if form is not None else None)
            return Answer(answer.status_code, answer.headers.get("location", ""), answer.text)

        yield through


def test_returns_the_token_of_the_user_asked_for(send: Send) -> None:
    """The access token is the reader's, for our API; consent on the way is given."""
    payload = sign_in(AUTHORITY, CLIENT, SCOPE, "reader", send=send).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert (claims["preferred_username"], claims["aud"], claims["scp"]) == ("reader@twin.example", API, "Mcp.Access")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"user": "nobody"}, "no user 'nobody'; it offers admin, reader, outsider"),
        ({"client_id": "aaaaaaaa-0000-4000-8000-00000000000f"}, "AADSTS700016"),
        ({"scope": "Mcp.Access"}, "AADSTS650053"),
        ({"redirect_uri": "http://localhost/elsewhere"}, "AADSTS50011"),
        ({"authority": f"{BASE}/11111111-0000-4000-8000-000000000001/v2.0"}, "AADSTS90002"),
        ({"authority": f"{BASE}/nothing/here/at/all"}, "is not JSON"),
    ],
)
def test_refusals_say_why_in_one_sentence(send: Send, change: dict[str, str], sentence: str) -> None:
    """The issuer's own words reach the terminal, without its trace ids."""
    sound = {"authority": AUTHORITY, "client_id": CLIENT, "scope": SCOPE, "user": "admin"} | change
    with pytest.raises(SignInError) as refused:
        sign_in(**sound, send=send)
    assert sentence in str(refused.value)
    assert "Trace ID" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_changed_state_is_refused(send: Send) -> None:
    """A redirect that carries another state is not ours."""

    def tampered(method: str, url: str, form: Mapping[str, str] | None) -> Answer:
        answer = send(method, url, form)
        return Answer(answer.status, answer.location.replace("state=", "state=x"), answer.text)

    with pytest.raises(SignInError, match="another state"):
        sign_in(AUTHORITY, CLIENT, SCOPE, "admin", send=tampered)
