"""The platform that is broken: both kinds of compute and both databases, and hands on each of its parts."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo

from tests.support import own_platform
from tests.support.platform_under_test import Platform
from tools.faults.callers import DATABASE, Target
from twin import container_restart, control

#: Key of mcp_servers → readers and writers. `groups` runs in container groups of two slots, `apps` as Container Apps of
#: two replicas, `keyless` in one slot with a database that knows no keys.
SERVERS = {"groups": (2, 1), "apps": (2, 1), "keyless": (1, 1)}
ONE_SLOT = frozenset({"keyless"})
#: Seconds for a task while the platform is under load, and broken.
TASK = 600.0


@dataclass
class Subject:
    """`platform` is deployed; the parts are processes of this machine."""

    platform: Platform
    home: Path

    def target(self) -> Target:
        """Where it answers now."""
        found = self.platform.status_now()
        return Target(found["gateway"], found["authority"], found["client_id"], found["scope"])

    def healthy(self) -> bool:
        """Whether its supervisor says so: every part answers, every backend can be reached."""
        found = control.status(self.home)
        return found is not None and found.healthy and not found.unreachable

    def why_not(self) -> str:
        """What its supervisor says of parts that are not healthy."""
        found = control.status(self.home)
        if found is None:
            return "no supervisor runs"
        parts = [
            f"{name} is {part.state} {part.detail[:200]}" for name, part in found.parts.items() if not part.healthy
        ]
        return "; ".join([*parts, *found.unreachable.values(), *([found.failure] if found.failure else [])])

    def pid(self, part: str) -> int | None:
        """The process of a part that the supervisor runs; None while there is none."""
        found = control.status(self.home)
        return found.parts[part].pid if found is not None and part in found.parts else None

    def supervisor(self) -> int | None:
        found = control.status(self.home)
        return found.pid if found is not None else None

    def replicas(self, tier: str) -> list[int]:
        """The processes of an app's replicas of this tier, which are children of the ingress."""
        ingress = self.pid("apps")
        return sorted(pid for pid in _children(ingress) if _environment(pid).get("MCP_TIER") == tier) if ingress else []

    def restart_elsewhere(self, group: str) -> None:
        """Azure gives the container group another address, and restarts it."""
        container_restart.restart(self.home, group)

    def invoke(self, *arguments: str, **variables: str) -> str:
        """Run a task to its end; RuntimeError with what it printed last where it fails."""
        other = Platform(self.platform.env, {**self.platform.variables, **variables})
        done = other.invoke(*arguments, check=False, timeout=TASK)
        if done.returncode:
            words = " ".join(arguments)
            raise RuntimeError(f"invoke {words} failed: {' '.join(done.stderr.split())[-400:]}")
        return done.stdout

    def stored(self, server: str) -> set[str]:
        """The documents that the database holds of one server's writers."""
        found = control.status(self.home)
        if found is None:
            raise RuntimeError("no platform runs, so its database cannot be asked")
        with pymongo.MongoClient[dict[str, Any]](found.mongodb_uri, serverSelectionTimeoutMS=20_000) as client:
            return {document["_id"] for document in client[DATABASE][server].find({}, {"_id": 1})}


@contextmanager
def limited_files(pids: list[int], largest: int) -> Iterator[None]:
    """No file of these processes, or of what they start, grows beyond `largest` bytes: what a full disk does to them.

    A limit of the process (setrlimit(2)): a full file system takes a privileged user, and would fill this machine.
    """
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        for pid, (_, hard) in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, hard))
        yield
    finally:
        for pid in [*pids, *(child for parent in pids for child in _children(parent))]:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits.get(pid, (most, most)))


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                after = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if int(after[1]) == parent and after[0] != "Z":
                    found.append(int(entry.name))
    return found


def _environment(pid: int) -> dict[str, str]:
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace").split("\0")
        return dict(line.split("=", 1) for line in lines if "=" in line)
    return {}


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Those that have ended meanwhile are left out."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def deployed() -> Iterator[Subject]:
    """Deployed on free ports that it keeps, and destroyed at the end."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        ports = {name: str(_free_port()) for name in ("GATEWAY_PORT", "ENTRA_PORT", "CONSOLE_PORT")}
        platform = own_platform.copied(Path(folder), "servers", **ports)
        own_platform.set_values(platform, values(own_platform.values(platform)))
        subject = Subject(platform, Path(platform.variables["TWIN_HOME"]))
        try:
            platform.invoke("deploy", timeout=TASK)
            yield subject
        finally:
            keep = os.environ.get("FAULTS_LOGS")
            if keep and (subject.home / "logs").exists():
                shutil.copytree(subject.home / "logs", keep, dirs_exist_ok=True)
            platform.invoke("destroy", "--yes", timeout=TASK)


def values(local: dict[str, Any]) -> dict[str, Any]:
    """The local environment's variables with the three servers."""
    server = local["mcp_servers"]["mongodb"] | {"rate_limit": own_platform.NO_LIMIT}
    servers = {
        "groups": server | {"slots": ["a", "b"]},
        "apps": server
        | {"compute": "container-apps", "scale": {"minimum": 2, "maximum": 4, "concurrent_requests": 50}},
        "keyless": server | {"database": "documentdb"},
    }
    return {**local, "mcp_servers": servers, "documentdb": {"name": "docdb-mcp-local"}}


def images(subject: Subject) -> dict[str, Any]:
    """What images.json says that each server runs."""
    path = subject.home / "terraform/environments/local/images.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
