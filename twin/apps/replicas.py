"""The replicas of revisions: as many as the calls under way ask for, given calls only while they are ready.

"Set scaling rules in Azure Container Apps": a replica for each `concurrentRequests`, between the minimum and the
maximum, and one goes after the cool-down. What is concurrent is counted as the requests of the past 15 seconds, divided
by 15, every 15 seconds; here it is those of the past 3, twice a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from twin.apps.config import LATEST, App, Revision
from twin.supervise.part import Part

LOOKS = 0.5  # seconds between two looks at the load
WINDOW = 3.0  # seconds whose requests are counted


class Replica:
    """One process of a revision. `active`: calls under way; `leaving`: it gets no new ones and ends after the last."""

    def __init__(self, revision: Revision, number: int, logs: Path, changed: Callable[[], None]) -> None:
        self.revision = revision.name
        self.port = _free_port()
        process = revision.process
        environment = {**process.env, "PORT": str(self.port)}
        name = f"{revision.name}.{number}"
        self.part = Part(replace(process, name=name, port=self.port, env=environment), logs / f"{name}.log", changed)
        self.active = 0
        self.leaving = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.part.start()

    @property
    def ready(self) -> bool:
        return not self.leaving and self.part.status.state == "healthy"

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        self.active += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.active -= 1
            if not self.active:
                self._idle.set()

    async def leave(self, grace: float) -> None:
        """End once its calls have, after `grace` seconds at the latest."""
        self.leaving = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), grace)
        await self.part.stop(grace=3)


class Running:
    """One revision that runs: its replicas and the load on them."""

    def __init__(self, revision: Revision, logs: Path, changed: Callable[[], None]) -> None:
        self.revision = revision
        self.waiting = 0
        self._came: deque[float] = deque()
        self.replicas: list[Replica] = []
        self._logs, self._changed = logs, changed
        self._number = 0
        self._busy_at = time.monotonic()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> list[Replica]:
        return [one for one in self.replicas if one.ready]

    def wanted(self) -> int:
        """Replicas that the load asks for now."""
        scale, since = self.revision.scale, time.monotonic() - WINDOW
        while self._came and self._came[0] < since:
            self._came.popleft()
        load = max(self.waiting, len(self._came) / WINDOW)
        return max(scale.minimum, min(scale.maximum, math.ceil(load / scale.concurrent)))

    def count(self) -> None:
        """Take a request into account."""
        self._came.append(time.monotonic())

    def look(self) -> None:
        """Start what is missing at once; let go of what is too much after the cool-down, those without calls first."""
        staying = [one for one in self.replicas if not one.leaving]
        wanted, now = self.wanted(), time.monotonic()
        if wanted >= len(staying):
            self._busy_at = now
        for _ in range(wanted - len(staying)):
            self._number += 1
            self.replicas.append(Replica(self.revision, self._number, self._logs, self._changed))
        if now - self._busy_at >= self.revision.scale.cooldown:
            for one in sorted(staying, key=lambda r: (r.ready, r.active))[: max(0, len(staying) - wanted)]:
                self._let_go(one)

    def _let_go(self, replica: Replica) -> None:
        async def leave() -> None:
            await replica.leave(self.revision.scale.grace)
            self.replicas.remove(replica)
            self._changed()

        replica.leaving = True
        task = asyncio.create_task(leave())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def stop(self, grace: float) -> None:
        """End every replica, each after its last call."""
        await asyncio.gather(*self._ending, *(one.leave(grace) for one in self.replicas if not one.leaving))
        self.replicas.clear()


class Deployed:
    """One app as it runs: which revisions do, and which of them a call goes to.

    `last_ready`: the newest revision that was ready ever, which "latest" means; kept in a file by whoever makes this.
    """

    def __init__(self, app: App, logs: Path, changed: Callable[[], None], last_ready: str = "") -> None:
        self.app = app
        self.last_ready = last_ready
        self.running: dict[str, Running] = {}
        self._logs, self._changed = logs, changed
        self._going: set[asyncio.Task[None]] = set()

    def weighted(self) -> list[tuple[Revision, int]]:
        """Revisions with their weights; the latest ready one has LATEST's."""
        by_suffix = {revision.suffix: revision for revision in self.app.revisions}
        latest = next((r for r in self.app.revisions if r.name == self.last_ready), self.app.revisions[-1])
        return [
            (latest if suffix == LATEST else by_suffix[suffix], weight)
            for suffix, weight in self.app.weights.items()
            if suffix == LATEST or suffix in by_suffix
        ]

    def take(self) -> Replica | None:
        """Choose a replica for a call, and count the call."""
        replica = self.choose()
        if replica is not None:
            self.running[replica.revision].count()
        return replica

    def choose(self) -> Replica | None:
        """Where a call goes: by weight among revisions that are ready, else to any that is, the newest first."""
        ready = [(self.running[r.name].ready, w) for r, w in self.weighted() if r.name in self.running]
        ready = [(replicas, weight) for replicas, weight in ready if replicas and weight]
        if ready:
            (replicas,) = random.choices([r for r, _ in ready], [w for _, w in ready])  # noqa: S311  no secret
        else:
            found = (self.running[r.name].ready for r in reversed(self.app.revisions) if r.name in self.running)
            replicas = next((one for one in found if one), [])
        return min(replicas, key=lambda one: one.active, default=None)

    def asked(self) -> Running | None:
        """The revision that a call waits for where none is ready."""
        weights = self.weighted()
        name = max(weights, key=lambda pair: pair[1])[0].name if weights else ""
        return self.running.get(name)

    def look(self) -> None:
        """Run what has a weight, the newest, and what serves until that is ready; look at the load of each."""
        newest = self.app.revisions[-1]
        if newest.name in self.running and self.running[newest.name].ready:
            self.last_ready = newest.name
        needed = {r.name for r, weight in self.weighted() if weight} | {newest.name}
        served = any(self.running[name].ready for name in needed if name in self.running)
        for revision in self.app.revisions:
            if revision.name in needed and revision.name not in self.running:
                self.running[revision.name] = Running(revision, self._logs, self._changed)
        for name, running in list(self.running.items()):
            if name in needed or not served:
                running.look()
            else:
                del self.running[name]
                task = asyncio.create_task(running.stop(running.revision.scale.grace))
                self._going.add(task)
                task.add_done_callback(self._going.discard)

    def adopt(self, app: App) -> None:
        """Go on with other weights, or with one revision more."""
        known = {revision.name for revision in app.revisions}
        self.app = app
        for revision in app.revisions:
            if (running := self.running.get(revision.name)) is not None:
                running.revision = revision
        self.last_ready = self.last_ready if self.last_ready in known else ""

    def complaint(self) -> str:
        """Why a caller may not be served, or not by what was applied; empty where all is well."""
        for revision, weight in [*self.weighted(), (self.app.revisions[-1], self.app.weights.get(LATEST, 0))]:
            running = self.running.get(revision.name)
            enough = running is not None and len(running.ready) >= min(1, revision.scale.minimum)
            if weight and not enough:
                states = [one.part.status for one in running.replicas] if running else []
                detail = next((status.detail.splitlines()[0] for status in states if status.detail), "not ready yet")
                return f"revision {revision.name}: {detail}"
        return ""

    async def stop(self, grace: float) -> None:
        await asyncio.gather(*self._going, *(running.stop(grace) for running in self.running.values()))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
