"""How the platform is: `run/status.json`, written by the supervisor alone, read by everyone else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from emulators.base.files import read_json, write_json

PartState = Literal[
    "waiting", "starting", "healthy", "succeeded", "unhealthy", "restarting", "failed", "ended", "refused"
]


@dataclass(frozen=True)
class PartStatus:
    """One part. `failed`: died repeatedly without ever serving (restarts go on). `ended`: its restart policy is done;
    `succeeded`: so it is, and the process did its work (exit code 0), as Container Instances calls it.

    `since` is when the current process started (UTC, ISO 8601); `identity` tells that process from a later one with the
    same pid; `detail` says why it is not healthy, `ended` why the process before this one ended, empty for the first.
    """

    state: PartState
    kind: str
    port: int | None = None
    pid: int | None = None
    identity: str | None = None
    restarts: int = 0
    since: str | None = None
    detail: str = ""
    ended: str = ""

    @property
    def healthy(self) -> bool:
        return self.state in ("healthy", "succeeded")


@dataclass(frozen=True)
class Status:
    """The whole platform. `reload` counts up to the latest reload that is done; `code` tells which code is running.

    `database` says in one line which MongoDB it is and why not a better one (see database_choice).
    """

    pid: int
    since: str
    parts: Mapping[str, PartStatus]
    mongodb_uri: str = ""
    database: str = ""
    unreachable: Mapping[str, str] = field(default_factory=dict)
    reload: int = 0
    code: str = ""
    failure: str = ""

    @property
    def healthy(self) -> bool:
        return bool(self.parts) and not self.failure and all(part.healthy for part in self.parts.values())

    def write(self, home: Path) -> None:
        document = asdict(self)
        document["healthy"] = self.healthy
        for name, part in self.parts.items():
            document["parts"][name]["healthy"] = part.healthy
        write_json(home / "run" / "status.json", document)

    @classmethod
    def read(cls, home: Path) -> Status | None:
        """None where there is no status, or a damaged one."""
        try:
            return cls._from(read_json(home / "run" / "status.json"))
        except (AttributeError, KeyError, TypeError):
            return None

    @classmethod
    def _from(cls, stored: dict[str, Any]) -> Status:
        stored = {name: value for name, value in stored.items() if name != "healthy"}
        parts = {
            name: PartStatus(**{key: value for key, value in part.items() if key != "healthy"})
            for name, part in stored.pop("parts").items()
        }
        if not all(isinstance(part.port, int | None) and isinstance(part.pid, int | None) for part in parts.values()):
            raise TypeError("ports and process ids are numbers")
        return cls(parts=parts, **stored)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
