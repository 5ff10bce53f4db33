"""`/healthz`: the process answers. `/readyz`: the database does too. Neither needs a token or says more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pymongo
from pymongo.errors import PyMongoError

from mongo_db_server.gate import answer

if TYPE_CHECKING:
    from pymongo.asynchronous.mongo_client import AsyncMongoClient
    from starlette.types import ASGIApp, Receive, Scope, Send

Ping = Callable[[], Awaitable[bool]]

PING_SECONDS = 3.0
# Anyone may ask, so the database is not asked more often than this.
REMEMBERED_SECONDS = 1.0


def live() -> ASGIApp:
    async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, {"status": "live"})

    return healthz


class Readiness:
    """`ping` says whether the database answers; `clock` is monotonic, in seconds."""

    def __init__(self, ping: Ping, clock: Callable[[], float] = time.monotonic) -> None:
        self._ping = ping
        self._clock = clock
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._reachable = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._lock:
            if self._clock() - self._asked_at >= REMEMBERED_SECONDS:
                self._reachable = await self._ping()
                self._asked_at = self._clock()
        status, word = (200, "ready") if self._reachable else (503, "database unreachable")
        await answer(send, status, {"status": word})


def database_ping(client: AsyncMongoClient[dict[str, object]]) -> Ping:
    async def ping() -> bool:
        try:
            with pymongo.timeout(PING_SECONDS):
                await client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    return ping
