"""A caller's connection: uvicorn's, parsed by llhttp, and stricter than either.

Two readers of one request must not see two (RFC 9112, section 11.2). llhttp refuses most of what could be framed in two
ways; what is refused here besides, and what uvicorn would do with the rest, is in `Connection`.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_TARGET = 16 * 1024
#: All header names and values together, in bytes.
MAX_HEADERS = 64 * 1024
#: Requests of one connection that may wait for their answer.
MAX_IN_LINE = 100
#: Seconds after which a caller who takes nothing of its answer is cut off; what the system may hold of an answer, in
#: bytes, so that a slow caller is seen to take some of it.
STALL, UNSENT = 60.0, 128 * 1024

#: Visible ASCII (RFC 9112, section 3.2): llhttp takes tabs, form feeds and bytes above, too.
_TARGET = re.compile(rb"[\x21-\x7e]+")
_VERSIONS = ("1.0", "1.1")


class NotHttp(ValueError):
    """A head that llhttp reads, and that HTTP/1.1 does not allow."""


class RestOfRequest:
    """The body of a request with Upgrade, which llhttp leaves to the other protocol. What follows it is dropped."""

    def __init__(self, connection: Connection, framing: Iterable[tuple[bytes, bytes]]) -> None:
        self._connection, self.ended = connection, False
        self._parser = HttpRequestParser(self)
        lines = [b"POST / HTTP/1.1", *(b"%b: %b" % header for header in framing), b"", b""]
        self._parser.feed_data(b"\r\n".join(lines))

    def feed(self, data: bytes) -> None:
        if not self.ended:
            self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if not self.ended:
            self._connection.on_body(body)

    def on_message_complete(self) -> None:
        if not self.ended:
            self.ended = True
            self._connection.on_message_complete()


class Parser(HttpRequestParser):
    """llhttp's, which goes on where that would change to another protocol."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._connection = connection

    def feed_data(self, data: Any) -> None:
        try:
            if self._connection.rest is None:
                super().feed_data(data)
                return
        except HttpParserUpgrade as upgrade:
            data = data[upgrade.args[0] :]
        if self._connection.rest is not None:
            self._connection.rest.feed(data)


class Connection(HttpToolsProtocol):
    """What it changes:

    - a version, target, Host or transfer coding that HTTP/1.1 does not allow is 400;
    - the target stays as it was sent, with the host of an absolute one;
    - trailers are dropped: uvicorn appends them to the headers;
    - a head, or a trailer, may not be longer than the application's limits for it;
    - no more than MAX_IN_LINE requests wait in a connection;
    - nothing is written into an answer that is under way when a later request turns out to be none, and all requests
      on a connection notice that the caller left, not the last one only;
    - a request for another protocol, which nobody speaks here, is answered as any other, and ends the connection;
    - a caller who takes nothing for STALL seconds is cut off: closing would wait for it to take the rest.
    """

    _stalled: asyncio.TimerHandle | None = None
    _in_head = False
    #: Bytes received since the last head, piece of body or end of a request, and whether there was one.
    _held, _progress = 0, False
    _cycles: tuple[RequestResponseCycle, ...] = ()
    rest: RestOfRequest | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.parser = Parser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it: it is not answered

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._leave()
        super().connection_lost(exc)

    # what arrives

    def data_received(self, data: bytes) -> None:
        self._progress = False
        super().data_received(data)
        self._held = 0 if self._progress else self._held + len(data)
        if self._held > MAX_HEADERS + MAX_TARGET:
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """Raises NotHttp, which is a 400."""
        version, target = self.parser.get_http_version(), self.url
        hosts = [value for name, value in self.headers if name == b"host"]
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if version not in _VERSIONS or not _TARGET.fullmatch(target):
            raise NotHttp("version or target")
        if len(hosts) > 1 or (not hosts and version == "1.1"):  # RFC 9112, section 3.2
            raise NotHttp("Host")
        if codings not in ([], [b"chunked"]):  # no other is supported (section 6.1)
            raise NotHttp("Transfer-Encoding")
        self._cycles = self._unanswered()
        if len(self._cycles) >= MAX_IN_LINE:
            raise NotHttp("too many")
        self._in_head, self._progress = False, True
        if version == "1.0":
            self.expect_100_continue = False  # RFC 9110, section 10.1.1
        self.url = b"/"  # uvicorn would keep the path only
        super().on_headers_complete()
        path, _, query = target.partition(b"?")
        self.scope["raw_path"], self.scope["query_string"] = path, query
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False
            framing = [header for header in self.headers if header[0] in (b"content-length", b"transfer-encoding")]
            self.rest = RestOfRequest(self, framing)
        self._cycles = (*self._cycles, self.cycle)

    def on_body(self, body: bytes) -> None:
        self._progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._progress = True
        if self.rest is None or self.rest.ended:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, unless an answer is under way: then the connection ends without a word."""
        unanswered = self._unanswered()
        own = [one for one in unanswered if one.scope is self.scope and one.more_body and not one.response_started]
        if unanswered == tuple(own):
            super().send_400_response(msg)
        else:
            self.transport.close()
        self._leave()

    def _unanswered(self) -> tuple[RequestResponseCycle, ...]:
        return tuple(cycle for cycle in self._cycles if not cycle.response_complete)

    def _leave(self) -> None:
        """Tell all requests that nobody waits for them."""
        for cycle in self._unanswered():
            cycle.disconnected = True
            cycle.message_event.set()
        self._cycles = ()

    # what is sent

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection whose last answer was not taken is cut off, too: it may be too little to pause for."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget()

    def _watch(self, waiting: int) -> None:
        self._stalled = self.loop.call_later(STALL, self._check, waiting)

    def _check(self, waited: int) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting < waited:
            self._watch(waiting)
        else:
            self.transport.abort()

    def _forget(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
