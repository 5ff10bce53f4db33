"""The device flow: starting it, and `grant_type=device_code`."""

from __future__ import annotations

from typing import Any

from emulators.entra import scopes
from emulators.entra.devices import INTERVAL, SECONDS
from emulators.entra.directory import Platform
from emulators.entra.errors import EntraError
from emulators.entra.grants import client_auth
from emulators.entra.grants.request import TokenRequest
from emulators.entra.grants.user_tokens import SignIn, respond
from emulators.entra.issuer import Issuer


def start(issuer: Issuer, request: TokenRequest) -> dict[str, Any]:
    """The device authorization response."""
    client = issuer.client(request.get("client_id"))
    issuer.check_tenant(request.tenant, client)
    if not client.public_flows:
        raise EntraError(7000218)
    wanted = scopes.parse(issuer.directory, client, request.need("scope"))
    scopes.check_resource_parameter(wanted, request.get("resource"))
    code, device = issuer.devices.start(client.client_id, wanted.text)
    page = f"{issuer.base_url}/devicelogin"
    return {
        "user_code": device.user_code,
        "device_code": code,
        "verification_uri": page,
        "expires_in": SECONDS,
        "interval": INTERVAL,
        "message": (
            f"To sign in, use a web browser to open the page {page} and enter the code {device.user_code} "
            "to authenticate."
        ),
    }


def redeem(issuer: Issuer, request: TokenRequest) -> dict[str, Any]:
    client = issuer.client(request.get("client_id"))
    issuer.check_tenant(request.tenant, client)
    # Entra's own clients send `device_code`; its first documentation called the parameter `code`.
    code = request.get("device_code") or request.need("code")
    proof = client_auth.check(issuer, request, client, Platform.PUBLIC)
    device = issuer.devices.poll(code, client.client_id)
    user = issuer.user(device.user_id or "")
    return respond(issuer, request, SignIn(client, Platform.PUBLIC, user, device.scope, proof))
