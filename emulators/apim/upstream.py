"""Connections to backends, the issuer and the identity endpoint. Nothing is dialled that is not this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping, Sequence

from emulators.apim.failures import BROKEN_OFF, NOT_CONNECTED, UpstreamError
from emulators.apim.framing import UnsafeHead, request_head
from emulators.apim.messages import Response, Url
from emulators.apim.upstream_connection import BackendConnection, Dropped

#: Seconds an idle connection is used again: shorter than the five after which common servers close it.
KEEP_IDLE = 4.0
MAX_IDLE = 256
#: RFC 9110, section 9.2.2: these may be sent again where a kept connection turned out to be closed.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
#: Methods whose requests say that their body is empty (RFC 9110, section 8.6).
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

#: Scheme, name as the URL has it, and where it is dialled.
_Target = tuple[str, str, str]


class Upstream:
    """`resolve` plays private DNS: "<host>:<port>" of a URL to the local "<address>:<port>" that answers for it."""

    def __init__(self, resolve: Mapping[str, str]) -> None:
        self._resolve = {name.lower(): address for name, address in resolve.items()}
        self._targets: dict[tuple[str, str, int], _Target] = {}
        self._idle: dict[_Target, list[BackendConnection]] = {}
        self._open: set[BackendConnection] = set()
        self._tls: ssl.SSLContext | None = None

    def close(self) -> None:
        for connection in self._open:
            connection.abort()

    async def send(
        self, method: str, url: Url, headers: Sequence[tuple[str, str]], body: bytes | None, wait: float
    ) -> Response:
        """Waits `wait` seconds for the response's headers. Raises UpstreamError."""
        target = self._target(url)
        path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        length = len(body) if body is not None else 0 if method in _WITH_BODY else None
        try:
            head = request_head(method, path, url.authority, headers, length)
        except UnsafeHead as error:
            raise UpstreamError("BackendConnectionFailure", str(error)) from error
        data = head + body if body else head
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            connection = self._kept(target, loop.time())
            kept = connection is not None
            if connection is None:
                connection = await self._connect(target, url, deadline - loop.time())
            answer = connection.begin(data, bodiless=method == "HEAD")
            timer = loop.call_at(deadline, _expire, connection, url, wait)
            try:
                return await answer
            except Dropped as error:
                if not (kept and method in _IDEMPOTENT):
                    raise UpstreamError("BackendConnectionFailure", f"{BROKEN_OFF} ({url.authority})") from error
            except asyncio.CancelledError:
                connection.abort()
                raise
            finally:
                timer.cancel()

    def _kept(self, target: _Target, now: float) -> BackendConnection | None:
        idle = self._idle.get(target)
        while idle:
            connection = idle.pop()
            if connection.usable and now - connection.idle_since < KEEP_IDLE:
                return connection
            connection.abort()
        return None

    async def _connect(self, target: _Target, url: Url, wait: float) -> BackendConnection:
        loop, idle = asyncio.get_running_loop(), self._idle.setdefault(target, [])
        for stale in [one for one in self._open if not one.usable]:
            self._open.discard(stale)

        def release(connection: BackendConnection) -> None:
            connection.idle_since = loop.time()
            if len(idle) < MAX_IDLE:
                idle.append(connection)
            else:
                connection.abort()

        host, _, port = target[2].rpartition(":")
        secure = url.scheme == "https"
        try:
            async with asyncio.timeout(max(wait, 0)):
                _, connection = await loop.create_connection(
                    lambda: BackendConnection(release),
                    host.strip("[]"),
                    int(port),
                    ssl=self._context() if secure else None,
                    server_hostname=url.host if secure else None,
                )
        except TimeoutError as error:
            raise _late(url, wait) from error
        except (OSError, ValueError) as error:
            raise UpstreamError("BackendConnectionFailure", f"{NOT_CONNECTED} ({url.authority})") from error
        self._open.add(connection)
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _target(self, url: Url) -> _Target:
        """Where to dial: the mapped address, or a loopback address as it is."""
        key = (url.scheme, url.host, url.port)
        found = self._targets.get(key)
        if found is None:
            address = self._resolve.get(f"{url.host}:{url.port}".lower())
            if address is None and _is_loopback(url.host):
                address = f"{url.host}:{url.port}"
            if address is None:
                message = f"{NOT_CONNECTED}: {url.host}:{url.port} does not resolve in the local platform"
                raise UpstreamError("BackendConnectionFailure", message)
            found = (url.scheme, url.host, address)
            if len(self._targets) < 1024:
                self._targets[key] = found
        return found


def _expire(connection: BackendConnection, url: Url, wait: float) -> None:
    connection.fail(_late(url, wait))


def _late(url: Url, wait: float) -> UpstreamError:
    return UpstreamError("Timeout", f"the backend at {url.authority} did not answer in {wait:g} s")


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
