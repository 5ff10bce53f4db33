"""One applied deployment as the issuer meets it, driven through its pages and endpoints without a socket."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from httpx2 import Response
from starlette.testclient import TestClient

from emulators.base.state import Resource
from emulators.entra import applied
from emulators.entra.issuer import Issuer
from emulators.entra.keys import KeyRing

TENANT = "99999999-0000-4000-8000-000000000001"
API = "aaaaaaaa-0000-4000-8000-000000000001"
CLIENT = "aaaaaaaa-0000-4000-8000-000000000002"
BACKEND = "aaaaaaaa-0000-4000-8000-000000000003"
STRANGER = "aaaaaaaa-0000-4000-8000-000000000004"
DAEMON = "aaaaaaaa-0000-4000-8000-000000000005"
GATEWAY = "bbbbbbbb-0000-4000-8000-000000000001"
GATEWAY_PRINCIPAL = "bbbbbbbb-0000-4000-8000-000000000002"
PIPELINE = "bbbbbbbb-0000-4000-8000-000000000003"
PIPELINE_PRINCIPAL = "bbbbbbbb-0000-4000-8000-000000000004"
SCOPE_ID = "cccccccc-0000-4000-8000-000000000001"
ADMIN_SCOPE_ID = "cccccccc-0000-4000-8000-000000000002"
ROLE_ADMIN = "cccccccc-0000-4000-8000-000000000003"
ROLE_READ = "cccccccc-0000-4000-8000-000000000004"
ROLE_INVOKE = "cccccccc-0000-4000-8000-000000000005"
ADMINS = "dddddddd-0000-4000-8000-000000000001"
READERS = "dddddddd-0000-4000-8000-000000000002"
ADMIN, READER, OUTSIDER = (user.object_id for user in applied.LOCAL_USERS)
SCOPE = f"api://{API}/Mcp.Access"
BASE = "http://127.0.0.1:8081"
SECRET = "host-secret-1"
VERIFIER = "v" * 43

KEYS = KeyRing.in_memory()


def sp(client_id: str) -> str:
    """The service principal's object id in this deployment."""
    return client_id.replace("aaaaaaaa", "eeeeeeee")


def application(client_id: str, name: str, **values: Any) -> Resource:
    object_id = client_id.replace("aaaaaaaa", "0b0b0b0b")
    base = {"id": f"/applications/{object_id}", "object_id": object_id, "client_id": client_id, "display_name": name}
    return Resource(f"azuread_application.{name}", "azuread_application", base | values)


def companion(app: str, kind: str, **values: Any) -> Resource:
    owner = f"/applications/{app.replace('aaaaaaaa', '0b0b0b0b')}"
    return Resource(f"azuread_application_{kind}.x", f"azuread_application_{kind}", {"application_id": owner, **values})


def principal(client_id: str, **values: Any) -> Resource:
    base = {"client_id": client_id, "object_id": sp(client_id)}
    return Resource(f"azuread_service_principal.{client_id}", "azuread_service_principal", base | values)


def group(object_id: str, name: str, *members: str) -> Resource:
    values = {"object_id": object_id, "display_name": name, "members": list(members), "security_enabled": True}
    return Resource(f"azuread_group.{name}", "azuread_group", values)


def assignment(role: str, holder: str, client_id: str) -> Resource:
    values = {"app_role_id": role, "principal_object_id": holder, "resource_object_id": sp(client_id)}
    return Resource("azuread_app_role_assignment.x", "azuread_app_role_assignment", values)


def identity(name: str, client_id: str, principal_id: str) -> Resource:
    values = {"id": f"/subscriptions/s/{name}", "name": name, "client_id": client_id, "principal_id": principal_id}
    return Resource(
        f"azurerm_user_assigned_identity.{name}", "azurerm_user_assigned_identity", values | {"tenant_id": TENANT}
    )


def scope_block(identifier: str, value: str, **values: Any) -> dict[str, Any]:
    return {"id": identifier, "value": value, "enabled": True, "type": "User"} | values


def role_block(identifier: str, value: str, *member_types: str) -> dict[str, Any]:
    return {"id": identifier, "value": value, "enabled": True, "allowed_member_types": list(member_types)}


def api_application(version: int = 2, **values: Any) -> Resource:
    scopes = [scope_block(SCOPE_ID, "Mcp.Access"), scope_block(ADMIN_SCOPE_ID, "Mcp.Manage", type="Admin")]
    roles = [role_block(ROLE_ADMIN, "Mcp.Admin", "User", "Application")]
    roles += [role_block(ROLE_READ, "Mcp.Read", "User", "Application")]
    block = {"requested_access_token_version": version, "oauth2_permission_scope": scopes}
    return application(API, "api", **({"api": [block], "app_role": roles} | values))


