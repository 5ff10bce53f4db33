"""A connection without a socket: bytes in, and what the gateway writes, parsed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from emulators.apim.app import Gateway
from emulators.apim.connection import CallerConnection
from emulators.apim.messages import ManyValues
from emulators.apim.server import Server


@dataclass
class Reply:
    """What the caller got. `chunks` as they were framed."""

    status: int
    headers: ManyValues
    chunks: list[bytes]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class BrokenLine(Exception):
    """The gateway cut the connection before its answer was whole."""


class Line(asyncio.Transport):
    """The transport of one caller's connection, and the caller's side of it."""

    def __init__(self, gateway: Gateway, client: str = "203.0.113.7") -> None:
        super().__init__({"peername": (client, 40000)})
        self.server = Server(gateway)
        self.protocol = CallerConnection(self.server)
        self.written = b""
        self.writes: list[bytes] = []
        self.closed = self.aborted = False
        self._news = asyncio.Event()
        self._parsed = 0
        self.protocol.connection_made(self)

    # the caller

    def feed(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def leave(self) -> None:
        """The caller closes its end."""
        self.closed = True
        self.protocol.connection_lost(None)

    async def reply(self, *, bodiless: bool = False) -> Reply:
        """The next whole answer; BrokenLine where the connection is cut first."""
        while (found := parse(self.written[self._parsed :], bodiless=bodiless)) is None:
            if self.closed:
                raise BrokenLine(repr(self.written))
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)
        self._parsed += found[1]
        return found[0]

    async def until_written(self, data: bytes) -> None:
        """Waits until these bytes have been written."""
        while data not in self.written:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)

    async def until_ended(self) -> None:
        while not self.closed:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)

    # the transport

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.writes.append(data)
        self.written += data
        self._news.set()

    def write_eof(self) -> None:
        self._news.set()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._news.set()
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.aborted = True
        self.close()

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def parse(data: bytes, *, bodiless: bool = False) -> tuple[Reply, int] | None:
    """The first whole response and its length in bytes; None while it is not whole. 100 Continue is passed over."""
    start, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = start.decode("latin-1").split("\r\n")
    if first.startswith("HTTP/1.1 100"):
        later = parse(rest, bodiless=bodiless)
        return None if later is None else (later[0], later[1] + len(start) + 4)
    headers = ManyValues((line.partition(": ")[0].lower(), line.partition(": ")[2]) for line in lines)
    chunks, used = ([], 0) if bodiless else _body(headers, rest)
    headers.remove("Date")
    headers.remove("Transfer-Encoding")
    return None if used < 0 else (Reply(int(first.split()[1]), headers, chunks), len(start) + 4 + used)


def _body(headers: ManyValues, data: bytes) -> tuple[list[bytes], int]:
    """Chunks and length on the wire, which is -1 while the body is not whole."""
    if headers.joined("Transfer-Encoding") is None:
        length = int(headers.joined("Content-Length", "0"))
        return [data[:length]], length if len(data) >= length else -1
    chunks, position = [], 0
    while True:
        size, found, _ = data[position:].partition(b"\r\n")
        begin = position + len(size) + 2
        end = begin + int(size or b"0", 16)
        if not found or len(data) < end + 2:
            return chunks, -1
        if begin == end:
            return chunks, end + 2
        chunks.append(data[begin:end])
        position = end + 2
