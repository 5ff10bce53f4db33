"""Our MCP server as a process of its own, with a database and an issuer beside it: no gateway, no platform."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

ROOT = Path(__file__).parents[2]
TENANT, BACKEND, GATEWAY = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


class Issuer:
    """Publishes one key, and signs the gateway's token with it."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "key-1"})
        self.key_set = {"keys": [self.key.as_dict(private=False)]}
        published = json.dumps(self.key_set).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(published)))
                self.end_headers()
                self.wfile.write(published)

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, seconds: int = 600) -> str:
        now = int(time.time())
        claims = {"iss": f"{self.url}/v2.0", "tid": TENANT, "aud": BACKEND, "oid": GATEWAY, "roles": ["Gateway.Invoke"]}
        return jwt.encode({"alg": "RS256", "kid": "key-1"}, claims | {"nbf": now, "exp": now + seconds}, self.key)

    def settings(self) -> dict[str, str]:
        """The settings of a server that believes this issuer."""
        return {
            "MCP_AUTH_ISSUER": f"{self.url}/v2.0",
            "MCP_AUTH_JWKS_URI": f"{self.url}/keys",
            "MCP_AUTH_TENANT_ID": TENANT,
            "MCP_AUTH_AUDIENCE": BACKEND,
            "MCP_AUTH_GATEWAY_OBJECT_ID": GATEWAY,
        }

    def headers(self, tier: str, seconds: int = 600) -> dict[str, str]:
        """What the gateway adds to a request."""
        return {"Authorization": f"Bearer {self.token(seconds)}", "X-Mcp-Tier": tier, "X-Mcp-Caller": "caller-1"}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def environment(issuer: Issuer, mongodb_uri: str, **settings: str) -> dict[str, str]:
    """Of a server process. The port is its own choice unless `PORT` is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MCP_", "MONGODB_"))}
    sources = os.pathsep.join(str(folder) for folder in sorted(ROOT.glob("servers/*/src")))
    usual = {"PYTHONPATH": sources, "HOST": "127.0.0.1", "PORT": "0"}
    return {**kept, **usual, **issuer.settings(), "MONGODB_URI": mongodb_uri, **settings}


def start(command: list[str], environment: dict[str, str], log: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that prints `ready <name> <port>`, and that port; its standard error goes to `log`."""
    with log.open("a") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("ready "):
        process.kill()
        raise RuntimeError(f"{command[-1]} is not ready: {line!r}; {log.read_text()[-2000:]}")
    return process, int(line.split()[2])


class MongoEmulator:
    """The MongoDB emulator on a port that it keeps, so that it can be killed and come back."""

    def __init__(self, folder: Path, *, seed: bool = False) -> None:
        self._log = folder / "mongo.log"
        self._config = folder / "mongo.json"
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        password = uuid.uuid4().hex
        user = {"name": "account", "password": password, "role": "readWrite"}
        where = {"host": "127.0.0.1", "port": port, "data_dir": str(folder / "mongo")}
        self._config.touch(0o600)
        self._config.write_text(json.dumps({**where, "users": [user], "seed": seed}))
        self.uri = f"mongodb://account:{password}@127.0.0.1:{port}/?retryWrites=false"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "emulators.mongodb", "--config", str(self._config)]
        self.process, _ = start(command, dict(os.environ), self._log)

    def fill_disk(self, spare: int | None) -> None:
        """From now on its log may grow by `spare` bytes only; None: by as many as it likes.

        A limit of the process's files, since a full file system takes a privileged user: what goes beyond it is cut off
        and refused by the kernel, like what a full disk does not take.
        """
        if self.process is None:
            raise RuntimeError("the database is not running")
        log = Path(json.loads(self._config.read_text())["data_dir"]) / "changes.log"
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        soft = hard if spare is None else log.stat().st_size + spare
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (soft, hard))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None
