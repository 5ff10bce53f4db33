"""`/healthz`: the process answers. `/readyz`: what it depends on does too. Neither needs a token or says more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from gateway_auth.asgi import ASGIApp, Receive, Scope, Send, answer

Ping = Callable[[], Awaitable[bool]]

REMEMBERED_SECONDS = 1.0  # anyone may ask, so what is behind is not asked more often than this


def live() -> ASGIApp:
    """The application for `/healthz`: always 200."""

    async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, {"status": "live"})

    return healthz


class Readiness:
    """The application for `/readyz`: 200 while `ping` returns True, else 503 with `otherwise` as status.

    `clock` is monotonic, in seconds.
    """

    def __init__(
        self, ping: Ping, *, otherwise: str = "not ready", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ping = ping
        self._otherwise = otherwise
        self._clock = clock
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._ready = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._lock:
            if self._clock() - self._asked_at >= REMEMBERED_SECONDS:
                self._ready = await self._ping()
                self._asked_at = self._clock()
        status, word = (200, "ready") if self._ready else (503, self._otherwise)
        await answer(send, status, {"status": word})
