"""A gateway whose clock jumps: in this process, with what the platform has applied, before the platform's own servers.

Another process's clock cannot be set, so that of the issuer, the database and the servers goes on; what differs is how
far the gateway's is from theirs, which is the same whoever jumped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import uvicorn

from emulators.apim.backend_client import BackendClient
from emulators.apim.http_server import Application, server_config
from emulators.apim.process import Config, make_gateway
from emulators.apim.services import since_start
from emulators.base import serving
from emulators.base.state import State
from tools.faults.callers import Callers
from tools.faults.measure import Cause, Fault
from tools.faults.subject import Subject

#: Seconds of calls before the clock jumps, while it is wrong, and in which all has to be well after it is right again.
_BEFORE, _WRONG, _RIGHT = 2.0, 6.0, 60.0
_JUMP = 2 * 3600.0
_CALM = 3.0


class Clock:
    """The machine's time and `ahead` seconds."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@asynccontextmanager
async def _gateway(subject: Subject, clock: Clock) -> AsyncIterator[str]:
    """Its address, on a free port."""
    config = Config.load(subject.home / "run" / "gateway.json")
    client = BackendClient(config.resolve, config.allowed_hosts, config.trusted_authority)
    made = make_gateway(State.load(config.state), config, client, clock=clock, uptime=since_start)
    listener = serving.listen("127.0.0.1", 0, "")
    server = uvicorn.Server(server_config(Application(made)))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        await client.close()


def _jumps(seconds: float) -> Cause:
    async def cause(subject: Subject, callers: Callers) -> None:
        clock, own = Clock(), callers.target
        async with _gateway(subject, clock) as address:
            callers.target = replace(own, gateway=address)
            try:
                await asyncio.sleep(_BEFORE)
                clock.ahead = seconds
                await asyncio.sleep(_WRONG)
                clock.ahead = 0.0
                await _calm(callers)
            finally:
                callers.target = own
                await asyncio.sleep(1)  # for the calls under way

    return cause


async def _calm(callers: Callers) -> None:
    """Return when nobody has been in trouble for a while. RuntimeError where somebody is after a minute."""
    right = time.monotonic()
    while time.monotonic() < right + _RIGHT:
        last = max((call.ended for call in callers.calls[-500:] if call.troubled), default=0.0)
        if time.monotonic() - max(last, right) > _CALM:
            return
        await asyncio.sleep(0.2)
    raise RuntimeError(f"calls still fail {_RIGHT:g} s after the gateway's clock was put right")


def faults() -> Iterator[Fault]:
    """Two hours, more than a token lives."""
    for name, words, seconds in (("ahead", "ahead", _JUMP), ("behind", "behind", -_JUMP)):
        yield Fault(
            f"clock-{name}",
            f"the gateway's clock {_JUMP / 3600:g} hours {words} for {_WRONG:g} s, and right again",
            _jumps(seconds),
            alone=True,
        )
