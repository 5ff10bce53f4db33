"""Access and ID tokens in Entra's v1.0 and v2.0 shapes ("Access token claims reference", "ID token claims …")."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from emulators.entra.claims import group_claims, optional_user_claims
from emulators.entra.directory import Application, Directory, User
from emulators.entra.keys import KeyRing
from emulators.entra.scopes import Wanted

LIFETIME = 3600
"""Seconds; Entra ID picks 60 to 90 minutes at random."""
MANAGED_IDENTITY_LIFETIME = 86_400
"""Seconds: tokens of managed identities live for 24 hours ("Managed identities … frequently asked questions")."""
BACKDATE = 300
"""`iat` and `nbf` lie five minutes back, as Entra's do, so that a slow clock does not refuse a fresh token."""


@dataclass(frozen=True)
class Moment:
    """When and where a token is minted."""

    now: float
    base_url: str


@dataclass(frozen=True)
class AppPrincipal:
    """A service principal that asks for itself. `proof` is the `azpacr` value: 1 a secret, 2 an assertion."""

    client_id: str
    object_id: str
    name: str
    proof: str
    managed: bool = False


class Tokens:
    """Mints what the directory says; decides nothing."""

    def __init__(self, directory: Directory, keys: KeyRing) -> None:
        self._directory = directory
        self._keys = keys

    def for_user(
        self, moment: Moment, client: Application, user: User, wanted: Wanted, scopes: tuple[str, ...], proof: str
    ) -> str:
        resource = wanted.resource
        claims = self._common(moment, resource, wanted.named, LIFETIME)
        claims |= self._caller(resource, client.client_id, proof)
        claims |= {
            "name": user.name,
            "oid": user.object_id,
            "sub": self._keys.pairwise(resource.client_id, user.object_id),
            "scp": " ".join(scopes) if scopes else " ".join(sorted(wanted.oidc - {"offline_access"})),
        }
        if resource.token_version == 1:
            claims |= {"upn": user.mail, "unique_name": user.mail, "amr": ["pwd"]}
        else:
            claims["preferred_username"] = user.mail
        claims |= optional_user_claims(resource.access_token_claims, user, int(moment.now))
        return self._sign(claims, resource, user.object_id)

    def for_app(self, moment: Moment, principal: AppPrincipal, resource: Application, named: str) -> str:
        lifetime = MANAGED_IDENTITY_LIFETIME if principal.managed else LIFETIME
        claims = self._common(moment, resource, named, lifetime)
        claims |= self._caller(resource, principal.client_id, principal.proof)
        claims |= {"oid": principal.object_id, "sub": principal.object_id}
        if resource.token_version == 1:
            claims["idp"] = claims["iss"]
        # Entra ID adds idtyp on request, and on its own for managed identities.
        if principal.managed or "idtyp" in resource.access_token_claims:
            claims["idtyp"] = "app"
        return self._sign(claims, resource, principal.object_id)

    def id_token(self, moment: Moment, client: Application, user: User, oidc: frozenset[str], nonce: str | None) -> str:
        now = int(moment.now)
        claims: dict[str, Any] = {
            "ver": "2.0",
            "iss": f"{moment.base_url}/{self._directory.tenant_id}/v2.0",
            "sub": self._keys.pairwise(client.client_id, user.object_id),
            "aud": client.client_id,
            "iat": now - BACKDATE,
            "nbf": now - BACKDATE,
            "exp": now + LIFETIME,
            "tid": self._directory.tenant_id,
            "uti": _unique(),
        }
        if "profile" in oidc:
            claims |= {"name": user.name, "oid": user.object_id, "preferred_username": user.mail}
        if "email" in oidc:
            claims["email"] = user.mail
        if nonce:
            claims["nonce"] = nonce
        claims |= optional_user_claims(client.id_token_claims - {"idtyp"}, user, now)
        return self._sign(claims, client, user.object_id)

    def _common(self, moment: Moment, resource: Application, named: str, lifetime: int) -> dict[str, Any]:
        now, tenant = int(moment.now), self._directory.tenant_id
        first_version = resource.token_version == 1
        return {
            "aud": named if first_version else resource.client_id,
            "iss": f"https://sts.windows.net/{tenant}/" if first_version else f"{moment.base_url}/{tenant}/v2.0",
            "iat": now - BACKDATE,
            "nbf": now - BACKDATE,
            "exp": now + lifetime,
            "tid": tenant,
            "uti": _unique(),
            "ver": "1.0" if first_version else "2.0",
        }

    def _caller(self, resource: Application, client_id: str, proof: str) -> dict[str, str]:
        names = ("appid", "appidacr") if resource.token_version == 1 else ("azp", "azpacr")
        return dict(zip(names, (client_id, proof), strict=True))

    def _sign(self, claims: dict[str, Any], audience: Application, principal_id: str) -> str:
        roles = self._directory.roles(audience, principal_id)
        if roles:
            claims["roles"] = roles
        claims |= group_claims(self._directory, audience, principal_id)
        return self._keys.sign(claims)


def _unique() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
