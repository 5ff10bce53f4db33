"""The driver's connections, with less around each message.

PyMongo's asyncio connections start two tasks for every reply, one only to look twice a second whether the pool gave the
connection up, and one more for every message sent: about a quarter of what a small query costs this server. Here the
reply is awaited where it is needed, and a timer looks. Time limits, cancellation, and what a failure does to the
connection are the driver's own: only the waiting is done differently.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from pymongo import _csot
from pymongo.asynchronous.pool import AsyncConnection, Pool
from pymongo.errors import DocumentTooLarge, ProtocolError, _OperationCancelled
from pymongo.message import _UNPACK_REPLY

if TYPE_CHECKING:
    from pymongo.message import _OpMsg

_LOOK_SECONDS = 0.5  # as often as the driver


class LeanConnection(AsyncConnection):
    """One connection of a `LeanPool`."""

    _timer: asyncio.TimerHandle

    async def send_message(self, message: bytes, max_doc_size: int) -> None:
        """Raises DocumentTooLarge, or closes the connection and raises what the driver makes of the failure."""
        if max_doc_size > self.max_bson_size:
            raise DocumentTooLarge(
                f"BSON document too large ({max_doc_size} bytes); the database takes up to {self.max_bson_size} bytes."
            )
        try:
            await self.conn.get_conn.write(message)  # hands the bytes to the event loop, and never waits
        except BaseException as error:  # noqa: BLE001 - it raises
            await self._raise_connection_failure(error)

    async def receive_message(self, request_id: int | None) -> _OpMsg:
        """The next reply. Closes the connection when it does not come in time, or is not wanted any more."""
        try:
            return await self._receive(request_id)
        except BaseException as error:  # noqa: BLE001 - it raises
            await self._raise_connection_failure(error)

    async def _receive(self, request_id: int | None) -> _OpMsg:
        waiting = asyncio.timeout(self._seconds())
        self._look_later(waiting)
        try:
            async with waiting:
                data, code = await self.conn.get_conn.read(request_id, self.max_message_size)
        except TimeoutError:
            if self.cancel_context.cancelled:
                raise _OperationCancelled("operation cancelled") from None
            raise TimeoutError("timed out") from None
        finally:
            self._timer.cancel()
        unpack: Any = _UNPACK_REPLY.get(code)
        if unpack is None:
            raise ProtocolError(f"Got opcode {code!r} but expected {_UNPACK_REPLY.keys()!r}")
        return unpack(data)  # type: ignore[no-any-return]

    def _seconds(self) -> float | None:
        """How long the reply may take: what is left of the call's time, else the connection's own limit."""
        if _csot.get_timeout():
            return max(_csot.get_deadline() - time.monotonic(), 0)
        return self.conn.gettimeout or None

    def _look_later(self, waiting: asyncio.Timeout) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look, waiting)

    def _look(self, waiting: asyncio.Timeout) -> None:
        """Ends the wait when the pool has given the connection up, as it does when the database is away."""
        if self.cancel_context.cancelled:
            waiting.reschedule(0)
        else:
            self._look_later(waiting)


class LeanPool(Pool):
    """For `AsyncMongoClient(_pool_class=…)`, the driver's own place to put another pool."""

    async def connect(self, handler: Any = None) -> AsyncConnection:
        """A new connection, signed in, that waits the lean way from then on."""
        connection = await super().connect(handler)
        connection.__class__ = LeanConnection
        return connection
