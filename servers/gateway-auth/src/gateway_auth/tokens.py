"""Is this token the gateway's? The rules are those of "Access tokens in the Microsoft identity platform" (validation)
and this project's: the caller's own token, whose audience is the API app, is never accepted here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joserfc import jws
from joserfc.errors import JoseError

from gateway_auth.errors import TokenRefusedError

if TYPE_CHECKING:
    from gateway_auth.keys import KeyStore
    from gateway_auth.settings import GateSettings

ROLE = "Gateway.Invoke"
CLOCK_SKEW_SECONDS = 30
MAX_TOKEN_CHARS = 16 * 1024
_CACHE_ENTRIES = 64  # the gateway has one identity and renews its token about once an hour


@dataclass(frozen=True)
class Expected:
    """What the gateway's token says; all compared exactly."""

    issuer: str
    tenant_id: str
    audience: str
    gateway_object_id: str

    @classmethod
    def of(cls, settings: GateSettings) -> Expected:
        return cls(
            settings.mcp_auth_issuer,
            settings.mcp_auth_tenant_id,
            settings.mcp_auth_audience,
            settings.mcp_auth_gateway_object_id,
        )


class TokenVerifier:
    """`clock` is seconds since the epoch."""

    def __init__(self, expected: Expected, keys: KeyStore, clock: Callable[[], float] = time.time) -> None:
        self._expected = expected
        self._keys = keys
        self._clock = clock
        self._verified: dict[bytes, float] = {}

    async def verify(self, token: str) -> float:
        """The time until which the token is good, in seconds of the clock.

        Raises TokenRefusedError unless the token is the gateway's, KeysUnavailableError when it cannot be judged.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise TokenRefusedError(401, "The token is too long.")
        digest = hashlib.sha256(token.encode()).digest()
        if self._clock() < (until := self._verified.get(digest, 0.0)):
            return until
        claims = await self._claims(token)
        check_claims(claims, self._expected, self._clock())
        return self._remember(digest, float(claims["exp"]) + CLOCK_SKEW_SECONDS)

    def _remember(self, digest: bytes, until: float) -> float:
        if len(self._verified) >= _CACHE_ENTRIES:
            self._verified.pop(next(iter(self._verified)))
        self._verified[digest] = until
        return until

    async def _claims(self, token: str) -> Mapping[str, Any]:
        header = _header(token)
        if header.get("alg") != "RS256" or not isinstance(kid := header.get("kid"), str):
            raise TokenRefusedError(401, "The token must be signed with RS256 and name its key.")
        key = await self._keys.get(kid)
        if key is None:
            raise TokenRefusedError(401, "The token is signed with a key that the issuer does not publish.")
        try:
            claims = json.loads(jws.deserialize_compact(token, key, algorithms=["RS256"]).payload)
        except (JoseError, ValueError, RecursionError):
            raise TokenRefusedError(401, "The token's signature is not valid.") from None
        if not isinstance(claims, dict):
            raise TokenRefusedError(401, "The token does not hold a set of claims.")
        return claims


def _header(token: str) -> Mapping[str, Any]:
    """The unverified header, only to find the key. Raises TokenRefusedError."""
    encoded = token.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise TokenRefusedError(401, "The token is not a JSON Web Token.") from None
    if token.count(".") != 2 or not isinstance(header, dict):
        raise TokenRefusedError(401, "The token is not a JSON Web Token.")
    return header


def check_claims(claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    """Raises TokenRefusedError: 401 for a token not valid here, 403 for a valid one that is not the gateway's."""
    _check_lifetime(claims, now)
    for name, wanted in (("iss", expected.issuer), ("tid", expected.tenant_id), ("aud", expected.audience)):
        if claims.get(name) != wanted:
            raise TokenRefusedError(401, f"The token's `{name}` is not the one this server expects.")
    if claims.get("oid") != expected.gateway_object_id:
        raise TokenRefusedError(403, "The token does not belong to the gateway's identity.")
    roles = claims.get("roles")
    if not isinstance(roles, list) or ROLE not in roles:
        raise TokenRefusedError(403, f"The token lacks the role {ROLE}.")


def _check_lifetime(claims: Mapping[str, Any], now: float) -> None:
    expiry: Any = claims.get("exp")
    not_before: Any = claims.get("nbf", 0)
    if not _is_time(expiry) or not _is_time(not_before):
        raise TokenRefusedError(401, "The token's `exp` and `nbf` must be numbers, and `exp` is required.")
    if now >= expiry + CLOCK_SKEW_SECONDS:
        raise TokenRefusedError(401, "The token has expired.")
    if now < not_before - CLOCK_SKEW_SECONDS:
        raise TokenRefusedError(401, "The token is not valid yet.")


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
