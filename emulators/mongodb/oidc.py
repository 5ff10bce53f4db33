"""MONGODB-OIDC as Azure DocumentDB has it: an Entra access token signs in, and the object id in it is the user.

"Connect using role-based access control and Microsoft Entra ID" (Azure DocumentDB, 2026-02-04): a client sends the
token; who it names must be known to the cluster, as an administrator registered in Azure or as a user that one of them
made with `createUser`. The mechanism's messages: "Authentication", MONGODB-OIDC (MongoDB's driver specifications).
"""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

from bson import BSON
from bson.errors import InvalidBSON

from emulators.mongodb.config import Oidc
from emulators.mongodb.deadline import running
from emulators.mongodb.errors import CommandError
from emulators.mongodb.turns import aside

MECHANISM = "MONGODB-OIDC"
_FETCH_SECONDS = 5.0
_BETWEEN_FETCHES = 1.0


@dataclass(frozen=True)
class Proved:
    """What a token proves: the object id in lower case, until when (seconds since 1970)."""

    object_id: str
    expires: float


@dataclass
class Tokens:
    """Checks access tokens with the issuer's published keys, which are fetched anew for a key that is not known."""

    oidc: Oidc
    _keys: Any = None
    _fetched: float = float("-inf")

    def prove(self, payload: Any) -> Proved:
        """Who the client's message is from. AuthenticationFailed (18) says why not."""
        from joserfc import jws, jwt
        from joserfc.errors import JoseError

        token = _token(payload)
        try:
            key_id = jws.extract_compact(token.encode()).headers().get("kid")
            claims = dict(jwt.decode(token, self._keys_with(key_id), algorithms=["RS256"]).claims)
        except (JoseError, ValueError, TypeError) as error:
            raise _failed(f"the access token is not valid ({type(error).__name__})") from None
        now = time.time()
        if claims.get("iss") != self.oidc.issuer:
            raise _failed("the access token is of another issuer")
        if str(claims.get("aud")).rstrip("/") != self.oidc.audience.rstrip("/"):
            raise _failed("the access token is for another audience")
        if not _number(claims.get("nbf")) <= now < _number(claims.get("exp")):
            raise _failed("the access token is not valid now")
        return Proved(str(claims.get("oid", "")).lower(), _number(claims["exp"]))

    def _keys_with(self, key_id: object) -> Any:
        """The issuer's keys. Fetching gives way first: it never happens where everybody waits for it."""
        from joserfc.jwk import KeySet

        known = {} if self._keys is None else {key.kid for key in self._keys.keys}
        if key_id in known or time.monotonic() - self._fetched < _BETWEEN_FETCHES:
            return self._keys or KeySet([])
        running().give_way()
        with aside():
            try:
                with urllib.request.urlopen(self.oidc.keys_url, timeout=_FETCH_SECONDS) as answer:  # noqa: S310 - https or loopback
                    found = KeySet.import_key_set(json.loads(answer.read()))
            except (OSError, ValueError) as error:
                raise _failed(f"the issuer's keys cannot be read ({type(error).__name__})") from None
        self._keys, self._fetched = found, time.monotonic()
        return found


def _token(payload: Any) -> str:
    """The token of the client's only message, a BSON document `{jwt: …}`; without one, it asks for a sign-in page.

    That page is for people (`IdpInfo`), and DocumentDB's clients bring their token with them.
    """
    try:
        if not isinstance(payload, bytes):  # of a number `bytes` would make as many zeros
            raise ValueError
        found = BSON(payload).decode()
    except (InvalidBSON, ValueError):
        raise _failed("the message is no BSON document") from None
    token = found.get("jwt")
    if not isinstance(token, str) or not token:
        raise _failed("the message holds no access token (`jwt`)")
    return token


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _failed(reason: str) -> CommandError:
    return CommandError(18, f"Authentication failed: {reason}.")
