"""HTTP to what stands behind the front: no more of an answer than allowed, and nothing kept between two requests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

_OF_THE_PROTOCOL = frozenset({"origin", "last-event-id"})


class Bounded(httpx2.AsyncBaseTransport):
    """Ends an answer that is longer than `limit` bytes, and keeps no cookie of it: the next request is somebody else's.

    `strips`: the protocol's own headers do not go along.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, limit: int, *, strips: bool) -> None:
        self._inner = inner
        self._limit = limit
        self._strips = strips

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._strips:
            for name in [name for name in request.headers if name.startswith("mcp-") or name in _OF_THE_PROTOCOL]:
                del request.headers[name]
        response = await self._inner.handle_async_request(request)
        response.headers.pop("set-cookie", None)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _BoundedStream(response.stream, self._limit)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, limit: int) -> None:
        self._inner = inner
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > self._limit:
                raise httpx2.ReadError(f"The answer is larger than {self._limit} bytes; ask for less.")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
