"""What all requests of one gateway share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from emulators.apim.breakers import Breaker, Rule
from emulators.apim.cache import Cache
from emulators.apim.counters import Quotas, SlidingWindows
from emulators.apim.identity import ManagedIdentity
from emulators.apim.messages import Url
from emulators.apim.tokens import Sender, Tokens

#: Entra ID's global authority.
DEFAULT_AUTHORITY = "https://login.microsoftonline.com"


@dataclass(frozen=True)
class Backend:
    id: str
    url: Url
    breaker: Rule | None = None


@dataclass
class Services:
    """`clock` gives seconds since 1970, `sleep` waits: tests replace both, and `upstream`."""

    upstream: Sender
    clock: Callable[[], float]
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
    running: dict[str, int] = field(default_factory=dict)

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


def make_services(
    upstream: Sender,
    backends: Mapping[str, Backend],
    *,
    identity_endpoint: str = "",
    identity_header: str = "",
    authority: str = "",
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Services:
    return Services(
        upstream=upstream,
        clock=clock,
        sleep=sleep,
        backends=backends,
        tokens=Tokens(upstream, clock),
        identity=ManagedIdentity(upstream, clock, identity_endpoint, identity_header),
        cache=Cache(clock),
        rate_windows=SlidingWindows(clock),
        quotas=Quotas(clock),
        authority=authority or DEFAULT_AUTHORITY,
        breakers={b.id: Breaker(b.breaker, clock) for b in backends.values() if b.breaker is not None},
    )
