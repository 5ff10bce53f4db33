"""Bytes to a socket and bytes back: what no HTTP library would send."""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

SECONDS = 10


@dataclass(frozen=True)
class Exchange:
    """Everything that came back before the other side closed, or fell silent."""

    raw: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3})", self.raw)]

    @property
    def text(self) -> str:
        return self.raw.decode("latin-1")


def exchange(origin: str, sent: bytes, *, timeout: float = SECONDS, silence: float = 1.0) -> Exchange:
    """Sends everything, waits `timeout` seconds for a beginning, and reads until nothing comes for `silence`."""
    parts = urlsplit(origin)
    assert parts.hostname is not None
    assert parts.port is not None
    received = b""
    with socket.create_connection((parts.hostname, parts.port), SECONDS) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an answer may come before the end
            connection.sendall(sent)
        connection.settimeout(timeout)
        while True:
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                return Exchange(received, closed=False)
            except ConnectionResetError:
                return Exchange(received, closed=True)
            if not piece:
                return Exchange(received, closed=True)
            received += piece
            connection.settimeout(silence)


def post(path: str, body: bytes, *lines: str, length: str | None = None, host: str = "127.0.0.1") -> bytes:
    """One POST; `lines` are further header lines, as they stand."""
    head = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json"]
    head += ["Accept: application/json, text/event-stream", *lines]
    head += [f"Content-Length: {len(body) if length is None else length}"] if length != "" else []
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + body
