"""`grant_type=authorization_code`, with PKCE (RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any

from emulators.entra.errors import EntraError
from emulators.entra.grants import client_auth
from emulators.entra.grants.request import TokenRequest
from emulators.entra.grants.user_tokens import SignIn, respond
from emulators.entra.issuer import Code, Issuer
from emulators.entra.stores import LapsedTokenError, SpentTokenError, UnknownTokenError


def redeem(issuer: Issuer, request: TokenRequest) -> dict[str, Any]:
    client = issuer.client(request.get("client_id"))
    issuer.check_tenant(request.tenant, client)
    code = _take(issuer, request.need("code"))
    if code.client_id != client.client_id:
        raise EntraError(70000)
    if request.need("redirect_uri") != code.redirect_uri:
        raise EntraError(500112, redirect_uri=request.get("redirect_uri"), expected=code.redirect_uri)
    proof = client_auth.check(issuer, request, client, code.platform)
    _check_verifier(code, request.get("code_verifier"))
    user = issuer.user(code.user_id)
    return respond(issuer, request, SignIn(client, code.platform, user, code.scope, proof, code.nonce))


def _take(issuer: Issuer, given: str) -> Code:
    try:
        return issuer.codes.redeem(given)
    except UnknownTokenError:
        raise EntraError(70000) from None
    except SpentTokenError:
        raise EntraError(54005) from None
    except LapsedTokenError:
        raise EntraError(70008) from None


def _check_verifier(code: Code, verifier: str | None) -> None:
    if code.challenge is None:
        # A verifier without a challenge means that the challenge was stripped on the way (RFC 9700, PKCE downgrade).
        if verifier is not None:
            raise EntraError(501481)
        return
    if verifier is None:
        raise EntraError(50148)
    computed = _s256(verifier) if code.method == "S256" else verifier
    if not secrets.compare_digest(computed.encode("utf-8", "replace"), code.challenge.encode()):
        raise EntraError(501481)


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
