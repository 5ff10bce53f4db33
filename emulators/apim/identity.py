"""Access tokens of the gateway's managed identities, from an identity endpoint in App Service's form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from emulators.apim import jwt
from emulators.apim.errors import PolicyError
from emulators.apim.failures import Failure, UpstreamError
from emulators.apim.messages import Url, parse_url
from emulators.apim.tokens import Sender

API_VERSION = "2019-08-01"
#: A cached token is dropped this long before it expires.
MARGIN_SECONDS = 300.0
#: A refused token that is younger is kept: a backend that refuses every token would cost a fetch with every call.
RENEW_SECONDS = 30.0
#: Seconds by which the clocks of issuer and gateway may differ.
_SKEW = 300.0
_TIMEOUT = 10.0


@dataclass(frozen=True)
class Authorization:
    """What "Get authorization context" yields: a token of a credential provider, and the claims beside it."""

    token: str
    claims: Mapping[str, Any]


def authorizations(values: Any, what: str) -> dict[tuple[str, str], Authorization]:
    """By (provider, connection), of `{"provider": {"connection": {"access_token": "…", …}}}`.

    PolicyError for anything else; what is in it is not shown.
    """
    found = {}
    for provider, connections in (values if isinstance(values, dict) else {"": None}).items():
        for name, claims in (connections if isinstance(connections, dict) else {"": None}).items():
            token = claims.get("access_token") if isinstance(claims, dict) else None
            if not isinstance(claims, dict) or not isinstance(token, str) or not token:
                message = (
                    'must hold providers, their connections, and an access_token of each: {"github": {"own": {…}}}'
                )
                raise PolicyError(f"{what} {message}")
            found[str(provider), str(name)] = Authorization(token, claims)
    return found


@dataclass(frozen=True)
class _Cached:
    """Used from `since` to `until`, as the token and the endpoint say it; `fetched` by the uptime."""

    token: str
    fetched: float
    since: float
    until: float


class ManagedIdentity:
    """Keeps tokens until they expire, as API Management does; but lets one go that cannot be used any more.

    Azure's own gateway keeps a refused token too. There neither clocks jump nor do servers lose their issuer's keys, as
    both happen on a laptop that slept.
    """

    def __init__(
        self, sender: Sender, clock: Callable[[], float], endpoint: str, header: str, uptime: Callable[[], float]
    ) -> None:
        self._sender = sender
        self._clock, self._uptime = clock, uptime
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
        self._cache[resource, client_id] = _Cached(
            token, self._uptime(), _not_before(token) - _SKEW, expires - MARGIN_SECONDS
        )
        return token

    def cached(self, resource: str, client_id: str) -> str | None:
        """A token that counts now: one from before the clock was put back does not yet."""
        found = self._cache.get((resource, client_id))
        return found.token if found is not None and found.since <= self._clock() < found.until else None

    def refused(self, authorization: str) -> None:
        """A backend answered 401 to this header: the next call gets a new token, if this one came from here."""
        for key, found in list(self._cache.items()):
            if authorization == f"Bearer {found.token}" and self._uptime() - found.fetched >= RENEW_SECONDS:
                del self._cache[key]

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


def _not_before(token: str) -> float:
    """The token's `nbf`; 0 where it says none, or is no JWT."""
    found = jwt.read(token)
    value = found.payload.get("nbf") if found is not None else None
    return float(value) if isinstance(value, int | float) else 0.0


def _failure(why: str) -> Failure:
    return Failure(500, "ManagedIdentityTokenUnavailable", f"Cannot obtain a managed identity token: {why}.")
