"""Circuit breakers of applied backends."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.apim.breakers import seconds
from emulators.apim.failures import UpstreamError
from emulators.apim.tests.harness import GatewayHarness, applied, ok, policies, resource


def guarded(**condition: Any) -> GatewayHarness:
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
    gateway = GatewayHarness(applied(policies(inbound="<set-backend-service backend-id='b'/>"), extra=[backend]))
    gateway.backends.answers["http://guarded.test"] = ok(status=503)
    return gateway


async def test_a_breaker_trips_and_closes_again() -> None:
    """After `count` failures the backend is left alone for `trip_duration`: 503 with Retry-After, without a call."""
    gateway = guarded(count=2)
    assert [(await gateway.send()).status for _ in range(2)] == [503, 503]
    reply = await gateway.send()
    assert (reply.status, reply.headers["Retry-After"], len(gateway.backends.calls)) == (503, ["10"], 2)
    gateway.clock.now += 10
    gateway.backends.answers["http://guarded.test"] = ok()
    assert (await gateway.send()).status == 200


async def test_failures_outside_the_interval_are_forgotten() -> None:
    """Only failures within `interval_duration` count; so do connections that fail, where `error_reasons` names them."""
    gateway = guarded(count=2, error_reasons=["BackendConnectionFailure"])
    gateway.backends.answers["http://guarded.test"] = UpstreamError("BackendConnectionFailure", "no")
    await gateway.send()
    gateway.clock.now += 61
    await gateway.send()
    await gateway.send()
    assert ((await gateway.send()).status, len(gateway.backends.calls)) == (503, 3)


async def test_a_failed_connection_is_not_one_of_the_backend_s_statuses() -> None:
    """Without its reason in the rule, or 500 in a range, it counts as little as a time-out."""
    gateway = guarded(count=1)
    gateway.backends.answers["http://guarded.test"] = UpstreamError("BackendConnectionFailure", "no")
    assert [(await gateway.send()).status for _ in range(3)] == [500, 500, 500]
    assert len(gateway.backends.calls) == 3


async def test_the_backend_s_retry_after_counts() -> None:
    """`accept_retry_after_enabled` takes the pause that the backend asks for."""
    gateway = guarded(count=1)
    gateway.backends.answers["http://guarded.test"] = ok(status=503, headers={"Retry-After": "30"})
    await gateway.send()
    assert (await gateway.send()).headers["Retry-After"] == ["30"]


async def test_a_percentage_needs_enough_calls() -> None:
    """`percentage` of the calls in the interval, once there were five."""
    gateway = guarded(percentage=100)
    for _ in range(6):
        await gateway.send()
    assert len(gateway.backends.calls) == 5


@pytest.mark.parametrize(("text", "expected"), [("PT10S", 10), ("PT1M30S", 90), ("P1DT1H", 90000)])
def test_durations(text: str, expected: float) -> None:
    """ISO 8601 durations of days to seconds."""
    assert seconds(text) == expected


def test_other_durations_are_refused() -> None:
    """Months have no fixed length."""
    with pytest.raises(ValueError, match="not an ISO 8601 duration"):
        seconds("P1M")
