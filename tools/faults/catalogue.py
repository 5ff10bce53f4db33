"""The faults, by name: what happens, and what it takes to make it happen and to end it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.faults.callers import Callers
from tools.faults.measure import Cause
from tools.faults.subject import Subject, signal_all

#: Seconds for which a part is stopped, slowed down or kept down.
AWAY = 8.0
#: A slowed part runs for this share of the time, in turns of a fifth of a second.
SHARE = 0.1
_TURN = 0.2

Pids = Callable[[Subject], list[int]]


@dataclass(frozen=True)
class Fault:
    """`none_fails`: no call may fail. `alone`: never one of a pair, because it changes what the other is about."""

    name: str
    what: str
    cause: Cause
    none_fails: bool = False
    alone: bool = False


def _parts(*names: str) -> Pids:
    return lambda subject: [pid for name in names if (pid := subject.pid(name)) is not None]


#: What can be killed, stopped and slowed down: name → (its processes, in words).
PARTS: dict[str, tuple[Pids, str]] = {
    "gateway": (_parts("gateway"), "the gateway"),
    "issuer": (_parts("entra"), "the issuer"),
    "database": (_parts("mongo"), "the database"),
    "slot": (_parts("aci-groups-reader-a"), "one of two slots of the readers"),
    "slots": (_parts("aci-groups-admin-a", "aci-groups-admin-b"), "both slots of the writers"),
    "only-slot": (_parts("aci-keyless-admin-a"), "the only slot of the writers without keys"),
    "replica": (lambda subject: subject.replicas("reader")[:1], "one of two replicas of the readers' app"),
    "replicas": (lambda subject: subject.replicas("admin"), "every replica of the writers' app"),
    "ingress": (_parts("apps"), "the ingress of the apps, and with it their replicas"),
}


def _kill(pids: Pids) -> Cause:
    async def cause(subject: Subject, callers: Callers) -> None:
        signal_all(_some(pids, subject), signal.SIGKILL)

    return cause


def _stop(pids: Pids) -> Cause:
    async def cause(subject: Subject, callers: Callers) -> None:
        stopped = _some(pids, subject)
        signal_all(stopped, signal.SIGSTOP)
        try:
            await asyncio.sleep(AWAY)
        finally:
            signal_all(stopped, signal.SIGCONT)

    return cause


def _hang(pids: Pids) -> Cause:
    """Nobody wakes it up: its liveness check ends it."""

    async def cause(subject: Subject, callers: Callers) -> None:
        stopped = _some(pids, subject)
        signal_all(stopped, signal.SIGSTOP)
        try:
            await _until(lambda: not set(stopped) & set(pids(subject)), 60, "its liveness check has not ended it")
        finally:
            signal_all(stopped, signal.SIGCONT)

    return cause


def _slow(pids: Pids) -> Cause:
    async def cause(subject: Subject, callers: Callers) -> None:
        until = time.monotonic() + AWAY
        while time.monotonic() < until:
            slowed = pids(subject)
            signal_all(slowed, signal.SIGSTOP)
            try:
                await asyncio.sleep(_TURN * (1 - SHARE))
            finally:
                signal_all(slowed, signal.SIGCONT)
            await asyncio.sleep(_TURN * SHARE)

    return cause


def _gone(pids: Pids) -> Cause:
    """Killed as often as it is started again."""

    async def cause(subject: Subject, callers: Callers) -> None:
        until = time.monotonic() + AWAY
        while time.monotonic() < until:
            signal_all(pids(subject), signal.SIGKILL)
            await asyncio.sleep(0.05)

    return cause


def _some(pids: Pids, subject: Subject) -> list[int]:
    found = pids(subject)
    if not found:
        raise RuntimeError("the part does not run, so nothing can happen to it")
    return found


async def _until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        if time.monotonic() > deadline:
            raise RuntimeError(f"after {seconds:g} s {otherwise}")
        await asyncio.sleep(0.1)


def _of_parts() -> Iterator[Fault]:
    for name, (pids, words) in PARTS.items():
        yield Fault(f"kill-{name}", f"{words} killed", _kill(pids), none_fails=name == "issuer")
        yield Fault(f"stop-{name}", f"{words} stopped for {AWAY:g} s", _stop(pids))
        yield Fault(f"slow-{name}", f"{words} with a tenth of the processor for {AWAY:g} s", _slow(pids))


def catalogue() -> list[Fault]:
    """Every single fault, in the order in which the whole run has them."""
    return [*_of_parts()]
