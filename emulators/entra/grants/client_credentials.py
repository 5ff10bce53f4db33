"""`grant_type=client_credentials`: a secret, or an assertion from a federated issuer."""

from __future__ import annotations

from typing import Any

from emulators.entra import scopes
from emulators.entra.assertions import verify_assertion
from emulators.entra.directory import Application, ManagedIdentity
from emulators.entra.errors import EntraError
from emulators.entra.grants import client_auth
from emulators.entra.grants.request import TokenRequest
from emulators.entra.issuer import Issuer
from emulators.entra.scopes import DEFAULT, OIDC
from emulators.entra.tokens import LIFETIME, AppPrincipal


def redeem(issuer: Issuer, request: TokenRequest) -> dict[str, Any]:
    principal, app = _principal(issuer, request)
    spelling = _resource_name(request.need("scope"))
    resource = scopes.find_resource(issuer.directory, spelling)
    if request.get("resource") and not resource.identifies(request.need("resource")):
        raise EntraError(9010010)
    if app is resource and spelling.lower() != app.client_id:
        raise EntraError(90009, app=app.client_id, name=app.name)
    issuer.require_role(principal.client_id, principal.object_id, principal.name, resource)
    return {
        "token_type": "Bearer",
        "expires_in": LIFETIME - 1,
        "ext_expires_in": LIFETIME - 1,
        "access_token": issuer.tokens.for_app(issuer.moment(), principal, resource, spelling),
    }


def _principal(issuer: Issuer, request: TokenRequest) -> tuple[AppPrincipal, Application | None]:
    identity = issuer.directory.identities.get(request.need("client_id").lower())
    if identity is not None:
        issuer.check_tenant(request.tenant)
        return _identity(issuer, request, identity), None
    app = issuer.client(request.get("client_id"))
    issuer.check_tenant(request.tenant, app)
    proof = client_auth.check_credential(issuer, request, app)
    found = issuer.directory.service_principals.get(app.client_id)
    if found is None:
        raise EntraError(7000229, app=app.client_id, tenant=issuer.directory.tenant_id)
    return AppPrincipal(app.client_id, found.object_id, app.name, proof), app


def _identity(issuer: Issuer, request: TokenRequest, identity: ManagedIdentity) -> AppPrincipal:
    if request.get("client_assertion") is None:
        raise EntraError(7000218)
    verify_assertion(issuer, request, identity.federated)
    return AppPrincipal(identity.client_id, identity.principal_id, identity.name, client_auth.BY_ASSERTION)


def _resource_name(scope: str) -> str:
    words = [word for word in scope.split() if word not in OIDC]
    if len(words) != 1 or not words[0].endswith(f"/{DEFAULT}"):
        raise EntraError(1002012, scope=scope)
    return words[0].removesuffix(f"/{DEFAULT}")