def deployment() -> list[Resource]:
    """The applied resources: api, a public client, the backend, one unknown client, one daemon, two identities."""
    public = {
        "public_client": [
            {"redirect_uris": ["http://localhost/callback", "http://127.0.0.1/", "cursor://mcp/callback"]}
        ],
        "web": [{"redirect_uris": ["https://web.example/callback"]}],
        "single_page_application": [{"redirect_uris": ["https://spa.example/callback"]}],
        "fallback_public_client_enabled": True,
    }
    return [
        api_application(),
        application(CLIENT, "vscode", **public),
        application(STRANGER, "stranger", public_client=[{"redirect_uris": ["http://localhost/callback"]}]),
        application(DAEMON, "daemon", identifier_uris=[f"api://{DAEMON}"]),
        application(
            BACKEND,
            "backend",
            api=[{"requested_access_token_version": 2}],
            identifier_uris=[f"api://{BACKEND}"],
            app_role=[role_block(ROLE_INVOKE, "Gateway.Invoke", "Application")],
        ),
        companion(API, "identifier_uri", identifier_uri=f"api://{API}"),
        companion(API, "pre_authorized", authorized_client_id=CLIENT, permission_ids=[SCOPE_ID]),
        companion(CLIENT, "password", value="right-secret", end_date="2099-01-01T00:00:00Z"),
        companion(CLIENT, "password", value="old-secret", end_date="2020-01-01T00:00:00Z"),
        companion(DAEMON, "password", value="daemon-secret"),
        *(principal(app) for app in (API, CLIENT, STRANGER, DAEMON)),
        principal(BACKEND, app_role_assignment_required=True),
        identity("gateway", GATEWAY, GATEWAY_PRINCIPAL),
        identity("pipeline", PIPELINE, PIPELINE_PRINCIPAL),
        group(ADMINS, "mcp-admins", ADMIN),
        group(READERS, "mcp-readers", READER),
        assignment(ROLE_ADMIN, ADMINS, API),
        assignment(ROLE_READ, READERS, API),
        assignment(ROLE_INVOKE, GATEWAY_PRINCIPAL, BACKEND),
    ]


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def claims(token: str) -> dict[str, Any]:
    """The payload, unverified."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


@dataclass
class Driver:
    issuer: Issuer
    http: TestClient
    clock: Clock
    tenant: str = TENANT

    def authorize(self, **changes: str | None) -> Response:
        """GET authorize with sound parameters, changed or (None) left out."""
        sound: dict[str, str | None] = {
            "client_id": CLIENT,
            "redirect_uri": "http://localhost:1234/callback",
            "response_type": "code",
            "scope": f"{SCOPE} openid profile offline_access",
            "state": "s1",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        parameters = {name: value for name, value in (sound | changes).items() if value is not None}
        return self.http.get(f"/{self.tenant}/oauth2/v2.0/authorize", params=parameters)

    def press(self, shown: Response, **button: str) -> Response:
        """Submits the page's form with one button."""
        action = re.search(r'<form method="post" action="([^"]+)"', shown.text)
        transaction = re.search(r'name="transaction" value="([^"]+)"', shown.text)
        assert action, shown.text
        assert transaction, shown.text
        return self.http.post(action[1], data={"transaction": transaction[1], **button})

    def code(self, user: str = "admin", **changes: str | None) -> str:
        return self.landed(self.press(self.authorize(**changes), user=user))["code"]

    def landed(self, answer: Response) -> dict[str, str]:
        """The parameters of the redirect."""
        assert answer.status_code == 302, answer.text
        parts = urlsplit(answer.headers["location"])
        return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}

    def token(self, **form: str) -> Response:
        return self.post("token", form)

    def post(self, endpoint: str, form: dict[str, str], headers: dict[str, str] | None = None) -> Response:
        return self.http.post(f"/{self.tenant}/oauth2/v2.0/{endpoint}", data=form, headers=headers)

    def redeem(self, code: str, /, **changes: str | None) -> Response:
        sound: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "client_id": CLIENT,
            "code": code,
            "redirect_uri": "http://localhost:1234/callback",
            "code_verifier": VERIFIER,
        }
        return self.token(**{name: value for name, value in (sound | changes).items() if value is not None})

    def tokens(self, user: str = "admin", **changes: str | None) -> dict[str, Any]:
        answer = self.redeem(self.code(user, **changes))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def refresh(self, refresh_token: str, **changes: str) -> Response:
        return self.token(grant_type="refresh_token", client_id=CLIENT, refresh_token=refresh_token, **changes)

    def identity(self, **query: str) -> Response:
        sound = {"resource": BACKEND, "client_id": GATEWAY, "api-version": "2019-08-01"}
        return self.http.get("/msi/token", params=sound | query, headers={"X-IDENTITY-HEADER": SECRET})


Make = Callable[..., Driver]


def refused(answer: Response) -> int:
    """The AADSTS code of a JSON refusal, its shape checked."""
    body = answer.json()
    assert {"error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id"} <= set(body)
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    code: int = body["error_codes"][0]
    return code


def refused_page(answer: Response) -> int:
    """The AADSTS code of an error page."""
    assert answer.status_code == 400
    assert "location" not in answer.headers
    found = re.search(r'id="error">AADSTS(\d+): ', answer.text)
    assert found, answer.text
    return int(found[1])
