"""The issuer's signing keys: fetched once, refreshed for an unknown key id, never more often than allowed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from mongo_db_server.errors import KeysUnavailableError

if TYPE_CHECKING:
    import httpx2

logger = logging.getLogger(__name__)

Fetch = Callable[[], Awaitable[Mapping[str, Any]]]

# Entra ID's guidance is to look at least every 24 hours ("Signing key rollover in the Microsoft identity platform").
MAX_AGE_SECONDS = 12 * 3600
# A token with an invented `kid` must not turn this server into a hammer on the issuer.
MIN_INTERVAL_SECONDS = 30
# While there are no keys at all nobody can call, so the issuer is asked again soon.
MIN_INTERVAL_WITHOUT_KEYS_SECONDS = 2


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
        async with self._lock:
            if kid in self._keys and self._age() <= MAX_AGE_SECONDS:
                return  # another request has just done it
            interval = MIN_INTERVAL_SECONDS if self._keys else MIN_INTERVAL_WITHOUT_KEYS_SECONDS
            if self._clock() - self._tried_at < interval:
                return
            self._tried_at = self._clock()
            try:
                self._keys = _signing_keys(await self._fetch())
                self._fetched_at = self._clock()
            except Exception:
                # The keys we have stay good: an issuer that cannot be reached has not withdrawn them.
                logger.exception("the signing keys could not be refreshed")


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


def http_fetch(client: httpx2.AsyncClient, url: str) -> Fetch:
    async def fetch() -> Mapping[str, Any]:
        response = await client.get(url)
        response.raise_for_status()
        document = response.json()
        if not isinstance(document, dict):
            raise ValueError("the key set is not a JSON object")
        return document

    return fetch
