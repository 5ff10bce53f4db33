"""HTTP/1.1 messages as bytes: heads, chunks, the date. One place decides how long a body is said to be (RFC 9112)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import quote

#: Everything a request line may hold unescaped: an escape that is already there stays.
_TARGET_SAFE = "".join(chr(code) for code in range(0x21, 0x7F))
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


class UnsafeHead(ValueError):
    """A name or value holds a line break or a null: written out, it would be another header or another message."""


class _Date:
    """The Date header, made once a second."""

    def __init__(self) -> None:
        self._second, self._line = -1, ""

    def line(self) -> str:
        now = int(time.time())
        if now != self._second:
            self._second, self._line = now, f"Date: {formatdate(now, usegmt=True)}\r\n"
        return self._line


_DATE = _Date()


def response_head(status: int, pairs: Iterable[tuple[str, str]], framing: str, *, close: bool) -> bytes:
    """Status line and headers. `framing` is the line that says how long the body is, or empty."""
    start = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"
    end = "Connection: close\r\n\r\n" if close else "\r\n"
    return _head(start, 1, pairs, f"{_DATE.line()}{framing}{end}")


def request_head(method: str, target: str, host: str, pairs: Iterable[tuple[str, str]], length: int | None) -> bytes:
    """Request line and headers; `length` in bytes, None where there is no body to speak of."""
    if not target.isascii() or " " in target:
        target = quote(target, safe=_TARGET_SAFE)
    end = "\r\n" if length is None else f"Content-Length: {length}\r\n\r\n"
    return _head(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n", 2, pairs, end)


def _head(start: str, count: int, pairs: Iterable[tuple[str, str]], end: str) -> bytes:
    """`count` lines, headers, and the end. Raises UnsafeHead unless every line break is one that was written here."""
    lines = [f"{name}: {value}\r\n" for name, value in pairs]
    head = f"{start}{''.join(lines)}{end}"
    expected = count + len(lines) + end.count("\r\n")
    if head.count("\n") != expected or head.count("\r") != expected or "\0" in head:
        raise UnsafeHead("a header or target holds a line break")
    return head.encode("latin-1", "replace")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; empty data is no chunk, since that would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
