"""The issuer's signing keys: fetched once, refreshed for an unknown key id and with age, never more often than allowed.

While the issuer cannot be reached the last good keys stay in use: it has not withdrawn them. But not for ever: a key
that was withdrawn meanwhile would otherwise stay good in this process alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from gateway_auth.errors import KeysUnavailableError

logger = logging.getLogger(__name__)

Fetch = Callable[[], Awaitable[Mapping[str, Any]]]

# Entra ID's guidance is to look at least every 24 hours ("Signing key rollover in the Microsoft identity platform").
MAX_AGE_SECONDS = 12 * 3600
# How long keys are good that cannot be refreshed: a long weekend.
MAX_STALE_SECONDS = 72 * 3600
# A token with an invented `kid` must not turn this server into a hammer on the issuer.
MIN_INTERVAL_SECONDS = 30
# While there are no keys at all nobody can call, so the issuer is asked again soon.
MIN_INTERVAL_WITHOUT_KEYS_SECONDS = 2
FETCH_SECONDS = 5.0


class KeyStore:
    """`fetch` returns a JWK set as parsed JSON; `clock` is monotonic, in seconds."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, RSAKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, kid: str) -> RSAKey | None:
        """The key of that id, or None. Raises KeysUnavailableError when there are no keys at all to judge by."""
        if kid not in self._keys or self._age() > MAX_AGE_SECONDS:
            await self._refresh(kid)
        if not self._keys:
            raise KeysUnavailableError("The issuer's signing keys cannot be fetched from MCP_AUTH_JWKS_URI.")
        return self._keys.get(kid)

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    async def _refresh(self, kid: str) -> None:
        usable = kid in self._keys and self._age() <= MAX_STALE_SECONDS
        if usable and self._lock.locked():
            return  # another request is asking; this one need not wait for an issuer that may be away
        async with self._lock:
            if kid in self._keys and self._age() <= MAX_AGE_SECONDS:
                return  # another request has just done it
            interval = MIN_INTERVAL_SECONDS if self._keys else MIN_INTERVAL_WITHOUT_KEYS_SECONDS
            if self._clock() - self._tried_at >= interval:
                self._tried_at = self._clock()
                try:
                    self._keys = _signing_keys(await self._fetch())
                    self._fetched_at = self._clock()
                except Exception as error:  # noqa: BLE001 - whatever fails there, the keys at hand decide
                    self._note(error)
            if self._age() > MAX_STALE_SECONDS:
                self._keys = {}

    def _note(self, error: Exception) -> None:
        """Log why the keys could not be refreshed, and until when the last good ones are used."""
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if not self._keys:
            logger.error("the issuer's signing keys could not be fetched (%s); nobody can call until they are", why)
        elif (left := MAX_STALE_SECONDS - self._age()) > 0:
            logger.warning(
                "the issuer's signing keys could not be refreshed (%s); those fetched %d s ago stay in use for %d s",
                why, self._age(), left,
            )  # fmt: skip
        else:
            logger.error(
                "the issuer's signing keys could not be refreshed (%s) for %d s; they are not trusted any longer",
                why, self._age(),
            )  # fmt: skip


def _signing_keys(document: Mapping[str, Any]) -> dict[str, RSAKey]:
    """RSA signing keys by id. Raises ValueError when the document holds none: an empty set would lock everyone out."""
    keys: dict[str, RSAKey] = {}
    for entry in document.get("keys", []):
        if entry.get("kty") == "RSA" and entry.get("use", "sig") == "sig" and entry.get("alg", "RS256") == "RS256":
            try:
                keys[entry["kid"]] = RSAKey.import_key({"kty": "RSA", "n": entry["n"], "e": entry["e"]})
            except (JoseError, KeyError, ValueError):
                logger.warning("the key set holds a malformed RSA key")
    if not keys:
        raise ValueError("the key set holds no RSA signing key")
    return keys


def http_fetch(url: str) -> Fetch:
    """Fetches the JWK set of `url`. A client for each time: it is once in half a day, and leaves nothing to close.

    The TLS context is made here and not with the client: that takes a tenth of a second, which no request should wait.
    """
    context = httpx2.create_ssl_context()

    async def fetch() -> Mapping[str, Any]:
        async with httpx2.AsyncClient(timeout=FETCH_SECONDS, verify=context, follow_redirects=False) as client:
            response = await client.get(url)
        response.raise_for_status()
        document = response.json()
        if not isinstance(document, dict):
            raise ValueError("the key set is not a JSON object")
        return document

    return fetch
