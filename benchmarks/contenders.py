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
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey
from local_platform import ROOT

REFERENCE = ROOT / "benchmarks" / "reference"
LEGACY = "2025-11-25"
_READY_SECONDS = 60
_HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_TENANT, _AUDIENCE, _GATEWAY = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


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


def _post(url: str, message: dict[str, Any], headers: Mapping[str, str]) -> Mapping[str, str]:
    usual = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    request = urllib.request.Request(url, json.dumps(message).encode(), {**usual, **headers})
    with _HTTP.open(request, timeout=30) as answer:
        answer.read()
        return dict(answer.headers.items())


def _initialize(url: str, headers: Mapping[str, str]) -> str:
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    answer = _post(url, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}, headers)
    return {name.lower(): value for name, value in answer.items()}.get("mcp-session-id", "")


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
def database(folder: Path) -> Iterator[str]:
    """`MONGODB_URI` where it is set, else the stand-in with its sample data."""
    if given := os.environ.get("MONGODB_URI"):
        yield given
        return
    config, password = folder / "mongo.json", uuid.uuid4().hex
    config.touch(0o600)
    user = {"name": "account", "password": password, "role": "readWrite"}
    where = {"host": "127.0.0.1", "port": 0, "data_dir": str(folder / "mongo")}
    config.write_text(json.dumps({**where, "users": [user], "seed": True}))
    command = [sys.executable, "-m", "twin.mongo", "--config", str(config)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("ready "):
            raise SystemExit("the MongoDB stand-in did not start")
        yield f"mongodb://account:{password}@127.0.0.1:{line.split()[2]}/?retryWrites=false"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def ours(uri: str) -> Iterator[Kind]:
    """Our server in the tier that has all tools, with its defaults."""
    key = RSAKey.generate_key(2048, {"kid": "key-1"})
    published = json.dumps({"keys": [key.as_dict(private=False)]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(published)))
            self.end_headers()
            self.wfile.write(published)

        def log_message(self, format: str, *args: Any) -> None:
            """Silence."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        now = int(time.time())
        claims = {"iss": f"{issuer}/v2.0", "tid": _TENANT, "aud": _AUDIENCE, "oid": _GATEWAY}
        claims |= {"roles": ["Gateway.Invoke"], "nbf": now, "exp": now + 24 * 3600}
        token = jwt.encode({"alg": "RS256", "kid": "key-1"}, claims, key)
        try:
            yield _ours(uri, issuer, token)
        finally:
            server.shutdown()


def _ours(uri: str, issuer: str, token: str) -> Kind:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MCP_", "MONGODB_"))},
        "PYTHONPATH": str(ROOT / "servers/mongo-db-server/src"),
        "HOST": "127.0.0.1",
        "MCP_TIER": "admin",
        "MCP_AUTH_ISSUER": f"{issuer}/v2.0",
        "MCP_AUTH_JWKS_URI": f"{issuer}/keys",
        "MCP_AUTH_TENANT_ID": _TENANT,
        "MCP_AUTH_AUDIENCE": _AUDIENCE,
        "MCP_AUTH_GATEWAY_OBJECT_ID": _GATEWAY,
        "MONGODB_URI": uri,
    }
    headers = {"Authorization": f"Bearer {token}", "X-Mcp-Tier": "admin", "X-Mcp-Caller": "bench"}
    return Kind("ours", (sys.executable, "-m", "mongo_db_server"), environment, "PORT", headers)


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
