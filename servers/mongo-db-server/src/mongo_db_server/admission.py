"""How many calls run at once: in all, and of one caller. Whoever comes later waits his turn within his time limit."""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from mongo_db_server.errors import BusyError


class Admission:
    """`total` and `per_caller` are ceilings of running calls; `waiting` of calls that wait."""

    def __init__(self, total: int = 64, per_caller: int = 16, waiting: int = 1_000) -> None:
        self.total = total
        self.per_caller = per_caller
        self._max_waiting = waiting
        self._running = 0
        self._by_caller: Counter[str | None] = Counter()
        self._waiting: deque[tuple[str | None, asyncio.Future[None]]] = deque()

    async def enter(self, caller: str | None, seconds: float) -> None:
        """Returns when the call may run. Raises BusyError when its turn does not come in time."""
        if self._fits(caller):
            self._admit(caller)
            return
        if len(self._waiting) >= self._max_waiting:
            raise BusyError("Too many calls wait for this server already: try again in a moment.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (caller, turn)
        self._waiting.append(place)
        try:
            async with asyncio.timeout(max(seconds, 0)):  # wait_for of Python 3.11 may swallow a cancellation
                await asyncio.shield(turn)
        except BaseException as error:
            if turn.done():
                self.leave(caller)
            else:
                self._waiting.remove(place)
            if not isinstance(error, TimeoutError):
                raise
            raise BusyError(
                f"The call's turn did not come within its time limit: {self.per_caller} calls of one caller and "
                f"{self.total} in all run at once (`MCP_CONCURRENT_PER_CALLER`, `MCP_CONCURRENT_TOTAL`)."
            ) from None

    def leave(self, caller: str | None) -> None:
        """Makes room, and lets in who has waited longest and fits."""
        self._running -= 1
        self._by_caller[caller] -= 1
        if not self._by_caller[caller]:
            del self._by_caller[caller]
        for place in self._waiting:
            if self._fits(place[0]):
                self._waiting.remove(place)
                self._admit(place[0])
                place[1].set_result(None)
                return

    def _fits(self, caller: str | None) -> bool:
        return self._running < self.total and self._by_caller[caller] < self.per_caller

    def _admit(self, caller: str | None) -> None:
        self._running += 1
        self._by_caller[caller] += 1
