"""The token response for a signed-in person, which three grants end with."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any

from emulators.entra import consent, scopes
from emulators.entra.directory import Application, Platform, User
from emulators.entra.errors import EntraError
from emulators.entra.grants.request import TokenRequest
from emulators.entra.issuer import Issuer
from emulators.entra.scopes import DEFAULT, OIDC, Wanted
from emulators.entra.tokens import LIFETIME

REFRESH_SECONDS = {Platform.PUBLIC: 90 * 86_400, Platform.WEB: 90 * 86_400, Platform.SPA: 86_400}
"""Lifetimes of refresh tokens ("Refresh tokens in the Microsoft identity platform")."""


@dataclass(frozen=True)
class SignIn:
    """A person signed in to a client; `proof` is how the client authenticated, `scope` what was asked for."""

    client: Application
    platform: Platform
    user: User
    scope: str
    proof: str
    nonce: str | None = None


def respond(issuer: Issuer, request: TokenRequest, sign_in: SignIn) -> dict[str, Any]:
    """Tokens for the scope that was signed in for, or for the one this request names. Checks consent again."""
    wanted = scopes.parse(issuer.directory, sign_in.client, request.get("scope") or sign_in.scope)
    if not wanted.values and not sign_in_is_oidc_only(sign_in):
        # A redemption that repeats only `openid offline_access` still means the resource signed in for.
        wanted = scopes.parse(issuer.directory, sign_in.client, sign_in.scope)
    scopes.check_resource_parameter(wanted, request.get("resource"))
    issuer.require_assignment(sign_in.user, sign_in.client, wanted.resource)
    decision = consent.decide(issuer.directory, issuer.consents, sign_in.client, sign_in.user, wanted)
    if decision.missing:
        raise EntraError(65001, app=sign_in.client.client_id, name=sign_in.client.name)
    return _body(issuer, request, sign_in, wanted, decision.granted)


def sign_in_is_oidc_only(sign_in: SignIn) -> bool:
    return not set(sign_in.scope.split()) - OIDC


def _body(
    issuer: Issuer, request: TokenRequest, sign_in: SignIn, wanted: Wanted, granted: tuple[str, ...]
) -> dict[str, Any]:
    moment, asked = issuer.moment(), frozenset(sign_in.scope.split())
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": _scope_text(wanted, granted),
        "expires_in": LIFETIME - 1,
        "ext_expires_in": LIFETIME - 1,
        "access_token": issuer.tokens.for_user(moment, sign_in.client, sign_in.user, wanted, granted, sign_in.proof),
    }
    if "offline_access" in asked:
        body["refresh_token"] = _refresh_token(issuer, sign_in)
    if "openid" in asked:
        oidc = OIDC & asked
        body["id_token"] = issuer.tokens.id_token(moment, sign_in.client, sign_in.user, oidc, sign_in.nonce)
    if request.get("client_info") == "1":
        info = {"uid": sign_in.user.object_id, "utid": issuer.directory.tenant_id}
        body["client_info"] = base64.urlsafe_b64encode(json.dumps(info).encode()).decode().rstrip("=")
    return body


def _scope_text(wanted: Wanted, granted: tuple[str, ...]) -> str:
    """What was granted, and `.default` where that was asked for: MSAL finds a token in its cache by these words."""
    asked = (DEFAULT,) if wanted.everything else ()
    named = [f"{wanted.named}/{value}" for value in (*granted, *asked)]
    own = sorted(wanted.oidc - {"offline_access"}) if wanted.resource.first_party and not granted else []
    return " ".join([*own, *named])


def _refresh_token(issuer: Issuer, sign_in: SignIn) -> str:
    return issuer.keys.seal(
        {
            "kind": "refresh",
            "id": secrets.token_urlsafe(8),
            "client": sign_in.client.client_id,
            "platform": sign_in.platform.value,
            "user": sign_in.user.object_id,
            "scope": sign_in.scope,
            "issued": issuer.clock(),
            "expires": issuer.clock() + REFRESH_SECONDS[sign_in.platform],
        }
    )
