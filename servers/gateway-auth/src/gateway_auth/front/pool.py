"""Clients of the server behind: one for all or one for each caller, started again when the process dies."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastmcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR

from gateway_auth.front.child import ChildTransport, write_log

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0  # seconds between a failed start and the next: doubled each time
PING_SECONDS = 4.0
FORCED_SECONDS = 10.0

Make = Callable[[], "Client[ChildTransport]"]


class UnavailableError(MCPError):
    """The server behind cannot be asked now; `str()` is one sentence for the caller."""

    def __init__(self, sentence: str) -> None:
        super().__init__(code=INTERNAL_ERROR, message=sentence)


@dataclass
class _Held:
    """One caller's client."""

    client: Client[ChildTransport] | None = None
    used_at: float = 0.0
    failures: int = 0
    not_before: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pool:
    """`make` returns a new client, not connected. `most` processes at once; one that is idle for `idle` seconds ends.

    `clock` is monotonic, in seconds.
    """

    def __init__(self, make: Make, *, most: int, idle: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._most = most
        self._idle = idle
        self._clock = clock
        self._held: dict[str, _Held] = {}

    async def get(self, key: str) -> Client[ChildTransport]:
        """Return the connected client of that key. UnavailableError where there is none and none can be had."""
        held = self._held.get(key)
        if held is None:
            await self._make_room()
            held = self._held.setdefault(key, _Held())
        held.used_at = self._clock()
        async with held.lock:
            if held.client is None or not held.client.is_connected() or not held.client.transport.runs:
                await self._start(held)
            assert held.client is not None
            return held.client

    async def is_ready(self, key: str) -> bool:
        """Whether the server of that key answers; it is started where it does not run."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                return bool(await (await self.get(key)).ping())
        except Exception:  # noqa: BLE001 - whatever fails there, it is not ready
            return False

    async def sweep(self, keep: str) -> None:
        """End what nobody has used for a while, but for `keep`."""
        late = self._clock() - self._idle
        for key in [key for key, held in self._held.items() if key != keep and held.used_at < late]:
            await self._end(key)

    async def close(self) -> None:
        for key in list(self._held):
            await self._end(key)

    async def _make_room(self) -> None:
        if len(self._held) < self._most:
            return
        await self.sweep(keep="")
        if len(self._held) >= self._most:
            raise UnavailableError(
                f"The server keeps a process for each caller and has {self._most}, the most it may; try again later."
            )

    async def _start(self, held: _Held) -> None:
        await self._disconnect(held)
        if (wait := held.not_before - self._clock()) > 0:
            raise UnavailableError(f"The server behind does not start; the next attempt is in {wait:.0f} s.")
        client = self._make()
        try:
            await client.__aenter__()  # type: ignore[no-untyped-call]  # it is left in `_disconnect`
        except Exception as error:
            held.failures += 1
            held.not_before = self._clock() + min(FIRST_DELAY * 2 ** (held.failures - 1), LONGEST_DELAY)
            write_log(f"the server behind does not start: {_why(error)}")
            raise UnavailableError("The server behind does not start; see its log.") from error
        held.client, held.failures = client, 0

    async def _end(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            await self._disconnect(held)

    async def _disconnect(self, held: _Held) -> None:
        client, held.client = held.client, None
        if client is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(FORCED_SECONDS):
                    await client.close()  # type: ignore[no-untyped-call]


def _why(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    cause = error.__cause__
    return f"{error}" if cause is None or str(cause) in str(error) else f"{error} ({cause})"
