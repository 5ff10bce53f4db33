"""What the runtime is to run: one `ProcessSpec` per process, and the `Plan` that holds them all."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["entra", "mongo", "server", "apps", "gateway", "console"]
Restart = Literal["Always", "OnFailure", "Never"]


@dataclass(frozen=True)
class Health:
    """How a process shows that it serves: an HTTP request that is answered well, or MongoDB's `hello`.

    `file`: does not serve while that does not exist. `statuses`: the lowest and the highest good HTTP status.
    """

    protocol: Literal["http", "mongo"]
    path: str = "/"
    host_header: str = ""
    file: str = ""
    statuses: tuple[int, int] = (200, 200)


@dataclass(frozen=True)
class Liveness:
    """When a process that runs is taken for hung, ended and started again: after `failures` failed checks in a row.

    `delay`, `period` and `timeout` in seconds; the first check comes `delay` after the start, None: once it has served.
    """

    health: Health
    delay: float | None = 0
    period: float = 10
    timeout: float = 1
    failures: int = 3


@dataclass(frozen=True)
class ProcessSpec:
    """One process. `files` are written (0600) before it starts: path → text.

    `live` files too, and the running process takes over what they say later (see live.py). `version` is the image
    digest: a new image behind the same tag is another process. `address` is that in the network, and another one comes
    with a restart only. `more_ports`: others that it listens on.
    """

    name: str
    kind: Kind
    argv: tuple[str, ...]
    port: int
    health: Health
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    live: Mapping[str, str] = field(default_factory=dict)
    restart: Restart = "Always"
    liveness: Liveness | None = None
    version: str = ""
    address: str = ""
    more_ports: tuple[int, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Equal fingerprints: a running process need not be restarted."""
        text = json.dumps({**asdict(self), "live": sorted(self.live)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """Everything one state asks for.

    `refused`: container group or app → why it cannot start. `unreachable`: a backend's `host:port`,
    `<account> from <container>`, or a revision of an app, → why there is no way to it.
    """

    processes: tuple[ProcessSpec, ...]
    mongodb_uri: str
    external_mongodb: bool = False
    refused: Mapping[str, str] = field(default_factory=dict)
    unreachable: Mapping[str, str] = field(default_factory=dict)

    def process(self, name: str) -> ProcessSpec:
        return next(process for process in self.processes if process.name == name)


def python_module(module: str, config: Path) -> tuple[str, ...]:
    """The command of one part of the twin; the interpreter is the runtime's own."""
    return (sys.executable, "-m", module, "--config", str(config))


def as_file(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True)
