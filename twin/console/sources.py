"""What the pages show, read anew for each: the supervisor's status, what was deployed, the directory, servers' logs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators.apim import tracing_client
from emulators.base.errors import EmulatorError
from emulators.base.files import read_object
from emulators.base.state import State
from emulators.entra import applied
from emulators.entra.directory import Directory
from twin import offer
from twin.console.config import Config
from twin.errors import RuntimeFailure
from twin.offer import Offer
from twin.supervise.status import PartStatus, Status

_GROUP = "aci-"
#: Bytes of a server's log that are looked through for one request.
_LOG_END = 2 * 1024 * 1024


@dataclass(frozen=True)
class Slot:
    """One container group, or one replica of an app: its process, and which tier of which server it is.

    `slot` is the group's, or revision and number of the replica.
    """

    server: str
    tier: str
    slot: str
    name: str
    part: PartStatus

    @property
    def title(self) -> str:
        return f"{self.tier} · {'slot' if self.name.startswith(_GROUP) else 'replica'} {self.slot}"


class Sources:
    def __init__(self, config: Config) -> None:
        self.home = config.home
        self._state = config.state

    def status(self) -> Status | None:
        return Status.read(self.home)

    def offer(self) -> Offer | None:
        """None before a deployment ended."""
        return offer.load(self.home)

    def need_offer(self) -> Offer:
        found = self.offer()
        if found is None or not found.client_id:
            raise RuntimeFailure("nothing is deployed that a client could sign in to; run `invoke deploy`")
        return found

    def directory(self) -> Directory:
        """Raises TwinError where the applied state holds no valid directory."""
        offered = self.offer()
        return applied.directory(State.load(self._state), offered.tenant_id if offered else None)

    def users(self) -> dict[str, str]:
        """Names of who can sign in by short name, in the directory's order; empty where there is no directory."""
        try:
            return {user.key: user.name for user in self.directory().users}
        except EmulatorError:
            return {}

    def people(self) -> dict[str, str]:
        """Names by object id; empty where there is no directory."""
        try:
            directory = self.directory()
        except EmulatorError:
            return {}
        users = {user.object_id: user.name for user in directory.users}
        return users | {identity.principal_id: identity.name for identity in directory.identities.values()}

    def slots(self) -> list[Slot]:
        """Of each server, tier by tier, slot by slot and replica by replica."""
        status, offered = self.status(), self.offer()
        servers = sorted(offered.endpoints, key=len, reverse=True) if offered is not None else []
        parts = {name: part for name, part in status.parts.items() if part.kind == "server"} if status else {}
        found = []
        for name, part in sorted({**parts, **(self._replicas() if status else {})}.items()):
            own, _, replica = name.removeprefix(_GROUP).partition("--")
            server = next((s for s in servers if own.startswith(f"{s}-")), "")
            rest = own.removeprefix(f"{server}-")
            tier, slot = (rest, replica) if replica else rest.rpartition("-")[::2]
            found.append(Slot(server, tier, slot, name, part))
        return found

    def _replicas(self) -> dict[str, PartStatus]:
        """Of apps, as their ingress has them."""
        apps = read_object(self.home / "run" / "apps.status.json").values()
        return {
            name: PartStatus(one["state"], "server", detail="it ends after its last call" if one["leaving"] else "")
            for app in apps
            for name, one in app["replicas"].items()
        }

    def requests(self) -> list[dict[str, Any]]:
        """Raises RuntimeFailure where the gateway keeps no traces."""
        return tracing_client.recent(self.home)

    def trace(self, request_id: str) -> dict[str, Any] | None:
        return tracing_client.find(self.home, request_id)

    def audit(self, request_id: str) -> list[dict[str, Any]]:
        """What servers wrote about one request, each line with its container's or replica's name."""
        found = []
        logs = self.home / "logs"
        for path in sorted([*logs.glob(f"{_GROUP}*.log"), *logs.glob("*--*.log")]):
            for line in _end_of(path).splitlines():
                if request_id in line and line.startswith("{"):
                    found.extend(_line(line, request_id, path.stem))
        return found


def _line(text: str, request_id: str, container: str) -> list[dict[str, Any]]:
    try:
        line = json.loads(text)
    except ValueError:
        return []  # a line that is still being written
    return [{**line, "container": container}] if line.get("correlation_id") == request_id else []


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _LOG_END, 0))
        return file.read().decode("utf-8", "replace")
