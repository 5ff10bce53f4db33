"""Confirmation of what cannot be undone: a first call is answered with what would happen and a token, and only the same
call by the same caller with that token does it.

The token is the whole state, so it works in every protocol version and without a session. It holds when it ends and a
random number, sealed with a key (HMAC-SHA-256) over caller, tool and arguments. A process remembers the tokens it has
taken until they end. Processes that share a key (see `server.confirmation_key`) take each other's tokens, each of them
once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mongo_db_server import ejson
from mongo_db_server.errors import RefusedError

_KEY_ID, _EXPIRY, _NONCE, _SEAL = 4, 8, 12, 16
_TOKEN = _KEY_ID + _EXPIRY + _NONCE + _SEAL
_MAX_REMEMBERED = 100_000


@dataclass(frozen=True)
class Subject:
    """What a token is good for."""

    caller: str | None
    client: str | None
    tool: str
    arguments: dict[str, Any]

    def digest(self) -> bytes:
        parts = [self.caller, self.client, self.tool, self.arguments]
        return hashlib.sha256(ejson.canonical_text(parts)).digest()


class Confirmations:
    """`key` None makes one for this process; `clock` is seconds since the epoch, which processes share."""

    def __init__(
        self, key: bytes | None = None, *, seconds: int = 300, clock: Callable[[], float] = time.time, context: str = ""
    ) -> None:
        self.shared = key is not None
        # The context keeps servers and tiers apart that were given the same key.
        self._key = hmac.digest(key or secrets.token_bytes(32), b"mcp-confirmation\0" + context.encode(), "sha256")
        self._key_id = hashlib.sha256(b"id\0" + self._key).digest()[:_KEY_ID]
        self.seconds = seconds
        self._clock = clock
        self._taken: dict[bytes, float] = {}

    def issue(self, subject: Subject) -> str:
        expiry = int(self._clock()) + self.seconds
        head = self._key_id + expiry.to_bytes(_EXPIRY, "big") + secrets.token_bytes(_NONCE)
        return base64.urlsafe_b64encode(head + self._seal(head, subject)).decode()

    def take(self, token: str, subject: Subject) -> None:
        """Uses the token up. Raises RefusedError unless it was given for exactly this, is not over, and was not
        used."""
        raw = _decoded(token)
        head, seal = raw[:-_SEAL], raw[-_SEAL:]
        if head[:_KEY_ID] != self._key_id:
            raise RefusedError(self._foreign())
        if not hmac.compare_digest(seal, self._seal(head, subject)):
            raise RefusedError(
                "The confirmation was given for another call: it is good only for the same caller, client, tool and "
                "arguments. Nothing was done."
            )
        expiry = int.from_bytes(head[_KEY_ID : _KEY_ID + _EXPIRY], "big")
        now = self._clock()
        if now >= expiry:
            raise RefusedError("The confirmation is over: call again without it for a new one. Nothing was done.")
        self._remember(head, expiry, now)

    def _remember(self, head: bytes, expiry: float, now: float) -> None:
        if head in self._taken:
            raise RefusedError("The confirmation has been used: call again without it for a new one. Nothing was done.")
        if len(self._taken) >= _MAX_REMEMBERED:
            self._taken = {known: until for known, until in self._taken.items() if until > now}
        if len(self._taken) >= _MAX_REMEMBERED:
            raise RefusedError("Too many confirmations are under way: try again later. Nothing was done.")
        self._taken[head] = expiry

    def _seal(self, head: bytes, subject: Subject) -> bytes:
        return hmac.digest(self._key, head + subject.digest(), "sha256")[:_SEAL]

    def _foreign(self) -> str:
        if self.shared:
            return "The confirmation was not given by this server, or with another key. Nothing was done."
        return (
            "The confirmation was not given by this process: it has restarted, or another slot of the server answered "
            "(then its operator must set `MCP_CONFIRMATION_KEY`). Call again without it. Nothing was done."
        )


def _decoded(token: str) -> bytes:
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if len(raw) != _TOKEN:
        raise RefusedError("`confirmation` is not a token of this server: call without it first. Nothing was done.")
    return raw
