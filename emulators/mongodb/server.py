"""The server's sockets: connections of the wire protocol, each command answered in the order it came."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import emulators.mongodb.commands  # noqa: F401 - registers the commands
from emulators.mongodb.dispatch import GiveUp, Server, Session, execute, strike
from emulators.mongodb.errors import CommandError
from emulators.mongodb.turns import FIRST_SLICE, SLICE, Overrun, may_step_aside
from emulators.mongodb.wire import MAX_MESSAGE, Message, ProtocolError, encode_reply, message_length, parse

log = logging.getLogger("emulators.mongodb")
_HIGH_WATER = 64 * 1024 * 1024
_GIVE_UP = GiveUp()
# Commands that take more than their first slice; more of them than this wait for one to end.
_LONG = ThreadPoolExecutor(max_workers=32, thread_name_prefix="long")


class Connection(asyncio.Protocol):
    """One client. Commands run one after another; while a fail point blocks one, the next wait."""

    def __init__(self, server: Server, open_connections: set[Connection], number: int) -> None:
        self._server = server
        self._all = open_connections
        self._session = Session(number=number)
        self._buffer = bytearray()
        self._waiting: deque[tuple[Message, float]] = deque()
        self._blocked = self._full = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are streams without being asyncio.Transport by class.
        self.transport = stream = cast(asyncio.Transport, transport)
        stream.set_write_buffer_limits(high=_HIGH_WATER)
        peer = transport.get_extra_info("peername")
        self._session.peer = f"{peer[0]}:{peer[1]}" if peer else "unknown"
        self._all.add(self)
        self._server.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.discard(self)
        self._server.connections -= 1
        self._waiting.clear()
        self.transport = None

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._drain()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while (length := message_length(self._buffer)) is not None and len(self._buffer) >= length:
                message = parse(bytes(self._buffer[:length]))
                del self._buffer[:length]
                self._waiting.append((message, time.monotonic()))
        except ProtocolError as error:
            log.warning("%s; the connection from %s is closed", error, self._session.peer)
            self._close()
            return
        self._drain()

    def _drain(self) -> None:
        while self._waiting and not (self._blocked or self._full) and self.transport is not None:
            message, received = self._waiting.popleft()
            failure = strike(self._server, self._session, message.command)
            if failure is None:
                self._answer(message, received, None)
            elif failure.block_ms:
                self._blocked = True
                loop = asyncio.get_running_loop()
                loop.call_later(failure.block_ms / 1000, self._unblock, message, received, failure.error, failure.close)
            elif failure.close:
                self._close()
            else:
                self._answer(message, received, failure.error)

    def _unblock(self, message: Message, received: float, error: CommandError | None, close: bool) -> None:
        self._blocked = False
        if close:
            self._close()
            return
        self._answer(message, received, error)
        self._drain()

    def _answer(self, message: Message, received: float, error: CommandError | None) -> None:
        if self.transport is None:
            return
        if error is not None:
            self._send(message, encode_reply(message, error.reply()))
            return
        server, session = self._server, self._session
        server.turns.acquire()
        try:
            data = _reply(server, session, message, received, _GIVE_UP, FIRST_SLICE)
        except Overrun:
            self._blocked = True
            _LONG.submit(self._work, asyncio.get_running_loop(), message, received)
            return
        finally:
            server.turns.release()
        self._send(message, data)

    def _work(self, loop: asyncio.AbstractEventLoop, message: Message, received: float) -> None:
        """On a thread of its own: the command again, in slices between which others have their turn."""
        turns = self._server.turns
        turns.acquire()
        try:
            with may_step_aside(turns):
                data = _reply(self._server, self._session, message, received, turns.give_way, SLICE)
        except Overrun:
            return  # the server stops; what was not written is taken back
        finally:
            turns.release()
        loop.call_soon_threadsafe(self._worked, message, data)

    def _worked(self, message: Message, data: bytes) -> None:
        self._blocked = False
        if self.transport is not None:
            self._send(message, data)
            self._drain()

    def _send(self, message: Message, data: bytes) -> None:
        if self.transport is not None and not message.silent:
            self.transport.write(data)

    def _close(self) -> None:
        self._waiting.clear()
        if self.transport is not None:
            self.transport.close()


def _reply(
    server: Server,
    session: Session,
    message: Message,
    received: float,
    give_way: Callable[[], None],
    slice_seconds: float,
) -> bytes:
    """The reply's bytes; an error where the command failed in a way that nobody expected, which is logged."""
    name = next(iter(message.command), "")
    try:
        data = encode_reply(
            message,
            execute(
                server, session, message.command, received=received, give_way=give_way, slice_seconds=slice_seconds
            ),
        )
        if len(data) <= MAX_MESSAGE:
            return data
        error = CommandError(10334, f"the reply of {len(data)} bytes is larger than a message may be ({MAX_MESSAGE})")
    except MemoryError:
        error = CommandError(146, f"{name} needs more memory than there is")
    except Exception:
        log.exception("the command %s failed unexpectedly", name)
        server.store.take_back()
        error = CommandError(1, f"the MongoDB stand-in failed on {name}; its log says why")
    return encode_reply(message, error.reply())


class Listener:
    """Accepts connections on one address until it is closed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connections: set[Connection] = set()
        self._number = 0
        self._socket: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """The port that is listened on."""
        loop = asyncio.get_running_loop()
        self._socket = await loop.create_server(self._connect, host, port)
        return int(self._socket.sockets[0].getsockname()[1])

    def _connect(self) -> Connection:
        self._number += 1
        return Connection(self._server, self._connections, self._number)

    def close(self) -> None:
        """Stops accepting and ends every connection; replies already written go out."""
        if self._socket is not None:
            self._socket.close()
        for connection in list(self._connections):
            if connection.transport is not None:
                connection.transport.close()
