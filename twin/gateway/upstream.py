"""Connections to backends, the issuer and the identity endpoint. Nothing is dialled that is not this machine."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Mapping, Sequence

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from twin.gateway.failures import UpstreamError
from twin.gateway.messages import ManyValues, Response, Url

_NO_DEFAULTS = frozenset({"User-Agent", "Accept", "Accept-Encoding", "Content-Type"})
#: A backend's answer that policies or `send-request` read as a whole may not be larger, in bytes.
MAX_READ = 16 * 1024 * 1024


class _Stream:
    """One response's body, still on its connection."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def read(self) -> bytes:
        parts, size = [], 0
        async for part in self.chunks():
            parts.append(part)
            size += len(part)
            if size > MAX_READ:
                self.close()
                raise UpstreamError("BackendConnectionFailure", f"the backend's answer is larger than {MAX_READ} bytes")
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. A backend that breaks off raises UpstreamError."""
        try:
            async for part in self._response.content.iter_any():
                yield part
        except (aiohttp.ClientError, ConnectionError) as error:
            raise UpstreamError("BackendConnectionFailure", f"the backend broke off its answer ({error})") from error
        finally:
            self.close()

    def close(self) -> None:
        """Back to the pool where the body was read to its end; else the connection is cut, and the backend notices."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


class Upstream:
    """`resolve` plays private DNS: "<host>:<port>" of a URL to the local "<address>:<port>" that answers for it."""

    def __init__(self, resolve: Mapping[str, str]) -> None:
        self._resolve = {name.lower(): address for name, address in resolve.items()}
        self._session: aiohttp.ClientSession | None = None
        self._targets: dict[tuple[str, str, int], str] = {}

    async def start(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30, use_dns_cache=False)
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_NO_DEFAULTS,
            timeout=aiohttp.ClientTimeout(total=None),
            max_line_size=64 * 1024,
            max_field_size=64 * 1024,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self, method: str, url: Url, headers: Sequence[tuple[str, str]], body: bytes | None, wait: float
    ) -> Response:
        """Waits `wait` seconds for the response's headers. Raises UpstreamError."""
        if self._session is None:
            raise UpstreamError("BackendConnectionFailure", "the gateway is not started")
        address = self._address(url)
        target = URL(f"{url.scheme}://{address}{url.path or '/'}{'?' + url.query if url.query else ''}", encoded=True)
        outgoing = CIMultiDict(headers)
        outgoing["Host"] = url.authority
        try:
            async with asyncio.timeout(wait):
                answer = await self._session.request(method, target, headers=outgoing, data=body, allow_redirects=False)
        except TimeoutError as error:
            raise UpstreamError("Timeout", f"the backend at {url.authority} did not answer in {wait:g} s") from error
        except (aiohttp.ClientError, ConnectionError, OSError, ValueError) as error:
            raise UpstreamError(
                "BackendConnectionFailure", f"the backend at {url.authority} cannot be reached"
            ) from error
        return Response(answer.status, answer.reason or "", ManyValues(answer.headers.items()), None, _Stream(answer))

    def _address(self, url: Url) -> str:
        """Where to dial: the mapped address, or a loopback address as it is."""
        key = (url.scheme, url.host, url.port)
        found = self._targets.get(key)
        if found is None:
            found = self._resolve.get(f"{url.host}:{url.port}".lower())
            if found is None and _is_loopback(url.host):
                found = f"{url.host}:{url.port}"
            if found is None:
                message = f"the name {url.host}:{url.port} does not resolve in the local platform"
                raise UpstreamError("BackendConnectionFailure", message)
            if len(self._targets) < 1024:
                self._targets[key] = found
        return found


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
