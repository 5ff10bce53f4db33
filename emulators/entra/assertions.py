"""Federated client assertions ("Workload identity federation"): a token of another issuer in place of a secret.

Signature, issuer, subject, audience and lifetime are checked against the credentials that Terraform applied.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from emulators.entra import strict_json
from emulators.entra.directory import FederatedCredential
from emulators.entra.errors import EntraError, timestamp
from emulators.entra.first_party import TOKEN_EXCHANGE, TOKEN_EXCHANGE_URI
from emulators.entra.grants.request import TokenRequest
from emulators.entra.issuer import Issuer

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW = 300
"""Seconds of clock difference that are forgiven."""


def verify_assertion(issuer: Issuer, request: TokenRequest, credentials: Sequence[FederatedCredential]) -> None:
    """Raises an EntraError unless the request's assertion matches one of the applied credentials and is genuine."""
    if request.get("client_assertion_type") != TYPE:
        raise EntraError(9002313, reason=f"client_assertion_type must be {TYPE}.")
    assertion = request.need("client_assertion")
    claimed = unverified_claims(assertion)
    own = f"{issuer.base_url}/{issuer.directory.tenant_id}/v2.0"
    _match(credentials, claimed, own)
    if request.assertion_keys is None:
        raise EntraError(
            50166,
            reason=f"the local Entra ID does not know the keys of {claimed.get('iss')}; add it to trusted_issuers",
        )
    _check_signature(assertion, request.assertion_keys)
    _check_time(claimed, issuer.clock())


def unverified_claims(assertion: str) -> dict[str, Any]:
    """The payload, read without trust: it only says which issuer's keys to use and which credential to compare."""
    parts = assertion.split(".")
    try:
        claims = strict_json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error):
        claims = None
    if len(parts) != 3 or not isinstance(claims, dict):
        raise EntraError(700027, reason="the assertion is no signed JWT")
    return claims


def _match(credentials: Sequence[FederatedCredential], claims: dict[str, Any], own: str) -> None:
    """Exact, case-sensitive comparison; the first part that fits no credential names the error.

    A token of this tenant for the exchange itself says the exchange's GUID where a credential has its URI.
    """
    issuer, subject = str(claims.get("iss")), str(claims.get("sub"))
    by_issuer = [c for c in credentials if c.issuer == issuer]
    if not by_issuer:
        raise EntraError(700211, issuer=issuer)
    by_subject = [c for c in by_issuer if c.subject == subject]
    if not by_subject:
        raise EntraError(700213, subject=subject)
    audience = claims.get("aud")
    given = {str(name) for name in (audience if isinstance(audience, list) else [audience])}
    if issuer == own and TOKEN_EXCHANGE in given:
        given.add(TOKEN_EXCHANGE_URI)
    if not any(given & c.audiences for c in by_subject):
        raise EntraError(700212, audience=audience)


def _check_signature(assertion: str, keys: KeySet) -> None:
    try:
        jwt.decode(assertion, keys, algorithms=["RS256"])
    # joserfc lets a malformed `crit` surface as a TypeError.
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise EntraError(700027, reason=f"{type(error).__name__}; the stand-in accepts RS256") from error


def _check_time(claims: dict[str, Any], now: float) -> None:
    start: Any = claims.get("nbf", claims.get("iat", now))
    end: Any = claims.get("exp")
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (start, end))
    if not numbers or not (start - SKEW <= now < end + SKEW):
        raise EntraError(700024, now=timestamp(now), start=start, end=end)
