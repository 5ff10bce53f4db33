"""The managed identity endpoint, in App Service's form ("Use managed identities for App Service", REST reference).

A host proves itself with the secret in `X-IDENTITY-HEADER` and gets tokens for its own identities only.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.base.errors import EmulatorError
from emulators.entra import scopes
from emulators.entra.directory import ManagedIdentity
from emulators.entra.issuer import Issuer
from emulators.entra.tokens import MANAGED_IDENTITY_LIFETIME, AppPrincipal

API_VERSION = "2019-08-01"
BY_CERTIFICATE = "2"


@dataclass
class IdentityEndpointError(EmulatorError):
    """The endpoint itself refuses, before any token is asked for."""

    status: int
    message: str

    def __str__(self) -> str:
        return self.message


def token(issuer: Issuer, header: str | None, query: Mapping[str, str]) -> dict[str, Any]:
    """The endpoint's answer; `expires_on` is a text. Raises IdentityEndpointError or EntraError."""
    allowed = _identities_of(issuer, header)
    if query.get("api-version") != API_VERSION:
        raise IdentityEndpointError(400, f"api-version must be {API_VERSION}, not {query.get('api-version')!r}")
    spelling = query.get("resource") or ""
    if not spelling:
        raise IdentityEndpointError(
            400, "the resource parameter is missing: give an application's client id or identifier URI"
        )
    identity = _identity(issuer, allowed, query)
    resource = scopes.find_resource(issuer.directory, spelling)
    issuer.require_role(identity.client_id, identity.principal_id, identity.name, resource)
    principal = AppPrincipal(identity.client_id, identity.principal_id, identity.name, BY_CERTIFICATE, managed=True)
    moment = issuer.moment()
    return {
        "access_token": issuer.tokens.for_app(moment, principal, resource, spelling),
        "expires_on": str(int(moment.now) + MANAGED_IDENTITY_LIFETIME),
        "resource": spelling,
        "token_type": "Bearer",
        "client_id": identity.client_id,
    }


def _identities_of(issuer: Issuer, header: str | None) -> frozenset[str]:
    given, found = (header or "").encode("utf-8", "replace"), None
    for secret, client_ids in issuer.identity_hosts.items():
        if secrets.compare_digest(secret.encode(), given):
            found = client_ids
    if not header or found is None:
        raise IdentityEndpointError(
            401, "the X-IDENTITY-HEADER of this request belongs to no host of managed identities"
        )
    return found


def _identity(issuer: Issuer, allowed: frozenset[str], query: Mapping[str, str]) -> ManagedIdentity:
    for name in ("principal_id", "mi_res_id", "object_id", "msi_res_id"):
        if name in query:
            raise IdentityEndpointError(
                400, f"{name} is not supported by the local managed identity endpoint; use client_id"
            )
    client_id = query.get("client_id", "").lower()
    if not client_id:
        raise IdentityEndpointError(
            400, "this host has no system-assigned identity; name a user-assigned one with client_id"
        )
    if client_id not in allowed:
        raise IdentityEndpointError(
            400, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
        )
    return issuer.directory.identities[client_id]
