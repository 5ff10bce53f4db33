"""All parts of one home: brings what runs in line with a plan, and keeps the status file."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from emulators.base.errors import EmulatorError
from emulators.base.files import read_object
from emulators.base.state import State
from twin.supervise import database_choice, databases, documentdb, lock, ports
from twin.supervise.external import ExternalMongo
from twin.supervise.fingerprint import code_fingerprint
from twin.supervise.part import Part
from twin.supervise.settings import RuntimeConfig
from twin.supervise.spec import Plan, ProcessSpec
from twin.supervise.status import PartStatus, Status, now

# The gateway goes first, so that no call meets half a platform; then what it calls; then what that needs.
_STOP_ORDER = (("gateway", "console"), ("server", "apps"), ("entra", "mongo"))
_NEW_SERVES = 30.0  # seconds in which what is new should serve; after them it is called all the same
_WRITTEN_AGAIN = 1.0  # seconds until a status that could not be written is tried again
_GRACE = 6.0  # seconds: a little more than the gateway gives the answers it has begun
_SETTINGS = {"gateway": "GATEWAY_PORT", "entra": "ENTRA_PORT", "console": "CONSOLE_PORT"}

Planner = Callable[[State, RuntimeConfig, Path, Callable[[str], int]], Plan]
"""See `twin.supervise.plan.make_plan`; the last argument chooses the port of a process by its name."""

_log = logging.getLogger("twin.runtime")


class Supervisor:
    """Owns the processes of `home`. Not for use from several tasks at once: `apply` and `stop` take turns."""

    def __init__(self, home: Path, planner: Planner) -> None:
        self._home = home
        self._planner = planner
        self._parts: dict[str, Part] = {}
        self._external: ExternalMongo | None = None
        self._plan = Plan((), "")
        self._database = ""
        self._since = now()
        self._reload = 0
        self._failure = ""
        self._code = code_fingerprint()
        self._quiet = False
        self._again: asyncio.TimerHandle | None = None

    async def load(self) -> None:
        """Reads state and settings and applies them; on TwinError nothing has changed."""
        state = databases.with_current_values(State.load(self._home / "run" / "state.json"), self._home)
        config = RuntimeConfig.load(self._home)
        keyless = documentdb.is_used(state)
        choice = await asyncio.to_thread(database_choice.choose, config, self._home, keyless=keyless)
        config = replace(config, mongo="docker" if choice.kind == "docker" else "twin")
        held = frozenset(port for part in self._parts.values() for port in (part.spec.port, *part.spec.more_ports))
        book = ports.PortBook(self._home / "run" / "ports.json", held)
        await self.apply(self._planner(state, config, self._home, book.port_for), held)
        self._database = choice.text

    async def reload(self) -> None:
        """`load`, but what fails goes to the status and what runs goes on."""
        number = read_object(self._home / "run" / "reload.json").get("number")
        try:
            await self.load()
            self._failure = ""
        except (EmulatorError, OSError) as error:  # OSError: a full disk, say
            self._failure = str(error)
            _log.error("reload refused: %s", error)
        self._reload = number if isinstance(number, int) else self._reload
        self.publish()

    async def apply(self, plan: Plan, held: frozenset[int] = frozenset()) -> None:
        """Stops what is gone or changed, starts what is new or changed, leaves the rest alone.

        What a running part takes over comes first: a refusal there ends it before anything is stopped.
        """
        for process in plan.processes:
            if process.name in _SETTINGS and process.port not in held:
                ports.require_free(process.port, _SETTINGS[process.name])
        wanted = {process.name: process for process in plan.processes}
        outdated = [
            part
            for name, part in self._parts.items()
            if name not in wanted or wanted[name].fingerprint != part.spec.fingerprint
        ]
        kept = [part for name, part in self._parts.items() if name in wanted and part not in outdated]
        for part in kept:
            if part.spec.kind != "gateway":
                await part.adopt(wanted[part.spec.name])
        self._quiet = True  # readers see the platform before or after, not half-way
        try:
            await self._change(plan, wanted, outdated, kept)
        finally:
            self._quiet = False
            self.publish()

    async def _change(
        self, plan: Plan, wanted: Mapping[str, ProcessSpec], outdated: Sequence[Part], kept: Sequence[Part]
    ) -> None:
        gateways = [part for part in kept if part.spec.kind == "gateway"]
        if gateways:
            # What is new serves before the gateway knows of it, and what goes is called no more when it ends.
            added = [self._add(process) for process in plan.processes if process.name not in self._parts]
            await asyncio.gather(*(part.settled(_NEW_SERVES) for part in added))
        for part in gateways:
            await part.adopt(wanted[part.spec.name])
        await self._stop(outdated)
        await self._follow_external(plan)
        self._plan = plan
        for process in plan.processes:
            if process.name not in self._parts:
                self._add(process)

    def _add(self, process: ProcessSpec) -> Part:
        part = Part(process, self._home / "logs" / f"{process.name}.log", self.publish)
        # What runs to its end starts when what it asks can answer: its restart policy is no way to wait.
        asked = [other for other in self._parts.values() if other.spec.kind in ("entra", "mongo")]
        self._parts[process.name] = part
        part.start(after=[] if process.restart == "Always" else asked)
        return part

    async def stop(self) -> None:
        await self._stop(list(self._parts.values()))
        if self._external is not None:
            await self._external.stop()

    def publish(self) -> None:
        """Write the status; where that fails, as on a full disk, again every second until it can be written."""
        if self._quiet:
            return
        try:
            self._status().write(self._home)
        except OSError as error:
            if self._again is None:
                _log.error("the status cannot be written: %s", error)
            else:
                self._again.cancel()
            self._again = asyncio.get_running_loop().call_later(_WRITTEN_AGAIN, self.publish)
        else:
            self._again = None

    def _status(self) -> Status:
        parts = {name: part.status for name, part in self._parts.items()}
        if self._external is not None:
            parts["mongo"] = self._external.status
        for name, reason in self._plan.refused.items():
            parts[name] = PartStatus(state="refused", kind="server", detail=reason)
        return Status(
            pid=os.getpid(),
            since=self._since,
            parts=parts,
            mongodb_uri=self._plan.mongodb_uri,
            database=self._database,
            unreachable=self._plan.unreachable,
            reload=self._reload,
            code=self._code,
            failure=self._failure,
        )

    async def _stop(self, parts: Iterable[Part]) -> None:
        parts = list(parts)
        for kinds in _STOP_ORDER:
            await asyncio.gather(*(self._stop_one(part) for part in parts if part.spec.kind in kinds))

    async def _stop_one(self, part: Part) -> None:
        await part.stop(_GRACE)
        del self._parts[part.spec.name]
        _log.info("%s: stopped", part.spec.name)

    async def _follow_external(self, plan: Plan) -> None:
        uri = plan.mongodb_uri if plan.external_mongodb else None
        if self._external is not None and self._external.uri != uri:
            await self._external.stop()
            self._external = None
        if uri and self._external is None:
            self._external = ExternalMongo(uri, self.publish)
            self._external.start()


def end_leftovers(home: Path) -> None:
    """Ends what an earlier supervisor of this home left behind when it was killed."""
    for pid, identity in lock.leftovers(home):
        _log.warning("ending pid %d, which an earlier supervisor left behind", pid)
        lock.end_group(pid, identity, _GRACE)
