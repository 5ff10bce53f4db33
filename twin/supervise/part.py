"""One supervised part: started, asked whether it serves, restarted with back-off, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emulators.base import live
from twin.errors import RuntimeFailure
from twin.supervise.child import Child
from twin.supervise.health import check
from twin.supervise.spec import ProcessSpec
from twin.supervise.status import PartStatus, now

FIRST_DELAY, LONGEST_DELAY = 0.2, 10.0  # seconds between a death and the next start: doubled each time
_STEADY = 10.0  # seconds of serving after which earlier deaths are forgiven
_EARLY_DEATHS = 2  # deaths without ever serving, after which the part counts as failed (and is still restarted)
_WHILE_STARTING, _WHILE_SERVING = 0.05, 1.0  # seconds between health checks
ADOPT_TIMEOUT = 10.0  # seconds in which a process takes over what a live file says
HUNG_GRACE = 2.0  # seconds that a process which does not answer has to end by itself
_FOR_OTHERS = 30.0  # seconds for what a part that runs to its end asks
_MISSES = 2  # failed checks in a row that make a serving part unhealthy: one may be a pause of the machine

_log = logging.getLogger("twin.runtime")


class Part:
    """Keeps `spec` running until `stop`. `changed` is called after every change of `status`."""

    def __init__(self, spec: ProcessSpec, log: Path, changed: Callable[[], None]) -> None:
        self.spec = spec
        self.status = PartStatus(state="waiting", kind=spec.kind, port=spec.port)
        self._log_file = log
        self._changed = changed
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._settled = asyncio.Event()
        self._served_at: float | None = None
        self._ever_served = False  # as it is told to now
        self._told_anew = asyncio.Event()
        self._serves = asyncio.Event()
        self._hung = ""

    def start(self, after: Sequence[Part] = ()) -> None:
        """Start it, once each part of `after` serves, has failed or has ended (or does not for half a minute)."""
        self._task = asyncio.create_task(self._run_after(after), name=self.spec.name)
        self._task.add_done_callback(self._crashed)

    async def stop(self, grace: float) -> None:
        """Ends the process (SIGKILL after `grace` seconds) and the supervision of it."""
        self._stopping = True
        if self._child is not None:
            await self._child.stop(grace)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def settled(self, seconds: float) -> None:
        """Returns when the part serves, has failed or has ended; after `seconds` in any case."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._settled.wait()

    async def adopt(self, spec: ProcessSpec, seconds: float = ADOPT_TIMEOUT) -> None:
        """Goes on with a spec of the same fingerprint; returns when the process has taken its live files over.

        A process that is not there will read them when it starts. RuntimeFailure for one that does not take them over.
        """
        changed, self.spec = spec.live != self.spec.live, spec
        if not changed and live.is_taken(spec.live):
            return
        live.write(spec.live)
        self._ever_served = False
        child = self._child
        if child is not None:
            child.signal_reload()
        elif self.status.state in ("failed", "restarting"):  # what it died of may be mended
            self._update(state="restarting")
            self._told_anew.set()
        deadline = time.monotonic() + seconds
        while child is not None and child is self._child and not live.is_taken(spec.live):
            if time.monotonic() > deadline:
                raise RuntimeFailure(
                    f"{spec.name} did not take over {', '.join(spec.live)} within {seconds:g} s; see its log, "
                    f"then run it again"
                )
            await asyncio.sleep(0.02)

    async def _run_after(self, others: Sequence[Part]) -> None:
        await asyncio.gather(*(other.settled(_FOR_OTHERS) for other in others))
        await self._run()

    async def _run(self) -> None:
        deaths = 0
        while True:
            code, tail = await self._live()
            if self._stopping:
                return
            deaths = 1 if self._was_steady() else deaths + 1
            if not self._should_restart(code):
                done = code == 0 and not self._hung
                detail = "" if done else _exit_summary(code, tail)
                self._update(state="succeeded" if done else "ended", pid=None, identity=None, detail=detail)
                return
            gives_up = not self._ever_served and deaths >= _EARLY_DEATHS
            self._update(
                state="failed" if gives_up else "restarting",
                pid=None,
                identity=None,
                restarts=self.status.restarts + 1,
                detail=self._hung or _exit_summary(code, tail),
                ended=self._hung or _exit_summary(code, ""),
            )
            self._told_anew.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(FIRST_DELAY * 2 ** (deaths - 1), LONGEST_DELAY)):
                    await self._told_anew.wait()
                    deaths = 0

    async def _live(self) -> tuple[int, str]:
        """One life of the process: its exit code and last lines."""
        self._served_at, self._hung = None, ""
        self._serves.clear()
        try:
            self._child = child = await Child.start(self.spec, self._log_file)
        except OSError as error:
            return 127, f"{error.strerror}: {error.filename}"
        if self._stopping:  # stop() came while the process was being made
            await child.stop(0)
        first = self.status.state == "waiting"
        # A failed part stays failed until it serves: whoever waits for it must not miss the word.
        state = "starting" if first else self.status.state
        self._update(state=state, pid=child.pid, identity=child.identity, since=now())
        watchers = [asyncio.create_task(watch(child)) for watch in (self._monitor, self._end_when_hung)]
        for watcher in watchers:
            watcher.add_done_callback(self._crashed)
        try:
            code = await child.wait()
        finally:
            for watcher in watchers:
                watcher.cancel()
            self._child = None
        return code, child.log_tail()

    async def _monitor(self, child: Child) -> None:
        misses = 0
        while not self._stopping:
            child.keep_log_short()
            complaint = await check(self.spec.health, self.spec.port)
            misses = misses + 1 if complaint else 0
            if self._stopping:
                return
            if not complaint:
                self._served_at = self._served_at or time.monotonic()
                # Until the process has taken its files over, it serves what was before.
                self._ever_served = self._ever_served or live.is_taken(self.spec.live)
                self._serves.set()
                self._update(state="healthy", detail="")
            elif self._served_at is None:
                if self.status.state == "starting":
                    self._update(detail=complaint)
            elif misses >= _MISSES:
                self._update(state="unhealthy", detail=complaint)
            await asyncio.sleep(_WHILE_SERVING if self._served_at else _WHILE_STARTING)

    async def _end_when_hung(self, child: Child) -> None:
        """Ends a process that is alive and does not answer; its restart policy decides what comes then."""
        probe = self.spec.liveness
        if probe is None:
            return
        if probe.delay is None:
            await self._serves.wait()
        else:
            await asyncio.sleep(probe.delay)
        failures = 0
        while not self._stopping:
            asked = time.monotonic()
            complaint = await check(probe.health, self.spec.port, probe.timeout)
            failures = failures + 1 if complaint else 0
            if failures >= probe.failures:
                self._hung = f"was alive but failed {failures} liveness checks in a row ({complaint}), so it was ended"
                _log.warning("%s: %s", self.spec.name, self._hung)
                child.note(f"[platform] {self.spec.name} {self._hung}")
                await child.stop(HUNG_GRACE)
                return
            # From one question to the next, as Kubernetes has it: the wait for an answer is a part of it.
            await asyncio.sleep(max(0.0, asked + probe.period - time.monotonic()))

    def _crashed(self, task: asyncio.Task[None]) -> None:
        """Our own mistake, said aloud: else the status would stay at its last word for ever."""
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s: the supervision itself failed", self.spec.name, exc_info=error)
            self._update(state="failed", detail=f"is no longer supervised ({type(error).__name__}: {error})")

    def _was_steady(self) -> bool:
        return self._served_at is not None and time.monotonic() - self._served_at > _STEADY

    def _should_restart(self, code: int) -> bool:
        failed = code != 0 or bool(self._hung)
        return self.spec.restart == "Always" or (self.spec.restart == "OnFailure" and failed)

    def _update(self, **values: Any) -> None:
        before = self.status
        self.status = replace(before, **values)
        if self.status.state not in ("waiting", "starting"):
            self._settled.set()
        if self.status == before:
            return
        if self.status.state != before.state:
            _log.info("%s: %s%s", self.spec.name, self.status.state, _brief(self.status.detail))
        self._changed()


def _exit_summary(code: int, tail: str) -> str:
    how = f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"{how}; its log ends with:\n{tail}" if tail else f"{how} and wrote nothing to its log"


def _brief(detail: str) -> str:
    """The last line, where programs say what went wrong."""
    return f" ({detail.splitlines()[-1]})" if detail else ""
