"""Access tokens of the gateway's managed identities, from an identity endpoint in App Service's form."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from emulators.apim.failures import Failure, UpstreamError
from emulators.apim.messages import Url, parse_url
from emulators.apim.tokens import Sender

API_VERSION = "2019-08-01"
#: A cached token is dropped this long before it expires.
MARGIN_SECONDS = 300.0
_TIMEOUT = 10.0


@dataclass(frozen=True)
class _Cached:
    token: str
    until: float


class ManagedIdentity:
    def __init__(self, sender: Sender, clock: Callable[[], float], endpoint: str, header: str) -> None:
        self._sender = sender
        self._clock = clock
        self._endpoint = parse_url(endpoint) if endpoint else None
        self._header = header
        self._cache: dict[tuple[str, str], _Cached] = {}

    async def token(self, resource: str, client_id: str) -> str:
        """Failure 500 where the endpoint gives none, with its own words in the message."""
        cached = self.cached(resource, client_id)
        if cached is not None:
            return cached
        token, expires = await self._ask(resource, client_id)
        if len(self._cache) > 256:
            self._cache.clear()
        self._cache[resource, client_id] = _Cached(token, expires - MARGIN_SECONDS)
        return token

    def cached(self, resource: str, client_id: str) -> str | None:
        found = self._cache.get((resource, client_id))
        return found.token if found is not None and self._clock() < found.until else None

    async def _ask(self, resource: str, client_id: str) -> tuple[str, float]:
        if self._endpoint is None:
            raise _failure("the gateway has no identity endpoint")
        query = urlencode({"resource": resource, "client_id": client_id, "api-version": API_VERSION})
        base = self._endpoint
        url = Url(base.scheme, base.host, base.port, base.path, query)
        try:
            response = await self._sender.send("GET", url, [("X-IDENTITY-HEADER", self._header)], None, _TIMEOUT)
            await response.materialise()
        except UpstreamError as error:
            raise _failure(str(error)) from error
        text = response.body.data.decode("utf-8", "replace") if response.body is not None else ""
        if response.status != 200:
            raise _failure(f"the identity endpoint answered {response.status}: {text[:500]}")
        try:
            answer = json.loads(text)
            return str(answer["access_token"]), float(answer["expires_on"])
        except (ValueError, KeyError, TypeError) as error:
            raise _failure("the identity endpoint's answer holds no token") from error


def _failure(why: str) -> Failure:
    return Failure(500, "ManagedIdentityTokenUnavailable", f"Cannot obtain a managed identity token: {why}.")
