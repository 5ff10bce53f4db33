"""Circuit breakers of applied backends."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.apim.breakers import seconds
from emulators.apim.failures import UpstreamError
from emulators.apim.tests.world import World, applied, ok, policies, resource


def guarded(**condition: Any) -> World:
    rule = {
        "name": "r",
        "trip_duration": "PT10S",
        "accept_retry_after_enabled": True,
        "failure_condition": [
            {"interval_duration": "PT1M", "status_code_range": [{"min": 502, "max": 504}], **condition}
        ],
    }
    backend = resource(
        "api_management_backend", "b", url="http://guarded.test", protocol="http", circuit_breaker_rule=[rule]
    )
    world = World(applied(policies(inbound="<set-backend-service backend-id='b'/>"), extra=[backend]))
    world.backends.answers["http://guarded.test"] = ok(status=503)
    return world


async def test_a_breaker_trips_and_closes_again() -> None:
    """After `count` failures the backend is left alone for `trip_duration`: 503 with Retry-After, without a call."""
    world = guarded(count=2)
    assert [(await world.send()).status for _ in range(2)] == [503, 503]
    reply = await world.send()
    assert (reply.status, reply.headers["Retry-After"], len(world.backends.calls)) == (503, ["10"], 2)
    world.clock.now += 10
    world.backends.answers["http://guarded.test"] = ok()
    assert (await world.send()).status == 200


async def test_failures_outside_the_interval_are_forgotten() -> None:
    """Only failures within `interval_duration` count; so do connections that fail, where `error_reasons` names them."""
    world = guarded(count=2, error_reasons=["BackendConnectionFailure"])
    world.backends.answers["http://guarded.test"] = UpstreamError("BackendConnectionFailure", "no")
    await world.send()
    world.clock.now += 61
    await world.send()
    await world.send()
    assert ((await world.send()).status, len(world.backends.calls)) == (503, 3)


async def test_a_failed_connection_is_not_one_of_the_backend_s_statuses() -> None:
    """Without its reason in the rule, or 500 in a range, it counts as little as a time-out."""
    world = guarded(count=1)
    world.backends.answers["http://guarded.test"] = UpstreamError("BackendConnectionFailure", "no")
    assert [(await world.send()).status for _ in range(3)] == [500, 500, 500]
    assert len(world.backends.calls) == 3


async def test_the_backend_s_retry_after_counts() -> None:
    """`accept_retry_after_enabled` takes the pause that the backend asks for."""
    world = guarded(count=1)
    world.backends.answers["http://guarded.test"] = ok(status=503, headers={"Retry-After": "30"})
    await world.send()
    assert (await world.send()).headers["Retry-After"] == ["30"]


async def test_a_percentage_needs_enough_calls() -> None:
    """`percentage` of the calls in the interval, once there were five."""
    world = guarded(percentage=100)
    for _ in range(6):
        await world.send()
    assert len(world.backends.calls) == 5


@pytest.mark.parametrize(("text", "expected"), [("PT10S", 10), ("PT1M30S", 90), ("P1DT1H", 90000)])
def test_durations(text: str, expected: float) -> None:
    """ISO 8601 durations of days to seconds."""
    assert seconds(text) == expected


def test_other_durations_are_refused() -> None:
    """Months have no fixed length."""
    with pytest.raises(ValueError, match="not an ISO 8601 duration"):
        seconds("P1M")
