"""Short-lived, single-use things: authorization codes and page transactions. Kept as hashes, in memory only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Clock = Callable[[], float]
"""Seconds since the epoch."""

LIMIT = 10_000
"""Live entries per store; the oldest go first, so that a client in a loop cannot fill the memory."""


class UnknownTokenError(Exception):
    """Never issued, or forgotten."""


class SpentTokenError(Exception):
    """Was redeemed before."""


class LapsedTokenError(Exception):
    """Was not redeemed in time."""


@dataclass
class _Entry(Generic[T]):
    value: T | None
    expires: float


class SingleUse(Generic[T]):
    """Issues random tokens and gives the value back once."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._entries: dict[bytes, _Entry[T]] = {}

    def issue(self, value: T) -> str:
        token = secrets.token_urlsafe(32)
        self._forget()
        self._entries[_hash(token)] = _Entry(value, self._clock() + self._seconds)
        return token

    def redeem(self, token: str) -> T:
        """The value, once. Raises UnknownTokenError, SpentTokenError or LapsedTokenError."""
        entry = self._entries.get(_hash(token))
        if entry is None:
            raise UnknownTokenError
        if entry.value is None:
            raise SpentTokenError
        value, entry.value = entry.value, None
        if self._clock() >= entry.expires:
            raise LapsedTokenError
        return value

    def _forget(self) -> None:
        # Kept for twice its life, so that late use is told apart from nonsense. The oldest comes first.
        horizon = self._clock() - self._seconds
        while self._entries:
            oldest = next(iter(self._entries))
            if len(self._entries) < LIMIT and self._entries[oldest].expires >= horizon:
                return
            del self._entries[oldest]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
