from __future__ import annotations

import httpx2
import pytest
from gateway_auth.health import REMEMBERED_SECONDS, Readiness


class Database:
    def __init__(self) -> None:
        self.reachable = True
        self.pinged = 0

    async def __call__(self) -> bool:
        self.pinged += 1
        return self.reachable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("reachable", "status"), [(True, 200), (False, 503)])
async def test_ready_follows_the_database(reachable: bool, status: int) -> None:
    """Ready means that a call would find the database."""
    database = Database()
    database.reachable = reachable
    answer = await ask(Readiness(database, otherwise="database unreachable", clock=Clock()))
    assert (answer.status_code, answer.json()["status"]) == (status, "ready" if reachable else "database unreachable")


async def test_readiness_does_not_hammer_the_database() -> None:
    """Whoever asks often gets the answer of a moment ago."""
    database, clock = Database(), Clock()
    readiness = Readiness(database, clock=clock)
    for _ in range(10):
        await ask(readiness)
    assert database.pinged == 1
    database.reachable = False
    clock.now += REMEMBERED_SECONDS
    assert (await ask(readiness)).status_code == 503


async def ask(readiness: Readiness) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=readiness), base_url="http://x") as client:
        return await client.get("/readyz")
