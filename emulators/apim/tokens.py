"""Signatures and issuers of access tokens, by OpenID Connect discovery and by keys that a policy gives.

Keys are fetched when first needed, kept for an hour, and fetched again early where a token names a key that is missing
("Validate JWT", openid-config). API Management waits five minutes between such early fetches; here it is ten seconds,
so that a local issuer may restart.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key

from emulators.apim import jwt
from emulators.apim.failures import Failure, UpstreamError
from emulators.apim.jwt import Jwt
from emulators.apim.messages import Response, Url, parse_url
from emulators.apim.token_keys import GivenKey, decrypted

KEEP_SECONDS = 3600.0
REFETCH_SECONDS = 10.0
#: Tokens held at once whose signature is known to be good; the oldest goes first.
MAX_KNOWN = 1000
_TIMEOUT = 10.0
#: By kind of key. A secret is only ever given by a policy: one that is published is no secret.
_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "oct": ("HS256", "HS384", "HS512"),
}
_PUBLISHED = ("RSA", "EC")
Key = RSAKey | ECKey
GivenOrPublished = Key | OctKey
#: Dots of an encrypted token (RFC 7516, section 7.1).
_ENCRYPTED = 4


class Sender(Protocol):
    async def send(
        self, method: str, url: Url, headers: Sequence[tuple[str, str]], body: bytes | None, wait: float
    ) -> Response: ...


class TokenRejected(Exception):
    """The token is not accepted; `reason` as in "Predefined errors for policies"."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Configuration:
    """What one discovery document and its key set said, and when."""

    issuer: str
    keys: Mapping[str, Key]
    fetched: float

    def candidates(self, token: Jwt) -> list[Key]:
        """The key the token names; all of them where it names none."""
        kid = token.header.get("kid")
        if kid is None:
            return list(self.keys.values())
        return [self.keys[kid]] if isinstance(kid, str) and kid in self.keys else []


class Tokens:
    def __init__(self, sender: Sender, clock: Callable[[], float]) -> None:
        self._sender = sender
        self._clock = clock
        self._configurations: dict[str, Configuration] = {}
        self._attempted: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        #: By text: the token, and the key that made its signature.
        self._known: OrderedDict[str, tuple[Jwt, GivenOrPublished]] = OrderedDict()

    async def verify(
        self, text: str, urls: Sequence[str], given: Sequence[GivenKey] = (), decryption: Sequence[GivenKey] = ()
    ) -> Jwt:
        """The token, its signature checked. TokenRejected, or Failure where no keys can be had.

        `given` verify beside the published keys; an encrypted token is opened by one of `decryption`.

        A signature is checked once per key, because nothing but the key can change what it is worth. A key that is
        not, or no longer, one of those that count for this request vouches for nothing, whatever it signed before.
        """
        configurations = [await self._configuration(url) for url in urls]
        if decryption and text.count(".") == _ENCRYPTED and len(text) <= jwt.MAX_TOKEN:
            opened = decrypted(text, list(decryption))
            if opened is None:
                raise TokenRejected("JwtInvalid", "Decryption of the token failed. Access denied.")
            text = opened
        known, signer = self._known.get(text, (None, None))
        token = known.copy() if known is not None else jwt.read(text)
        if token is None:
            raise TokenRejected("JwtInvalid", "The token is not a signed JWT. Access denied.")
        _reject_header(token, secrets=any(one.key.key_type == "oct" for one in given))
        own = [one.key for one in given if one.answers(token.header.get("kid"))]
        candidates: list[GivenOrPublished] = [*own, *_published(configurations, token)]
        if not candidates:
            candidates = [*_published([await self._refetched(url) for url in urls], token)]
        if not candidates:
            message = "Signature validation failed. Unable to match key. Access denied."
            raise TokenRejected("TokenSignatureKeyNotFound", message)
        if any(key is signer for key in candidates):
            return token
        key = next((key for key in candidates if _signed_by(token, key)), None)
        if key is None:
            raise TokenRejected("TokenSignatureInvalid", "Signature validation failed. Access denied.")
        self._remember(token, key)
        return token

    def _remember(self, token: Jwt, key: GivenOrPublished) -> None:
        self._known[token.text] = (token.copy(), key)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def check_issuer(self, token: Jwt, urls: Sequence[str], issuers: Sequence[str]) -> None:
        """The issuers listed, and those that the discovery documents name, are accepted."""
        issuer = token.payload.get("iss")
        if isinstance(issuer, str) and issuer in issuers:
            return
        if not isinstance(issuer, str) or issuer not in self.issuers(urls):
            message = "Issuer validation failed. Issuer did not match. Access denied."
            raise TokenRejected("TokenIssuerNotAllowed", message)

    def issuers(self, urls: Sequence[str]) -> list[str]:
        """Those that the discovery documents name."""
        return [found.issuer for url in urls if (found := self._configurations.get(url)) is not None]

    async def _configuration(self, url: str) -> Configuration:
        known = self._configurations.get(url)
        if known is not None and self._clock() - known.fetched < KEEP_SECONDS:
            return known
        return await self._refetched(url)

    async def _refetched(self, url: str) -> Configuration:
        """Fetches again, at most once in REFETCH_SECONDS; what is known stays where that fails."""
        async with self._locks.setdefault(url, asyncio.Lock()):
            known = self._configurations.get(url)
            if self._clock() - self._attempted.get(url, float("-inf")) >= REFETCH_SECONDS:
                self._attempted[url] = self._clock()
                try:
                    known = self._configurations[url] = await self._fetch(url)
                except (UpstreamError, ValueError, KeyError, TypeError, JoseError) as error:
                    if known is None:
                        raise _unavailable(url) from error
            if known is None:
                raise _unavailable(url)
            return known

    async def _fetch(self, url: str) -> Configuration:
        document = await self._json(url)
        keys = await self._json(str(document["jwks_uri"]))
        return Configuration(str(document["issuer"]), _key_set(keys["keys"]), self._clock())

    async def _json(self, url: str) -> dict[str, Any]:
        target = parse_url(url)
        if target is None:
            raise ValueError(f"{url!r} is not an absolute URL")
        response = await self._sender.send("GET", target, [("Accept", "application/json")], None, _TIMEOUT)
        await response.materialise()
        found = json.loads(response.body.data if response.body is not None else b"")
        if response.status != 200 or not isinstance(found, dict):
            raise ValueError(f"{url} answered {response.status}")
        return found


