"""Who may read traces: whoever holds the home's key, on a loopback port of its own. One JSON line asks, one answers.

It is no HTTP: nothing that a browser can be made to send is a question here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulators.apim.errors import PolicyError
from emulators.apim.tracing_ring import Ring
from emulators.base.files import write_json

#: Bytes of a question; seconds until one must be asked.
MAX_QUESTION, TIMEOUT = 4096, 5.0


class TraceServer:
    """`settings`: the `key`, and the `file` (0600) in which readers find port and key."""

    def __init__(self, ring: Ring, settings: Mapping[str, Any]) -> None:
        self._ring = ring
        self._file = Path(settings["file"])
        self._key = str(settings["key"])
        self._server: asyncio.Server | None = None
        if len(self._key) < 16:
            raise PolicyError("the key of the gateway's traces is shorter than 16 characters; make a longer one")

    async def start(self) -> None:
        """On a free port: nobody needs to know it who cannot read the file."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_QUESTION)
        write_json(self._file, {"port": self._server.sockets[0].getsockname()[1], "key": self._key})

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                line = await reader.readline()
                writer.write(json.dumps(self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError, TimeoutError):
            pass  # nobody is there to be told
        finally:
            writer.close()

    def answer(self, line: bytes) -> dict[str, Any]:
        """`{"key", "after", "most"}` → `{"requests": […], "latest": n}`; `{"key", "id"}` → `{"trace": …}` or null."""
        try:
            question = json.loads(line)
        except ValueError:
            return {"error": "not a question"}
        given = question.get("key") if isinstance(question, dict) else None
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), self._key.encode()):
            return {"error": "not allowed"}
        if "id" in question:
            return {"trace": self._ring.find(str(question["id"]))}
        after, most = question.get("after", 0), question.get("most", 200)
        if not isinstance(after, int) or not isinstance(most, int):
            return {"error": "after and most are numbers"}
        return {"requests": self._ring.recent(after, max(0, most)), "latest": self._ring.latest}
