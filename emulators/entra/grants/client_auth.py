"""Whether the client proves who it is, and whether it must."""

from __future__ import annotations

import secrets

from emulators.entra.assertions import verify_assertion
from emulators.entra.directory import Application, Platform
from emulators.entra.errors import EntraError
from emulators.entra.grants.request import TokenRequest
from emulators.entra.issuer import Issuer

PUBLIC, BY_SECRET, BY_ASSERTION = "0", "1", "2"
"""Values of `azpacr`."""


def check(issuer: Issuer, request: TokenRequest, client: Application, platform: Platform) -> str:
    """Authenticates the client as its platform demands; returns its `azpacr`."""
    _check_origin(request, platform)
    if platform is Platform.WEB:
        return check_credential(issuer, request, client)
    if request.get("client_secret") or request.get("client_assertion"):
        raise EntraError(700025)
    return PUBLIC


def check_credential(issuer: Issuer, request: TokenRequest, client: Application) -> str:
    """A secret or a federated assertion must be there and be right."""
    if request.get("client_assertion"):
        verify_assertion(issuer, request, client.federated)
        return BY_ASSERTION
    given = request.get("client_secret")
    if given is None:
        raise EntraError(7000218)
    _check_secret(client, given, issuer.clock())
    return BY_SECRET


def _check_origin(request: TokenRequest, platform: Platform) -> None:
    if request.origin is not None and platform is not Platform.SPA:
        raise EntraError(9002326, origin=request.origin)
    if request.origin is None and platform is Platform.SPA:
        raise EntraError(9002327)


def _check_secret(client: Application, given: str, now: float) -> None:
    # Every secret is compared, so that the time taken does not tell which one nearly fits.
    matching = [s for s in client.secrets if secrets.compare_digest(s.value.encode(), given.encode("utf-8", "replace"))]
    if not matching:
        raise EntraError(7000215, app=client.client_id)
    if not any(secret.start <= now < secret.end for secret in matching):
        raise EntraError(7000222, app=client.client_id)
