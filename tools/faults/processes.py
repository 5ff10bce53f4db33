"""Faults of processes: killed, stopped, slowed down, kept down, hung for good, and without room on the disk."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator

from tools.faults import trust
from tools.faults.callers import Callers
from tools.faults.measure import Cause, Fault
from tools.faults.subject import Subject, limited_files, signal_all

#: Seconds for which a part is stopped, slowed down or kept down.
AWAY = 6.0
#: A slowed part runs for this share of the time, in turns of half a second.
SHARE = 0.02
_TURN = 0.5

Pids = Callable[[Subject], list[int]]


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


def _full(pids: Pids, *others: Cause) -> Cause:
    """No file of theirs grows, nor of what they start; meanwhile the others happen."""

    async def cause(subject: Subject, callers: Callers) -> None:
        with limited_files(_some(pids, subject), 0):
            await asyncio.sleep(1)
            for other in others:
                await other(subject, callers)
            await asyncio.sleep(AWAY - 1)

    return cause


async def _full_database(subject: Subject, callers: Callers) -> None:
    """Its log of changes grows by two kilobytes and no further."""
    log = subject.home / "mongo" / "changes.log"
    with limited_files(_some(_parts("mongo"), subject), log.stat().st_size + 2_000):
        await asyncio.sleep(AWAY)


async def _power(subject: Subject, callers: Callers) -> None:
    """The supervisor is killed, with which everything ends; a person starts the platform again."""
    supervisor = subject.supervisor()
    if supervisor is None:
        raise RuntimeError("no supervisor runs, so nothing can happen to it")
    signal_all([supervisor], signal.SIGKILL)
    try:
        await asyncio.to_thread(subject.invoke, "deploy")
    except RuntimeError as error:
        if "smoke test" not in str(error):
            raise
        # Callers were there before the servers were, so that the gateway's circuit breakers are open for ten seconds.
        await asyncio.to_thread(subject.invoke, "deploy")


async def _no_images(subject: Subject, callers: Callers) -> None:
    """Nothing can be pulled: what dies meanwhile comes back when there are images again."""
    images = subject.home / "images"
    away = images.rename(images.with_name("images.away"))
    try:
        signal_all(_some(_parts("aci-groups-reader-a"), subject), signal.SIGKILL)
        await asyncio.sleep(AWAY)
    finally:
        away.rename(images)


def _supervisor(subject: Subject) -> list[int]:
    pid = subject.supervisor()
    return [pid] if pid else []


def _servers(subject: Subject) -> list[int]:
    found = [subject.pid(f"aci-groups-{tier}-{slot}") for tier in ("admin", "reader") for slot in "ab"]
    return [pid for pid in found if pid is not None]


def faults() -> Iterator[Fault]:
    """Of each part the same three, then what only some can have."""
    for name, (pids, words) in PARTS.items():
        yield Fault(f"kill-{name}", f"{words} killed", _kill(pids), none_fails=name in ("issuer", "slot"))
        yield Fault(f"stop-{name}", f"{words} stopped for {AWAY:g} s", _stop(pids))
        yield Fault(f"slow-{name}", f"{words} with a fiftieth of the processor for {AWAY:g} s", _slow(pids))
    for name in ("database", "ingress", "slot"):
        pids, words = PARTS[name]
        yield Fault(f"hang-{name}", f"{words} stopped until its liveness check ends it", _hang(pids))
    for name in ("database", "issuer"):
        pids, words = PARTS[name]
        yield Fault(f"gone-{name}", f"{words} killed whenever it starts, for {AWAY:g} s", _gone(pids))
    yield Fault("gone-images", f"no image can be pulled for {AWAY:g} s, and a slot of the readers dies", _no_images)
    yield Fault("full-database", f"no room on the database's disk for {AWAY:g} s", _full_database)
    kill_slot, kill_replica = _kill(PARTS["slot"][0]), _kill(PARTS["replica"][0])
    for name, pids, words, others in (
        ("gateway", PARTS["gateway"][0], "the gateway's disk", ()),
        ("issuer", PARTS["issuer"][0], "the issuer's disk, and its keys are rolled", (trust.roll_keys,)),
        ("servers", _servers, "the disks of all four slots", ()),
        ("ingress", PARTS["ingress"][0], "the disk of the apps' ingress, and a replica dies", (kill_replica,)),
        ("supervisor", _supervisor, "the supervisor's disk, and a slot of the readers dies", (kill_slot,)),
    ):  # fmt: skip
        yield Fault(f"full-{name}", f"no room on {words}, for {AWAY:g} s", _full(pids, *others))
    yield Fault(
        "power",
        "everything killed at once, and `invoke deploy`, repeated where its smoke test fails",
        _power,
        alone=True,
    )
