"""Retries of calls that the database throttles, within the call's time limit (Cosmos DB, error 16500)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pymongo
from pymongo.errors import PyMongoError

from mongo_db_server.translate import is_throttling, retry_after_ms

T = TypeVar("T")

_FIRST_WAIT_MS = 50
_LONGEST_WAIT_MS = 5_000
_MOST_ATTEMPTS = 200  # a database that asks to be asked again at once is not asked for ever


async def retry_throttled(
    attempt: Callable[[], Awaitable[T]],
    *,
    deadline: float,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Run `attempt`, and again while it is throttled, a bounded number of times. It must be safe to repeat.
    `deadline` is in seconds of `clock`; when the next wait would pass it, the throttling error itself is raised."""
    wait_ms = _FIRST_WAIT_MS
    throttled: PyMongoError | None = None
    for number in range(_MOST_ATTEMPTS):
        try:
            with pymongo.timeout(max(deadline - clock(), 0.001)):
                return await attempt()
        except PyMongoError as error:
            if not is_throttling(error):
                if throttled is not None and error.timeout:
                    raise throttled from error  # what the time was lost on
                raise
            throttled = error
            # Jitter keeps callers that were throttled together from coming back together.
            seconds = (retry_after_ms(error) or wait_ms) / 1000 * random.uniform(1.0, 1.5)  # noqa: S311
            if clock() + seconds >= deadline or number == _MOST_ATTEMPTS - 1:
                raise
        await sleep(seconds)
        wait_ms = min(wait_ms * 2, _LONGEST_WAIT_MS)
    raise AssertionError("the last attempt returns or raises")


async def once(attempt: Callable[[], Awaitable[T]], *, deadline: float) -> T:
    """Run `attempt` within the time limit and never again: for writes that repeating would change."""
    with pymongo.timeout(max(deadline - time.monotonic(), 0.001)):
        return await attempt()
