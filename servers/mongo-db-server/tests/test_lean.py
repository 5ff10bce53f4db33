from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from mongo_db_server import lean
from mongo_db_server.lean import LeanConnection, LeanPool
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.errors import DocumentTooLarge, ProtocolError, _OperationCancelled
from pymongo.message import _OpMsg

OP_MSG = 2013
REPLY = b"\0\0\0\0" + b"\0" + b"\x05\0\0\0\0"  # flags, section kind, an empty document


class Wire:
    """Stands for the socket: answers when told to."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.reply: asyncio.Future[tuple[bytes, int]] = asyncio.get_running_loop().create_future()
        self.seconds: float | None = None

    async def write(self, message: bytes) -> None:
        self.sent.append(message)

    async def read(self, request_id: int | None, max_message_size: int) -> tuple[bytes, int]:
        return await self.reply


class Connection(LeanConnection):
    """A lean connection without a server; what would close it is raised as it is."""

    def __init__(self, wire: Wire) -> None:
        self.conn: Any = SimpleNamespace(get_conn=wire, gettimeout=wire.seconds)
        self.cancel_context: Any = SimpleNamespace(cancelled=False)
        self.max_bson_size, self.max_message_size = 100, 1_000

    async def _raise_connection_failure(self, error: BaseException) -> Any:
        raise error

    def __del__(self) -> None:
        """Nothing to warn of."""


async def test_a_reply_is_handed_on() -> None:
    wire = Wire()
    wire.reply.set_result((REPLY, OP_MSG))
    connection = Connection(wire)
    await connection.send_message(b"question", 10)
    reply = await connection.receive_message(1)
    assert wire.sent == [b"question"]
    assert isinstance(reply, _OpMsg)
    assert connection._timer.cancelled()


async def test_a_document_too_large_is_not_sent() -> None:
    wire = Wire()
    with pytest.raises(DocumentTooLarge, match="101 bytes"):
        await Connection(wire).send_message(b"question", 101)
    assert wire.sent == []


async def test_an_unknown_form_of_reply_is_refused() -> None:
    wire = Wire()
    wire.reply.set_result((b"", 7))
    with pytest.raises(ProtocolError, match="opcode 7"):
        await Connection(wire).receive_message(1)


@pytest.mark.parametrize("limit", ["connection", "call"])
async def test_waiting_ends_with_the_time_of_the_connection_or_of_the_call(limit: str) -> None:
    wire = Wire()
    wire.seconds = 0.02 if limit == "connection" else 60.0
    started = time.monotonic()
    with pymongo.timeout(0.02 if limit == "call" else None), pytest.raises(TimeoutError, match="timed out"):
        await Connection(wire).receive_message(1)
    assert time.monotonic() - started < 10
    assert wire.reply.cancelled()


async def test_a_connection_that_the_pool_gave_up_ends_its_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the driver does when it learns that the database is away."""
    monkeypatch.setattr(lean, "_LOOK_SECONDS", 0.005)
    connection = Connection(Wire())
    waiting = asyncio.create_task(connection.receive_message(1))
    await asyncio.sleep(0.02)  # several looks find nothing
    assert not waiting.done()
    connection.cancel_context.cancelled = True
    with pytest.raises(_OperationCancelled):
        await asyncio.wait_for(waiting, 10)


async def test_a_cancelled_call_stops_waiting() -> None:
    connection = Connection(Wire())
    waiting = asyncio.create_task(connection.receive_message(1))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert connection._timer.cancelled()


def test_the_driver_takes_the_pool() -> None:
    """It is the driver's own, unofficial way: a release that takes it away must be noticed here."""
    client: AsyncMongoClient[Any] = AsyncMongoClient("mongodb://database.invalid", connect=False, _pool_class=LeanPool)
    assert client._topology_settings.pool_class is LeanPool
