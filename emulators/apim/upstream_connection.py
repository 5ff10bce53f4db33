"""One connection to a backend: a request goes out in one write, the response comes in as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from emulators.apim.failures import UpstreamError
from emulators.apim.messages import ManyValues, Response

#: A backend's answer that policies or `send-request` read as a whole may not be larger, in bytes.
MAX_READ = 16 * 1024 * 1024
#: All response header names and values together, in bytes.
MAX_HEADERS = 64 * 1024
#: With more than this waiting, in bytes, a backend is not read any further until the caller has taken some.
HIGH_WATER = 256 * 1024


class Dropped(Exception):
    """The connection ended before the first byte of an answer: a kept one may have been closed meanwhile."""


def _broken(why: str) -> UpstreamError:
    return UpstreamError("BackendConnectionFailure", why)


class BackendStream:
    """One response's body."""

    __slots__ = ("_connection", "_ended", "_error", "_parts", "_size", "_waiter")

    def __init__(self, connection: BackendConnection) -> None:
        self._connection = connection
        self._parts: list[bytes] = []
        self._size = 0
        self._ended = False
        self._error: UpstreamError | None = None
        self._waiter: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER:
            self._connection.pause()
        self._wake()

    def end(self, error: UpstreamError | None = None) -> None:
        if not self._ended:
            self._ended, self._error = True, error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def take(self) -> tuple[bytes, bool]:
        """What has arrived, and whether that is all of it. Waits for nothing."""
        parts = self._parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts, self._size = [], 0
        if not self._ended:
            self._connection.resume()
        return data, self._ended and self._error is None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. A backend that breaks off raises UpstreamError."""
        while True:
            if self._parts:
                yield self.take()[0]
            elif self._ended:
                if self._error is not None:
                    raise self._error
                return
            else:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter

    async def read(self) -> bytes:
        found = bytearray()
        async for part in self.chunks():
            found += part
            if len(found) > MAX_READ:
                self.close()
                raise _broken(f"the backend's answer is larger than {MAX_READ} bytes")
        return bytes(found)

    def close(self) -> None:
        """Cuts a connection whose answer nobody will read to its end, so that the backend notices."""
        if not self._ended:
            self.end(_broken("the answer was given up"))
            self._connection.abort()


class BackendConnection(asyncio.Protocol):
    """`release` is called when an answer is whole and the connection may carry another request."""

    def __init__(self, release: Callable[[BackendConnection], None]) -> None:
        self._release = release
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._stream: BackendStream | None = None
        self._entries = ManyValues()
        self._size = 0
        self._reason = ""
        self._heard = self._bodiless = self._until_close = self._paused = False
        #: Loop time since when it has been idle.
        self.idle_since = 0.0

    # what the pool calls

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, data: bytes, *, bodiless: bool) -> asyncio.Future[Response]:
        """Sends one request. `bodiless`: the answer has no body whatever its headers say (HEAD)."""
        self._answer = asyncio.get_running_loop().create_future()
        self._heard, self._bodiless = False, bodiless
        if self._transport is None:
            self._answer.set_exception(Dropped())
        else:
            self._transport.write(data)
        return self._answer

    def fail(self, error: Exception) -> None:
        """Gives the answer up, whole or in part, and cuts the connection."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        if self._stream is not None:
            self._stream.end(error if isinstance(error, UpstreamError) else _broken(str(error)))
        self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._paused and self.usable and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is no asyncio.Transport by class

    def data_received(self, data: bytes) -> None:
        self._heard = True
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.fail(_broken("the backend's answer is not HTTP/1.1"))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._stream is not None and self._until_close and error is None:
            self._stream.end()
        elif self._stream is not None:
            self._stream.end(_broken("the backend broke off its answer"))
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(_broken("the backend broke off its answer") if self._heard else Dropped())

    # what the parser calls

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self.abort()  # nobody asked: what an idle connection says belongs to no request
        self._entries, self._size, self._stream, self._until_close = ManyValues(), 0, None, False
        self._reason = ""

    def on_status(self, reason: bytes) -> None:
        self._reason += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stream is not None:
            return  # a trailer
        self._size += len(name) + len(value)
        if self._size > MAX_HEADERS:
            self.fail(_broken("the backend's headers are too large"))
            return
        self._entries.receive(name, value)

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200 or self._answer is None or self._answer.done():
            return
        headers = self._entries
        self._stream = stream = BackendStream(self)
        if headers.lower("content-length") is None:
            self._until_close = not (headers.lower("transfer-encoding") or "").lower().endswith("chunked")
        if self._bodiless:
            stream.end()
        self._answer.set_result(Response(status, self._reason, headers, None, stream))
        if self._bodiless:
            self.abort()  # the parser cannot be told that no body follows

    def on_body(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.feed(data)

    def on_message_complete(self) -> None:
        if self._stream is None:
            return
        self._stream.end()
        self._stream = None
        self.resume()
        if self._parser.should_keep_alive() and self.usable:
            self._release(self)
        else:
            self.abort()
