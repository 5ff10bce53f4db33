"""What a hosted server reaches: the hosts of `egress` of its entry; it is told of every other.

A REST API is called by the front itself. For a program that the front starts there is a forward proxy, which sees what
comes by way of HTTP_PROXY and HTTPS_PROXY. One that ignores them is not stopped here; on Azure the network's rules stop
it, which know addresses and no names.

RFC 9110, section 9.3.6 (CONNECT), and RFC 9112, section 3.2.2 (absolute-form).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import httpx2

from gateway_auth.front.child import write_log
from gateway_auth.front.settings import items

_LARGEST_HEAD = 16 * 1024
_CHUNK = 64 * 1024
_LOOPBACK = "localhost,127.0.0.1,::1"
_CONNECT_SECONDS = 10.0
_LATEST = 15.0  # seconds in which a request's head must be there
_CONNECT = re.compile(rb"CONNECT (?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5}) HTTP/1\.[01]\r\n")
_REQUEST = re.compile(rb"(?P<method>[A-Z]+) (?P<url>http://[^ ]+) (?P<version>HTTP/1\.[01])\r\n")

Connect = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Hosts:
    """Patterns of hosts, comma-separated: `api.example.com`, `*.example.com` for any name below, `*` for any host.

    With `:PORT` behind it that port, else 443 and 80.
    """

    def __init__(self, patterns: str) -> None:
        self._allowed = [
            (host, int(port) if port else 0) for host, _, port in (p.partition(":") for p in items(patterns))
        ]

    def allow(self, host: str, port: int) -> bool:
        name = host.strip("[]").rstrip(".").lower()
        return any(
            (port == wanted or (not wanted and port in (80, 443))) and _matches(name, pattern)
            for pattern, wanted in self._allowed
        )


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    return pattern in ("*", name)


class Reached(httpx2.AsyncBaseTransport):
    """Sends to hosts that are allowed; for another one it raises ConnectError with the sentence that says so."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, hosts: Hosts) -> None:
        self._inner = inner
        self._hosts = hosts

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host, port = request.url.host, request.url.port or {"https": 443}.get(request.url.scheme, 80)
        if not self._hosts.allow(host, port):
            raise httpx2.ConnectError(f"{refused(host, port)}; add it there.", request=request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def refused(host: str, port: int) -> str:
    """Write into the log that a host was refused; return why, for whoever called it."""
    sentence = f"{host}:{port} is not in egress of this server's entry in mcp_servers"
    write_log(f"[egress] the server behind called {sentence}: refused")
    return sentence


class Proxy:
    """Serves on loopback between `serving` and its end. `connect`: opens the connection to a host that is allowed."""

    def __init__(self, hosts: Hosts, connect: Connect = asyncio.open_connection) -> None:
        self._hosts = hosts
        self._connect = connect
        self._port = 0
        self._open: set[asyncio.Task[None]] = set()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which programs find it; Node heeds them where NODE_USE_ENV_PROXY is set."""
        url = f"http://127.0.0.1:{self._port}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        # What it starts itself on loopback is no call out.
        none = dict.fromkeys(("NO_PROXY", "no_proxy"), _LOOPBACK)
        return {**dict.fromkeys(names, url), **none, "NODE_USE_ENV_PROXY": "1"}

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_LARGEST_HEAD)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in list(self._open):
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        await self.handle(reader, writer)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            async with asyncio.timeout(_LATEST):
                head = await reader.readuntil(b"\r\n\r\n")
            found = _asked(head)
            if found is None:
                await _refuse(writer, 400, "This proxy takes CONNECT, and http addresses in absolute form.")
                return
            host, port, first = found
            if not self._hosts.allow(host, port):
                await _refuse(writer, 403, f"{refused(host, port)}; add it there.")
                return
            await self._pass_on(host, port, first, reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked has gone, or asks nothing that can be answered
        finally:
            writer.close()

    async def _pass_on(
        self, host: str, port: int, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                there, to = await self._connect(host.strip("[]"), port)
        except (OSError, TimeoutError):
            await _refuse(writer, 502, f"{host}:{port} cannot be reached.")
            return
        try:
            if first:
                to.write(first)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            up = asyncio.ensure_future(_copy(reader, to))
            try:
                await _copy(there, writer)
            finally:
                up.cancel()
                await asyncio.gather(up, return_exceptions=True)
        finally:
            to.close()


def _asked(head: bytes) -> tuple[str, int, bytes] | None:
    """Return host, port, and what is sent there first: nothing for a tunnel. None for what is no request to a proxy."""
    if tunnel := _CONNECT.match(head):
        return tunnel["host"].decode(), int(tunnel["port"]), b""
    request = _REQUEST.match(head)
    if request is None:
        return None
    try:
        parts = urlsplit(request["url"].decode("ascii"))
        port = parts.port or 80
    except ValueError:
        return None
    if not parts.hostname:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # One request for each connection: the next one may be for another host.
    kept = [
        line for line in head[request.end() :].split(b"\r\n") if not line.lower().startswith(_OF_THE_PROXY) and line
    ]
    line = b"%s %s %s" % (request["method"], path.encode(), request["version"])
    return parts.hostname, port, b"\r\n".join([line, *kept, b"Connection: close", b"", b""])


_OF_THE_PROXY = (b"proxy-", b"connection:")


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(_CHUNK):
            target.write(chunk)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()  # who has asked all may still be answered


async def _refuse(writer: asyncio.StreamWriter, status: int, sentence: str) -> None:
    reason = {400: "Bad Request", 403: "Forbidden", 502: "Bad Gateway"}[status]
    body = f"{sentence}\n".encode()
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close"
    with contextlib.suppress(OSError):
        writer.write(f"{head}\r\n\r\n".encode() + body)
        await writer.drain()
