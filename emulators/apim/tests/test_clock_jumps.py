"""A machine's clock that is put right, or wakes up elsewhere: what lasts so and so long does not ask it."""

from __future__ import annotations

import pytest

from emulators.apim.tests.harness import FakeClock, GatewayHarness, applied, ok, policies, resource

HOUR = 3600.0
BREAKER = {
    "name": "r",
    "trip_duration": "PT10S",
    "failure_condition": [
        {"count": 1, "interval_duration": "PT1M", "status_code_range": [{"min": 502, "max": 504}]}
    ],
}  # fmt: skip


def jumping(inbound: str) -> tuple[GatewayHarness, FakeClock]:
    """A gateway whose clock can be moved while no time passes, and the time that passes."""
    backend = resource(
        "api_management_backend", "b", url="http://backend.test", protocol="http", circuit_breaker_rule=[BREAKER]
    )
    uptime = FakeClock()
    return GatewayHarness(applied(policies(inbound=inbound), extra=[backend]), uptime), uptime


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR])
async def test_a_breaker_closes_in_time(jump: float) -> None:
    """It tripped while the clock was wrong, and the clock is right again."""
    gateway, uptime = jumping("<set-backend-service backend-id='b'/>")
    gateway.clock.now += jump
    gateway.backends.answers["http://backend.test"] = ok(status=503)
    await gateway.send()
    gateway.backends.answers["http://backend.test"] = ok()
    gateway.clock.now -= jump
    assert (await gateway.send()).status == 503
    uptime.now += 10
    assert (await gateway.send()).status == 200


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR])
async def test_what_is_cached_is_forgotten_in_time(jump: float) -> None:
    """Neither earlier nor two hours later."""
    gateway, uptime = jumping(
        "<cache-lookup-value key='k' default-value='none' variable-name='found' caching-type='internal' />"
        "<cache-store-value key='k' value='kept' duration='5' caching-type='internal' />"
        '<return-response><set-body>@((string)context.Variables["found"])</set-body></return-response>'
    )
    gateway.clock.now += jump
    assert (await gateway.send()).text == "none"
    gateway.clock.now -= jump
    assert (await gateway.send()).text == "kept"
    uptime.now += 6
    assert (await gateway.send()).text == "none"


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR])
async def test_a_limit_of_calls_renews_in_time(jump: float) -> None:
    """A caller waits as long as Retry-After says."""
    gateway, uptime = jumping("<rate-limit-by-key calls='1' renewal-period='60' counter-key='k' />")
    gateway.clock.now += jump
    assert (await gateway.send()).status == 200
    gateway.clock.now -= jump
    refused = await gateway.send()
    assert (refused.status, refused.headers["Retry-After"]) == (429, ["60"])
    uptime.now += 60
    assert (await gateway.send()).status == 200


async def test_a_request_takes_as_long_as_it_takes() -> None:
    """`context.Elapsed` of one that the clock jumped under."""
    gateway, uptime = jumping(
        "<send-request mode='new' response-variable-name='other' timeout='9' ignore-error='true'>"
        "<set-url>http://slow.test/</set-url><set-method>GET</set-method></send-request>"
        "<return-response><set-body>@(context.Elapsed.TotalSeconds.ToString())</set-body></return-response>"
    )

    def slow(*_: object) -> object:
        gateway.clock.now += 2 * HOUR
        uptime.now += 3
        return ok()

    gateway.backends.answers["http://slow.test"] = slow
    assert (await gateway.send()).text == "3"
