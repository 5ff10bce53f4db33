"""The servers that `bench_mcp_server.py` compares, started alike on the same database: ours, and npm's.

Ours needs the gateway's token, so an issuer of one key stands beside it, as in its tests.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import server_process
from tools.benchmarks.local_platform import ROOT

REFERENCE = Path(__file__).with_name("reference")
LEGACY = "2025-11-25"
_READY_SECONDS = 60
_HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Kind:
    """A server that can be started: `headers` go with each request, `arguments` with each tool call."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: str  # the variable that names the port
    headers: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    sessions: bool = False  # whether the older protocol versions need one


@dataclass(frozen=True)
class Running:
    kind: Kind
    port: int
    pid: int
    cold_start: float  # seconds from exec to the first answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def peak_mib(self) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

    def session(self) -> dict[str, str]:
        """The headers of a session of the older protocol; none where the server keeps no sessions."""
        if not self.kind.sessions:
            return {}
        identity = _initialize(self.url, self.kind.headers)
        headers = {"mcp-session-id": identity, "MCP-Protocol-Version": LEGACY}
        _post(self.url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, headers)
        return {"mcp-session-id": identity}

    def tools(self) -> list[dict[str, Any]]:
        """What it lists, where it answers in JSON."""
        headers = {**self.kind.headers, **self.session(), "MCP-Protocol-Version": LEGACY}
        _, body = _post(self.url, {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}, headers)
        found: list[dict[str, Any]] = json.loads(body)["result"]["tools"]
        return found


def _post(url: str, message: dict[str, Any], headers: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
    """Headers, by lower-case name, and body of the answer."""
    usual = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    request = urllib.request.Request(url, json.dumps(message).encode(), {**usual, **headers})
    with _HTTP.open(request, timeout=30) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def _initialize(url: str, headers: Mapping[str, str]) -> str:
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    answer, _ = _post(url, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}, headers)
    return answer.get("mcp-session-id", "")


@contextmanager
def started(kind: Kind, log: Path) -> Iterator[Running]:
    """Starts it and waits for its first answer to `initialize`."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("ab") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            kind.command, cwd=ROOT, env={**kind.environment, kind.port: str(port)}, stdout=errors, stderr=errors
        )
    try:
        while True:
            if process.poll() is not None or time.perf_counter() - began > _READY_SECONDS:
                raise SystemExit(f"{kind.name} does not answer: {log.read_text()[-2000:]}")
            with suppress(urllib.error.URLError, ConnectionError):
                _initialize(f"http://127.0.0.1:{port}/mcp", kind.headers)
                break
            time.sleep(0.005)
        yield Running(kind, port, process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def database(folder: Path) -> Iterator[tuple[str, int | None]]:
    """`MONGODB_URI` where it is set, else the stand-in with its sample data, and its process."""
    if given := os.environ.get("MONGODB_URI"):
        yield given, None
        return
    mongo = server_process.MongoEmulator(folder, seed=True)
    mongo.start()
    try:
        yield mongo.uri, mongo.process.pid if mongo.process else None
    finally:
        mongo.stop()


@contextmanager
def ours(uri: str, python: Path | None = None) -> Iterator[Kind]:
    """Our server in the tier that has all tools, with its defaults; `python` is the interpreter that runs it."""
    with closing(server_process.Issuer()) as issuer:
        environment = server_process.environment(issuer, uri, MCP_TIER="admin")
        command = (str(python or sys.executable), "-m", "mongo_db_server")
        yield Kind("ours", command, environment, "PORT", issuer.headers("admin", 24 * 3600))


def install(folder: Path) -> Path:
    """npm's server, from the committed lock, into a folder; its entry point."""
    if shutil.which("npm") is None:
        raise SystemExit(
            "npm is not installed, and the server to compare with comes from its registry: install Node.js"
        )
    for name in ("package.json", "package-lock.json"):
        shutil.copy(REFERENCE / name, folder / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "node_modules/mongodb-mcp-server/dist/esm/index.js"


def npm(uri: str, entry: Path, folder: Path, response_type: str) -> Kind:
    """npm's server over HTTP; `response_type` is `json` or its default, `sse`."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MDB_MCP_CONNECTION_STRING": uri,
        "MDB_MCP_TRANSPORT": "http",
        "MDB_MCP_HTTP_RESPONSE_TYPE": response_type,
        "MDB_MCP_TELEMETRY": "disabled",
        "MDB_MCP_LOG_PATH": str(folder / f"log-{response_type}"),
    }
    connection = {"connectionId": "preconfigured"}
    port = "MDB_MCP_HTTP_PORT"
    return Kind(f"npm, {response_type}", ("node", str(entry)), environment, port, {}, connection, sessions=True)
