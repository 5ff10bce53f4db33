from __future__ import annotations

import pytest
from mongo_db_server.throttling import once, retry_throttled
from pymongo.errors import NetworkTimeout, OperationFailure


class Time:
    """A clock that only sleeping moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Database:
    """Throttles a number of times, then answers."""

    def __init__(self, refusals: int, message: str = "Error=16500, RetryAfterMs=100", code: int = 16500) -> None:
        self.attempts = 0
        self._refusals = refusals
        self._error = OperationFailure(message, code)

    async def __call__(self) -> str:
        self.attempts += 1
        if self.attempts <= self._refusals:
            raise self._error
        return "answer"


async def test_throttling_is_waited_out() -> None:
    """A short throttling is not the caller's problem, and at least the asked time is waited."""
    time, database = Time(), Database(refusals=3)
    assert await retry_throttled(database, deadline=10.0, sleep=time.sleep, clock=time) == "answer"
    assert (database.attempts, 0.3 <= time.now <= 0.45) == (4, True)


async def test_time_limit_ends_the_wait() -> None:
    """A wait that would pass the time limit is not begun."""
    time, database = Time(), Database(refusals=1000)
    with pytest.raises(OperationFailure):
        await retry_throttled(database, deadline=1.0, sleep=time.sleep, clock=time)
    assert time.now < 1.0
    assert database.attempts > 5


async def test_waits_grow_when_the_database_does_not_say() -> None:
    """Without a hint the waits double, so a busy database is not made busier."""
    time, database = Time(), Database(refusals=1000, message="Request rate is large")
    with pytest.raises(OperationFailure):
        await retry_throttled(database, deadline=10.0, sleep=time.sleep, clock=time)
    assert database.attempts < 10


async def test_other_errors_are_not_repeated() -> None:
    """Only throttling is worth another attempt."""
    database = Database(refusals=1, code=11000)
    with pytest.raises(OperationFailure):
        await retry_throttled(database, deadline=10.0, clock=Time())
    assert database.attempts == 1


async def test_writes_run_once() -> None:
    """A write that may have been done in part is never repeated."""
    database = Database(refusals=1)
    with pytest.raises(OperationFailure):
        await once(database, deadline=float(10**9))
    assert database.attempts == 1


async def test_time_lost_on_throttling_is_reported_as_throttling() -> None:
    """When the time limit passes in an attempt after throttled ones, throttling is the reason."""
    errors: list[Exception] = [OperationFailure("busy", 16500), NetworkTimeout("timed out")]

    async def attempt() -> int:
        raise errors.pop(0)

    async def sleep(seconds: float) -> None:
        """Takes no time."""

    with pytest.raises(OperationFailure, match="busy"):
        await retry_throttled(attempt, deadline=1e12, sleep=sleep)
