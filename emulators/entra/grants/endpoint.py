"""The token endpoint: one grant, one module. `answer` picks it by `grant_type`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulators.entra.errors import EntraError
from emulators.entra.grants import authorization_code, client_credentials, device_code, on_behalf_of, refresh_token
from emulators.entra.grants.request import TokenRequest
from emulators.entra.issuer import Issuer

GRANTS: Mapping[str, Callable[[Issuer, TokenRequest], dict[str, Any]]] = {
    "authorization_code": authorization_code.redeem,
    "client_credentials": client_credentials.redeem,
    "refresh_token": refresh_token.redeem,
    "urn:ietf:params:oauth:grant-type:device_code": device_code.redeem,
    "device_code": device_code.redeem,
    on_behalf_of.GRANT: on_behalf_of.redeem,
}


def answer(issuer: Issuer, request: TokenRequest) -> dict[str, Any]:
    """The JSON of a successful token response; everything else is an EntraError."""
    grant_type = request.need("grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise EntraError(70003, grant_type=grant_type)
    return grant(issuer, request)
