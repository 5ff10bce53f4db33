"""Azurite (npm), one process per storage account, started when the account's first blob request arrives.

Its account key goes through the environment, the only way Azurite takes one: made for this run, it opens nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from emulators.arm.errors import AzureError, StartError
from emulators.arm.web import upstream, versions
from emulators.base.processes import die_with_parent

START_SECONDS = 60


@dataclass
class Azurites:
    """`command` starts `azurite-blob`; None: blob requests are refused. `keys_of` gives an account's two keys."""

    command: tuple[str, ...] | None
    home: Path
    certificates: tuple[Path, Path, Path]
    keys_of: Callable[[str], list[str]]
    _running: dict[str, tuple[asyncio.subprocess.Process, int]] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def forward(self, account: str, request: Request, body: bytes, *, versioned: bool) -> Response:
        """The request as it is, to the account's Azurite; production's Host tells Azurite the account."""

        async def send(method: str, path: str, query: str, headers: Mapping[str, str], content: bytes) -> Response:
            return await self._send(account, method, f"{path}?{query}" if query else path, headers, content)

        if versioned:
            return await versions.forward(send, request, body)
        return await self._send(
            account, request.method, upstream.target_of(request), upstream.headers_of(request), body
        )

    async def _send(self, account: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        async with self._lock:
            port = await self._port(account)
        context = ssl.create_default_context(cafile=str(self.certificates[0]))
        return await upstream.send(f"https://127.0.0.1:{port}", method, target, headers, body, context)

    async def _port(self, account: str) -> int:
        if account not in self._running:
            self._running[account] = await self._start(account)
        return self._running[account][1]

    async def _start(self, account: str) -> tuple[asyncio.subprocess.Process, int]:
        if self.command is None:
            raise AzureError(
                501,
                "NotReproducedByTheEmulator",
                "blobs are Azurite's: name its program as `azurite` in the configuration",
            )
        _, certificate, key = self.certificates
        port, location = _free_port(), self.home / account
        location.mkdir(parents=True, exist_ok=True, mode=0o700)
        accounts = ":".join([account, *self.keys_of(account)])
        with (self.home / f"{account}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *self.command, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(location),
                "--cert", str(certificate), "--key", str(key), "--oauth", "basic", "--skipApiVersionCheck",
                "--disableTelemetry", "--silent",
                stdout=log, stderr=log, env={**os.environ, "AZURITE_ACCOUNTS": accounts},
                preexec_fn=die_with_parent(),
            )  # fmt: skip
        await _listening(process, port, self.home / f"{account}.log")
        return process, port

    async def stop(self) -> None:
        for process, _ in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
        self._running.clear()


async def _listening(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        if process.returncode is not None:
            raise StartError(f"Azurite ended with status {process.returncode}; see {log}")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)  # Azurite prints nothing that says it listens when silent
    raise StartError(f"Azurite did not listen on port {port} within {START_SECONDS} s; see {log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