def _unavailable(url: str) -> Failure:
    return Failure(500, "OpenIdConfigurationUnavailable", f"Unable to obtain configuration from: '{url}'.")


def _key_set(entries: Sequence[Mapping[str, Any]]) -> dict[str, Key]:
    """The published signing keys. Keys for encryption and symmetric ones are left out."""
    found: dict[str, Key] = {}
    for position, entry in enumerate(entries):
        if entry.get("use", "sig") != "sig" or entry.get("kty") not in _PUBLISHED:
            continue
        key: RSAKey | ECKey | OctKey | OKPKey = import_key(dict(entry))
        if isinstance(key, RSAKey | ECKey):
            found[str(entry.get("kid", position))] = key
    return found


def _published(configurations: Sequence[Configuration], token: Jwt) -> list[Key]:
    return [key for configuration in configurations for key in configuration.candidates(token)]


def _reject_header(token: Jwt, *, secrets: bool) -> None:
    """`none`, critical extensions (RFC 7515, section 4.1.11), and symmetric algorithms where no secret was given."""
    allowed = [name for kind, names in _ALGORITHMS.items() if secrets or kind in _PUBLISHED for name in names]
    if token.header.get("alg") not in allowed:
        raise TokenRejected(
            "TokenSignatureInvalid", "Signature validation failed. The algorithm is not accepted. Access denied."
        )
    if "crit" in token.header or "b64" in token.header:
        raise TokenRejected("JwtInvalid", "The token has critical header parameters. Access denied.")


def _signed_by(token: Jwt, key: GivenOrPublished) -> bool:
    """Whether the key made the signature, with an algorithm of the key's own kind."""
    if token.header["alg"] not in _ALGORITHMS[key.key_type]:
        return False
    try:
        registry = jws.JWSRegistry(algorithms=[token.header["alg"]], strict_check_header=False)
        jws.deserialize_compact(token.text, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        return False
    return True
