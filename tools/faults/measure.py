"""One fault under load: what callers met, how long until all was well, and what was lost."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tools.faults.callers import Call, Callers
from tools.faults.subject import ONE_SLOT, Subject

#: Seconds without a failed call and with every part healthy, after which all is taken for well.
QUIET = 3.0
#: Seconds after the fault's end in which all has to be well.
LIMIT = 90.0
_LOOKS = 0.2

Cause = Callable[[Subject, Callers], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """`none_fails`: no call of a tool may fail, but of a server with one slot, which is away while that is replaced.

    `alone`: never one of a pair, as it changes what the other is about.
    """

    name: str
    what: str
    cause: Cause
    none_fails: bool = False
    alone: bool = False


@dataclass
class Outcome:
    """`lasted`: seconds of the fault itself, `well`: seconds from its beginning until all was well.

    `told`: (status, text) → failed calls. `wrong`: sentences of what must not be.
    """

    name: str
    what: str
    calls: int = 0
    failed: int = 0
    longest: float = 0.0
    lasted: float = 0.0
    well: float | None = None
    told: Counter[tuple[int, str]] = field(default_factory=Counter)
    written: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)


class _Health:
    """Looks again and again. `bad_at`: when not every part was well last, by `time.monotonic`."""

    def __init__(self, subject: Subject, began: float) -> None:
        self._subject = subject
        self.bad_at = began

    async def watch(self) -> None:
        while True:
            if not await asyncio.to_thread(self._subject.healthy):
                self.bad_at = time.monotonic()
            await asyncio.sleep(_LOOKS)


class Measure:
    """Keeps what is known to be lost, so that each fault is told only its own."""

    def __init__(self, subject: Subject, callers: Callers) -> None:
        self._subject, self._callers = subject, callers
        self._lost: set[str] = set()

    async def run(self, fault: Fault) -> Outcome:
        """Let it happen and wait until all is well."""
        found = Outcome(fault.name, fault.what)
        before = self._count()
        first, began = len(self._callers.calls), time.monotonic()
        health = _Health(self._subject, began)
        watching = asyncio.create_task(health.watch())
        try:
            try:
                await fault.cause(self._subject, self._callers)
            except RuntimeError as error:
                found.wrong.append(str(error))
            found.lasted = time.monotonic() - began
            well = await self._until_well(first, health)
        finally:
            watching.cancel()
        if well is None:
            found.wrong.append(f"not well {LIMIT:g} s after the fault was over: {self._why_not()}")
        found.well = None if well is None else well - began
        self._judge(found, self._callers.calls[first:], none_fails=fault.none_fails)
        found.written = self._count() - before
        await self._compare(found)
        return found

    def _count(self) -> int:
        return sum(map(len, self._callers.written.values()))

    def _judge(self, found: Outcome, calls: Sequence[Call], *, none_fails: bool) -> None:
        found.calls = len(calls)
        found.told = Counter(call.told[:2] for call in calls if call.told.said)
        found.failed = found.told.total()
        found.longest = max((call.seconds for call in calls), default=0.0)
        unclear = {call.told[:2] for call in calls if call.told.said and not call.told.clear}
        found.wrong += [f"callers were told {text!r} with status {status}" for status, text in sorted(unclear)]
        spared = {who for who in self._callers.of_tools if who.rpartition(" ")[2] not in ONE_SLOT}
        of_tools = sum(1 for call in calls if call.told.said and call.who in spared)
        if none_fails and of_tools:
            found.wrong.append(f"{of_tools} calls of tools failed, and none should have")

    async def _until_well(self, first: int, health: _Health) -> float | None:
        """When the last trouble was over, by `time.monotonic`; None where it is not over in time."""
        over = time.monotonic()
        while time.monotonic() < over + LIMIT:
            await asyncio.sleep(_LOOKS)
            calls = self._callers.calls[first:]
            last = max([health.bad_at, *(call.ended for call in calls if call.troubled)])
            served = {call.who for call in calls if not call.told.said and call.began > over}
            waiting = [began for began in self._callers.under_way.values() if began < over]
            if not waiting and served.issuperset(self._callers.names()) and time.monotonic() - last > QUIET:
                return last
        return None

    def _why_not(self) -> str:
        waiting = [f"{who} waits {time.monotonic() - at:.0f} s" for who, at in self._callers.under_way.items()]
        last: dict[str, str] = {}
        for call in self._callers.calls[-200:]:
            last[call.who] = call.told.said
        failing = [f"{who}: {said}" for who, said in last.items() if said]
        return "; ".join([self._subject.why_not() or "every part is healthy", *failing, *waiting])[:1200]

    async def _compare(self, found: Outcome) -> None:
        acknowledged = {server: list(ids) for server, ids in self._callers.written.items()}
        for server, ids in acknowledged.items():
            try:
                there = await asyncio.to_thread(self._subject.stored, server)
            except Exception as error:  # noqa: BLE001 - whatever keeps it from being counted is said
                found.wrong.append(f"the writes of {server} could not be counted: {error}"[:300])
                continue
            lost = set(ids) - there - self._lost
            self._lost |= lost
            found.lost += len(lost)
        if found.lost:
            found.wrong.append(f"{found.lost} acknowledged writes are lost")
