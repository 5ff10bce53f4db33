"""Requests to backends, to the issuer and to the identity endpoint, by aiohttp.

Nothing is followed, decompressed, remembered or added that the policies did not ask for, and nothing is dialled but
what the configuration names and this machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

import aiohttp
from yarl import URL

from emulators.apim.failures import BROKEN_OFF, NOT_CONNECTED, UpstreamError
from emulators.apim.messages import STATUSES, ManyValues, Response, Url, header_text

#: Seconds an idle connection is used again: shorter than the five after which common servers close it.
KEEP_IDLE = 4.0
#: A backend's answer that policies or `send-request` read as a whole may not be larger, in bytes.
MAX_READ = 16 * 1024 * 1024
#: One line of a response's head, in bytes, and how many headers it may have.
MAX_LINE, MAX_HEADERS = 64 * 1024, 256
#: Everything a request target may hold unescaped: an escape that is already there stays.
_TARGET_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
#: What aiohttp would add of its own.
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class BackendClient:
    """`resolve` plays private DNS: "<host>:<port>" of a URL to the local "<address>:<port>" that answers for it.

    `allowed_hosts` ("<host>:<port>") are dialled as they are named; so are loopback addresses, and nothing else.
    `trusted_authority`: a file of certificates that count beside the system's.
    """

    def __init__(
        self, resolve: Mapping[str, str], allowed_hosts: Collection[str] = (), trusted_authority: str = ""
    ) -> None:
        self.use_names(resolve, allowed_hosts)
        self._tls = ssl.create_default_context()
        if trusted_authority:
            self._tls.load_verify_locations(trusted_authority)
        self._session: aiohttp.ClientSession | None = None

    def use_names(self, resolve: Mapping[str, str], allowed_hosts: Collection[str]) -> None:
        """Replace both; connections that are there serve the requests on them."""
        self._resolve = {name.lower(): address for name, address in resolve.items()}
        self._allowed = frozenset(name.lower() for name in allowed_hosts)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self, method: str, url: Url, headers: Sequence[tuple[str, str]], body: bytes | None, wait: float
    ) -> Response:
        """Wait `wait` seconds for the response's headers. Raises UpstreamError.

        Where a kept connection turns out to be closed, aiohttp sends a request again if its method is idempotent
        (RFC 9110, section 9.2.2), and no other.
        """
        if self._session is None:
            self._session = _session()
        target = self._target(url)
        try:
            async with asyncio.timeout(wait):
                response = await self._session.request(
                    method,
                    target,
                    headers=headers if _has_host(headers) else [("Host", url.authority), *headers],
                    data=body,
                    allow_redirects=False,
                    server_hostname=url.host if url.scheme == "https" else None,
                    ssl=self._tls,
                )
        except TimeoutError as error:
            message = f"the backend at {url.authority} did not answer in {wait:g} s"
            raise UpstreamError("Timeout", message) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failed(error, url) from error
        if response.status not in STATUSES:  # among them 101, another protocol that nobody asked for
            response.close()
            raise _failure(f"the backend at {url.authority} answered with status {response.status}")
        found = ManyValues((name.decode("latin-1"), header_text(value)) for name, value in response.raw_headers)
        return Response(response.status, response.reason or "", found, None, BackendStream(response, url))

    def _target(self, url: Url) -> URL:
        """Where to dial, with the path as it is written."""
        name = f"{url.host}:{url.port}".lower()
        address = self._resolve.get(name)
        if address is None and (name in self._allowed or _is_loopback(url.host)):
            address = f"{url.host}:{url.port}"
        if address is None:
            raise _failure(f"{NOT_CONNECTED}: {name} does not resolve in the local platform")
        return _written(url.scheme, address, url.path or "/", url.query)


@lru_cache(maxsize=256)
def _written(scheme: str, address: str, path: str, query: str) -> URL:
    host, _, port = address.rpartition(":")
    return URL.build(
        scheme=scheme,
        host=host.strip("[]"),
        port=int(port),
        path=quote(path, safe=_TARGET_SAFE),
        query_string=quote(query, safe=_TARGET_SAFE),
        encoded=True,
    )


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_IDLE),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_AUTOMATIC,
        auto_decompress=False,
        trust_env=False,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
        max_headers=MAX_HEADERS,
    )


class BackendStream:
    """The body of one response."""

    def __init__(self, response: aiohttp.ClientResponse, url: Url) -> None:
        self._response = response
        self._url = url

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises UpstreamError where the backend breaks off."""
        try:
            async for part in self._response.content.iter_any():
                yield part
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(f"{BROKEN_OFF} ({self._url.authority})") from error

    async def read(self) -> bytes:
        found = bytearray()
        async for part in self.chunks():
            found += part
            if len(found) > MAX_READ:
                self.close()
                raise _failure(f"the backend's answer is larger than {MAX_READ} bytes")
        return bytes(found)

    def close(self) -> None:
        """Cut the connection of an answer that nobody will read to its end, so that the backend notices."""
        self._response.close()


def _has_host(headers: Sequence[tuple[str, str]]) -> bool:
    """Whether a policy set one: two would be none (RFC 9112, section 3.2)."""
    return any(name.lower() == "host" for name, _ in headers)


def _failed(error: Exception, url: Url) -> UpstreamError:
    if isinstance(error, aiohttp.ClientConnectorError):
        return _failure(f"{NOT_CONNECTED} ({url.authority})")
    if isinstance(error, aiohttp.ClientResponseError):
        return _failure(f"the backend's answer is not HTTP/1.1 ({url.authority})")
    if isinstance(error, ValueError):
        return _failure(f"the request to {url.authority} cannot be written as HTTP/1.1")
    return _failure(f"{BROKEN_OFF} ({url.authority})")


def _failure(message: str) -> UpstreamError:
    return UpstreamError("BackendConnectionFailure", message)


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
