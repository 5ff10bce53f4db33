"""A request while it arrives: its limits, its target and its host (RFC 9112, sections 3 and 6)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from emulators.apim.framing import response_head
from emulators.apim.messages import Body, ManyValues, Request, Url
from emulators.apim.pipeline import error_response

if TYPE_CHECKING:
    from httptools import HttpRequestParser

MAX_BODY = 4 * 1024 * 1024
#: All header names and values together, in bytes.
MAX_HEADERS = 64 * 1024
MAX_TARGET = 16 * 1024


class Refused(Exception):
    """What arrives is no request that the gateway reads on; `status` is the answer, after which the connection ends."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def refusal(refused: Refused) -> bytes:
    answer = error_response(refused.status, str(refused))
    body = answer.body.data if answer.body is not None else b""
    return response_head(refused.status, answer.headers.pairs(), f"Content-Length: {len(body)}\r\n", close=True) + body


class Unfinished:
    """Collects one request from the parser's callbacks; each raises Refused where a limit is passed."""

    __slots__ = (
        "_address",
        "_has_body",
        "_headers",
        "_host",
        "_method",
        "_parts",
        "_size",
        "_target",
        "complete",
        "keep_alive",
    )

    def __init__(self, address: str) -> None:
        self._address = address
        self._target = b""
        self._method = self._host = ""
        self._headers = ManyValues()
        self._parts: list[bytes] = []
        self._size = 0
        self.complete = self.keep_alive = self._has_body = False

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > MAX_TARGET:
            raise Refused(414, "Request URL is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.complete:
            return  # a trailer: it must not pass for a header
        self._size += len(name) + len(value)
        if self._size > MAX_HEADERS:
            raise Refused(431, "Request headers are too large.")
        self._headers.receive(name, value)

    def on_headers_complete(self, parser: HttpRequestParser) -> bool:
        """Whether the caller waits for a go-ahead before it sends the body."""
        headers = self._headers
        self.complete, self._size = True, 0
        self._method = parser.get_method().decode("latin-1")
        self.keep_alive = parser.should_keep_alive()
        host = headers.lower("host")
        if host is None and parser.get_http_version() != "1.1":
            host = ""
        if host is None or "," in host:
            raise Refused(400, "A request needs exactly one Host header.")
        self._host = host
        length = headers.lower("content-length")
        if length is not None and (len(length) > 18 or int(length) > MAX_BODY):
            raise Refused(413, "Request body is too large.")
        self._has_body = length is not None or headers.lower("transfer-encoding") is not None
        upgrade, expect = headers.lower("upgrade"), headers.lower("expect")
        if upgrade is not None and "websocket" in upgrade.lower():
            raise Refused(501, "WebSocket is not supported by the local gateway.")
        return expect is not None and expect.lower() == "100-continue"

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MAX_BODY:
            raise Refused(413, "Request body is too large.")
        self._parts.append(data)

    def request(self) -> Request:
        path, host = _target(self._target.decode("latin-1"), self._host)
        path, _, query = path.partition("?")
        name, port = authority(host)
        return Request(
            self._method,
            Url("http", name, port, path, query),
            path,
            query,
            self._headers,
            Body(b"".join(self._parts)) if self._has_body else None,
            self._address,
        )


def _target(target: str, host: str) -> tuple[str, str]:
    """Path with query, and the host: a target in absolute form names its own (RFC 9112, section 3.2.2)."""
    if target.startswith("/"):
        return target, host
    scheme, found, rest = target.partition("://")
    if not found or scheme.lower() not in ("http", "https"):
        return target, host
    name, slash, path = rest.partition("/")
    return slash + path or "/", name


@lru_cache(maxsize=256)
def authority(host: str) -> tuple[str, int]:
    """Name and port of a Host header; one that is neither reads as empty."""
    try:
        parts = urlsplit("//" + host)
        return parts.hostname or "", parts.port or 80
    except ValueError:
        return "", 80
