"""What all requests of one gateway share."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulators.apim.breakers import Breaker, Rule
from emulators.apim.cache import Cache
from emulators.apim.counters import Quotas, SlidingWindows
from emulators.apim.identity import Authorization, ManagedIdentity
from emulators.apim.messages import Url
from emulators.apim.tokens import Sender, Tokens

#: Entra ID's global authority.
DEFAULT_AUTHORITY = "https://login.microsoftonline.com"


@dataclass(frozen=True)
class Backend:
    id: str
    url: Url
    breaker: Rule | None = None


class Events:
    """Metrics and events of policies, as lines of JSON in a file, or in a list. Without either they are dropped."""

    def __init__(self, path: Path | None = None, kept: list[dict[str, Any]] | None = None) -> None:
        self._path, self._kept = path, kept

    def record(self, event: dict[str, Any]) -> None:
        if self._kept is not None:
            self._kept.append(event)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(event, ensure_ascii=False)}\n")


#: The element that sends a request of its own while others go on: what is sent is not the running element's.
SENDING: ContextVar[str] = ContextVar("sending", default="")


@dataclass
class Services:
    """`clock` gives seconds since 1970, `uptime` those since some moment, which no change of the clock moves.

    What is written in tokens asks the clock; what lasts so and so long asks the other. `sleep` waits. Tests replace all
    three, and `upstream`.
    """

    upstream: Sender
    clock: Callable[[], float]
    uptime: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    backends: Mapping[str, Backend]
    tokens: Tokens
    identity: ManagedIdentity
    cache: Cache
    rate_windows: SlidingWindows
    quotas: Quotas
    breakers: Mapping[str | None, Breaker]
    #: Where `validate-azure-ad-token` finds tenants, without a slash at its end.
    authority: str = DEFAULT_AUTHORITY
    #: By (provider, authorization).
    authorizations: Mapping[tuple[str, str], Authorization] = field(default_factory=dict)
    events: Events = field(default_factory=Events)
    running: dict[str, int] = field(default_factory=dict)
    #: Requests that nobody waits for (`send-one-way-request`).
    unawaited: set[asyncio.Task[None]] = field(default_factory=set)

    def take_over(self, before: Services) -> None:
        """Go on with the counters, the cache and the keys of a gateway whose policies changed, as Azure's does.

        A breaker stays as it is while its rule is the same. The gateway's own tokens are asked for anew: a role of its
        identity may be what changed.
        """
        self.tokens, self.cache = before.tokens, before.cache
        self.rate_windows, self.quotas, self.running = before.rate_windows, before.quotas, before.running
        kept = {
            id_: breaker
            for id_, breaker in before.breakers.items()
            if id_ in self.breakers and before.backends[str(id_)] == self.backends[str(id_)]
        }
        self.breakers = {**self.breakers, **kept}


def since_start() -> float:
    """Seconds since the machine started, those that it slept among them where the system counts them.

    On Linux CLOCK_BOOTTIME does (clock_gettime(2)), on macOS CLOCK_MONOTONIC (clock_gettime(3)).
    """
    if sys.platform == "win32":
        return time.monotonic()
    return time.clock_gettime(time.CLOCK_BOOTTIME if sys.platform == "linux" else time.CLOCK_MONOTONIC)


def make_services(
    upstream: Sender,
    backends: Mapping[str, Backend],
    *,
    identity_endpoint: str = "",
    identity_header: str = "",
    authority: str = "",
    authorizations: Mapping[tuple[str, str], Authorization] | None = None,
    events: Events | None = None,
    clock: Callable[[], float] = time.time,
    uptime: Callable[[], float] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Services:
    """`uptime`: without one it is the clock where that is somebody's own, else the machine's."""
    if uptime is None:
        uptime = since_start if clock is time.time else clock
    return Services(
        upstream=upstream,
        clock=clock,
        uptime=uptime,
        sleep=sleep,
        backends=backends,
        tokens=Tokens(upstream, uptime),
        identity=ManagedIdentity(upstream, clock, identity_endpoint, identity_header, uptime),
        cache=Cache(uptime),
        rate_windows=SlidingWindows(uptime),
        quotas=Quotas(uptime),
        authority=authority or DEFAULT_AUTHORITY,
        authorizations=authorizations or {},
        events=events or Events(),
        breakers={b.id: Breaker(b.breaker, uptime) for b in backends.values() if b.breaker is not None},
    )
