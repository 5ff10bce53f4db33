"""The issuer behind login.microsoftonline.com: a process of its own, started by the command of the configuration.

The command gets `--config FILE`, as `python -m emulators.entra` takes it, and says `ready entra PORT`. The directory
goes to it as a file that it reads again whenever it changed; its keys come from it over HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from joserfc.jwk import KeySet
from starlette.requests import Request
from starlette.responses import Response

from emulators.arm.call import Document
from emulators.arm.errors import AzureError, StartError
from emulators.arm.web import upstream
from emulators.base.files import tail, write_private
from emulators.base.processes import die_with_parent

HOST = "login.microsoftonline.com"
START_SECONDS = 60


@dataclass
class Issuer:
    """`directory` gives the tenant's directory as it is at that moment."""

    command: Sequence[str]
    home: Path
    trusted: Mapping[str, Any]
    directory: Callable[[], Document]
    _process: asyncio.subprocess.Process | None = None
    _origin: str = ""
    _written: str = ""
    _keys: list[dict[str, Any]] = field(default_factory=list)

    @property
    def _log(self) -> Path:
        return self.home / "issuer.log"

    async def start(self) -> None:
        """StartError, with what it wrote last, where it does not say that it is ready."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write_directory()
        settings = {
            "directory": str(self.home / "directory.json"),
            "data_dir": str(self.home),
            "port": 0,
            "base_url": f"https://{HOST}",
            "trusted_issuers": dict(self.trusted),
        }
        write_private(self.home / "issuer.json", json.dumps(settings))
        command = (*self.command, "--config", str(self.home / "issuer.json"))
        with self._log.open("wb") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command, stdout=asyncio.subprocess.PIPE, stderr=log, preexec_fn=die_with_parent()
                )
            except OSError as error:
                raise StartError(f"the issuer's command {command[0]!r} cannot be run ({error.strerror})") from error
        self._process = process
        self._origin = f"http://127.0.0.1:{await self._port(process)}"

    async def _port(self, process: asyncio.subprocess.Process) -> int:
        line = b""
        if process.stdout is not None:
            with contextlib.suppress(TimeoutError):
                line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        words = line.decode("utf-8", "replace").split()
        if len(words) == 3 and words[0] == "ready" and words[2].isdecimal():
            return int(words[2])
        if not line:  # it closed its output, so it ends by itself; a signal now would race with asyncio's wait for it
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), START_SECONDS)
        await self.stop()
        raise StartError(f"the issuer did not start: {tail(self._log, lines=1) or 'it said nothing'}")

    async def forward(self, request: Request, body: bytes) -> Response:
        """The request, answered by the issuer with the directory as it is now."""
        self._write_directory()
        return await self._send(request.method, upstream.target_of(request), upstream.headers_of(request), body)

    async def keys(self, key_id: str | None) -> KeySet:
        """The issuer's public keys; asked for again where none has that id, as after a rollover."""
        if not any(key["kid"] == key_id for key in self._keys):
            tenant = self.directory()["tenant_id"]
            answer = await self._send("GET", f"/{tenant}/discovery/v2.0/keys", {"host": HOST}, b"")
            self._keys = json.loads(bytes(answer.body))["keys"]
        return KeySet.import_key_set({"keys": self._keys})

    async def stop(self) -> None:
        if self._process is not None:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.terminate()
            await self._process.wait()
            self._process = None

    async def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            return await upstream.send(self._origin, method, target, headers, body)
        except aiohttp.ClientError as error:
            raise AzureError(503, "ServiceUnavailable", f"the issuer does not answer; see {self._log}") from error

    def _write_directory(self) -> None:
        text = json.dumps(self.directory())
        if text != self._written:
            write_private(self.home / "directory.json", text)
            self._written = text
