"""One caller's connection: requests in, one after the other, and responses out (RFC 9112).

A response whose body is already here leaves in one write; one that is still arriving leaves as it arrives.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from emulators.apim.deliver import BrokenOff, deliver
from emulators.apim.framing import CONTINUE
from emulators.apim.incoming import Refused, Unfinished, refusal

if TYPE_CHECKING:
    from emulators.apim.messages import Request
    from emulators.apim.server import Server

#: Requests that wait on one connection before it is read no further.
MAX_WAITING = 8
#: Seconds a connection may be idle; seconds one request may take to arrive; seconds an error answer may take to leave.
IDLE, ARRIVAL, LINGER = 30.0, 60.0, 2.0

_log = logging.getLogger(__name__)


class CallerConnection(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._parser = HttpRequestParser(self)
        self._now: Unfinished | None = None
        self._waiting: list[tuple[Request, bool]] = []
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._writable: asyncio.Future[None] | None = None
        self._refused = self._last = False
        self._address = ""
        #: Loop time after which the connection is closed, unless a request is being answered.
        self.deadline = self._loop.time() + IDLE

    # what the server calls

    @property
    def busy(self) -> bool:
        return self._task is not None

    def stop(self) -> None:
        """Closes now, or after the answer under way."""
        self._last = True
        if self._task is None:
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is no asyncio.Transport by class
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        self._server.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._server.forget(self)
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return  # read and dropped, so that the caller gets its answer instead of a reset
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._last = True  # the request was taken as it stands; what follows it is another protocol
        except HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, Refused) else Refused(400, "The request is not HTTP/1.1."))

    # what the parser calls

    def on_message_begin(self) -> None:
        self._now = Unfinished(self._address)
        if self._task is None:
            self.deadline = self._loop.time() + ARRIVAL

    def on_url(self, url: bytes) -> None:
        if self._now is not None:
            self._now.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._now is not None:
            self._now.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._now is not None and self._now.on_headers_complete(self._parser) and self._task is None:
            self.write(CONTINUE)

    def on_body(self, data: bytes) -> None:
        if self._now is not None:
            self._now.on_body(data)

    def on_message_complete(self) -> None:
        unfinished, self._now = self._now, None
        if unfinished is None:
            return
        request = unfinished.request()
        if self._task is None:
            self._start(request, unfinished.keep_alive)
        else:
            self._waiting.append((request, unfinished.keep_alive))
            if len(self._waiting) == MAX_WAITING and self._transport is not None:
                self._transport.pause_reading()

    # answers

    def _start(self, request: Request, keep_alive: bool) -> None:
        self._last = self._last or not keep_alive
        self._task = self._loop.create_task(self._answer(request))
        self._task.add_done_callback(self._done)

    async def _answer(self, request: Request) -> None:
        context, response = await self._server.gateway.respond(request)
        await deliver(response, context, self, head=request.method == "HEAD", close=self._last)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self.deadline = self._loop.time() + IDLE
        if self._transport is None or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            if not isinstance(error, BrokenOff):
                _log.error("a request could not be answered", exc_info=error)
            self.abort()
        elif self._waiting and not self._last:
            if len(self._waiting) == MAX_WAITING:
                self._transport.resume_reading()
            self._start(*self._waiting.pop(0))
        elif self._last:
            self.close()

    def _refuse(self, refused: Refused) -> None:
        """Answers what is no request, after the answers under way, and reads no other."""
        self._refused = self._last = True
        if self._task is None:
            self.write(refusal(refused))
            if self._transport is not None:
                self._transport.write_eof()
        self.deadline = self._loop.time() + LINGER

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    async def drained(self) -> None:
        """Waits while the caller takes data more slowly than it arrives."""
        if self._writable is not None:
            await self._writable
