"""A database without keys: the server's managed identity signs in, by a token for each connection (MONGODB-OIDC).

"Connect using role-based access control and Microsoft Entra ID" (Azure DocumentDB, 2026-02-04): the connection string
names the identity by its client id and the mechanism, and holds no secret.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pymongo.auth_oidc import OIDCCallback, OIDCCallbackContext, OIDCCallbackResult
from pymongo.errors import PyMongoError

MECHANISM = "MONGODB-OIDC"
SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
# A database that refuses every token must not cost a new one with each call.
RENEW_SECONDS = 30.0


class NoTokenError(PyMongoError):
    """The machine's managed identity endpoint gave no token; `reason` is the credential's own, without secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def uses_tokens(uri: str) -> bool:
    """Whether the connection string asks for MONGODB-OIDC."""
    options = {name.lower(): value for name, value in parse_qsl(urlsplit(uri).query)}
    return options.get("authmechanism", "").upper() == MECHANISM


class ManagedIdentityTokens(OIDCCallback):
    """What PyMongo asks for a token, on a thread: the identity that the connection string names, or the only one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._credential: Any = None
        self._clock = clock
        self._given, self._given_at = "", 0.0

    def fetch(self, context: OIDCCallbackContext) -> OIDCCallbackResult:
        token = self._token(context)
        # PyMongo keeps a token until the database refuses it: one that it asks for again is of no more use.
        if token == self._given and self._clock() - self._given_at >= RENEW_SECONDS:
            self._credential = None
            token = self._token(context)
            self._given_at = self._clock()
        if token != self._given:
            self._given, self._given_at = token, self._clock()
        return OIDCCallbackResult(access_token=token)

    def _token(self, context: OIDCCallbackContext) -> str:
        # Imported late: a server with a password never needs it, and it takes a third of a second.
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import CredentialUnavailableError, ManagedIdentityCredential

        if self._credential is None:
            self._credential = ManagedIdentityCredential(client_id=context.username or None)
        try:
            # azure-identity keeps the token, and asks for a new one some minutes before it ends.
            return str(self._credential.get_token(SCOPE).token)
        except (ClientAuthenticationError, CredentialUnavailableError) as error:
            raise NoTokenError(type(error).__name__) from error


def signing_in(uri: str) -> dict[str, Any]:
    """PyMongo's options beside the connection string: where tokens sign in, who fetches them."""
    if not uses_tokens(uri):
        return {}
    return {"authMechanismProperties": {"OIDC_CALLBACK": ManagedIdentityTokens()}}
