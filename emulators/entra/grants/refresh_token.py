"""`grant_type=refresh_token`.

Refresh tokens are sealed records: they survive a restart, and as in Entra ID each use returns a new one without
invalidating the old ("Refresh tokens in the Microsoft identity platform": they are not revoked when used).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.entra import scopes
from emulators.entra.directory import Application, Platform, User
from emulators.entra.errors import EntraError, timestamp
from emulators.entra.grants import client_auth
from emulators.entra.grants.request import TokenRequest
from emulators.entra.grants.user_tokens import SignIn, respond
from emulators.entra.issuer import Issuer
from emulators.entra.scopes import OIDC


def redeem(issuer: Issuer, request: TokenRequest) -> dict[str, Any]:
    client = issuer.client(request.get("client_id"))
    issuer.check_tenant(request.tenant, client)
    record = issuer.keys.unseal(request.need("refresh_token"))
    if record is None or record.get("kind") != "refresh" or record["client"] != client.client_id:
        raise EntraError(70000)
    if issuer.clock() >= record["expires"]:
        raise EntraError(70008)
    platform = Platform(record["platform"])
    proof = client_auth.check(issuer, request, client, platform)
    _refuse_unnamed_self(issuer, request, client, record["scope"])
    user = issuer.user(record["user"])
    _check_session(issuer, user, record, client.name)
    return respond(issuer, request, SignIn(client, platform, user, _with_oidc(request, record["scope"]), proof))


def _check_session(issuer: Issuer, user: User, record: Mapping[str, Any], name: str) -> None:
    """Refuse what only the person at a browser can mend: AADSTS50173 and AADSTS50076."""
    issued = record.get("issued", 0.0)
    if issued < user.sessions_valid_from:
        raise EntraError(50173, issued=timestamp(issued), valid_from=timestamp(user.sessions_valid_from))
    if user.needs_mfa:
        raise EntraError(50076, resource=name)


def _refuse_unnamed_self(issuer: Issuer, request: TokenRequest, client: Application, original: str) -> None:
    """A client that is its own resource must name it on refresh: without scope it gets AADSTS90009."""
    if set((request.get("scope") or "").split()) - OIDC:
        return
    wanted = scopes.parse(issuer.directory, client, original)
    if wanted.resource.client_id == client.client_id and wanted.named.lower() != client.client_id:
        raise EntraError(90009, app=client.client_id, name=client.name)


def _with_oidc(request: TokenRequest, original: str) -> str:
    """The scope of the sign-in as it goes on: this request's resource, and the sign-in's OpenID Connect scopes."""
    asked = request.get("scope") or ""
    if not set(asked.split()) - OIDC:
        return original
    return " ".join(dict.fromkeys((*asked.split(), *(word for word in original.split() if word in OIDC))))
