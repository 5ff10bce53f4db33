from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from bson.objectid import ObjectId
from mongo_db_server import direct
from mongo_db_server.direct import Whole
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.write_concern import WriteConcern

COMMAND = {"find": "things", "filter": {}}


class Connection:
    """Answers every command alike, and keeps what it was asked."""

    address = ("database.invalid", 27017)

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.asked: list[dict[str, Any]] = []

    async def command(self, database: str, command: dict[str, Any], *arguments: Any, **more: Any) -> Any:
        self.asked.append(command)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


class Checkout:
    def __init__(self, given: Any) -> None:
        self._given = given

    async def __aenter__(self) -> Any:
        return self._given

    async def __aexit__(self, *error: object) -> None:
        """Nothing is taken back."""


def collection_on(connection: Connection, monkeypatch: pytest.MonkeyPatch, uri: str = "") -> Any:
    client: AsyncMongoClient[Any] = AsyncMongoClient(f"mongodb://database.invalid/{uri}", connect=False)

    async def reads(preference: Any, session: None, operation: str) -> Checkout:
        return Checkout((connection, preference))

    async def writes(session: None, operation: str) -> Checkout:
        return Checkout(connection)

    monkeypatch.setattr(client, "_conn_for_reads", reads)
    monkeypatch.setattr(client, "_conn_for_writes", writes)
    return client["shop"]["things"]


async def never() -> Any:
    raise AssertionError("the ordinary way was taken")


async def test_a_reply_that_holds_everything_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection({"cursor": {"firstBatch": [{"a": 1}, {"a": 2}], "id": 0}})
    found = await direct.read(collection_on(connection, monkeypatch), COMMAND, never)
    assert isinstance(found, Whole)
    assert [document async for document in found] == [{"a": 1}, {"a": 2}]
    await found.close()
    assert connection.asked == [COMMAND]


async def test_a_reply_with_more_to_come_is_the_drivers_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection({"cursor": {"firstBatch": [{"a": 1}], "id": 7, "ns": "shop.things"}})
    found = await direct.read(collection_on(connection, monkeypatch), COMMAND, never)
    assert isinstance(found, AsyncCommandCursor)
    assert (found.cursor_id, found.address) == (7, connection.address)
    found._killed = True  # there is no database to close it at


@pytest.mark.parametrize("failure", [AutoReconnect("gone"), OperationFailure("shutting down", 91)])
async def test_after_a_failure_that_passes_the_driver_tries_again(
    failure: PyMongoError, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ordinary() -> str:
        return "the driver's answer"

    found = await direct.read(collection_on(Connection(failure), monkeypatch), COMMAND, ordinary)
    assert found == "the driver's answer"


@pytest.mark.parametrize(
    "failure",
    [
        OperationFailure("bad query", 2),
        OperationFailure("throttled", 16500),
        NetworkTimeout("timed out"),
        ServerSelectionTimeoutError("nobody there"),
    ],
)
async def test_other_failures_are_told_at_once(failure: PyMongoError, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(type(failure)):
        await direct.read(collection_on(Connection(failure), monkeypatch), COMMAND, never)


async def test_an_operator_who_wants_no_retries_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    collection = collection_on(Connection(AutoReconnect("gone")), monkeypatch, "?retryReads=false")
    with pytest.raises(AutoReconnect):
        await direct.read(collection, COMMAND, never)


async def test_a_single_document_is_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its `_id` is made here, as the driver does, and one that was given stays."""
    connection = Connection({"n": 1, "ok": 1.0})
    collection = collection_on(connection, monkeypatch)
    (made,) = await direct.insert(collection, [{"a": 1}])
    assert isinstance(made, ObjectId)
    assert await direct.insert(collection, [{"a": 1, "_id": 5}]) == [5]
    assert connection.asked == [
        {"insert": "things", "ordered": True, "documents": [{"_id": made, "a": 1}]},
        {"insert": "things", "ordered": True, "documents": [{"_id": 5, "a": 1}]},
    ]


@pytest.mark.parametrize(
    "reply",
    [
        {"n": 0, "writeErrors": [{"index": 0, "code": 11000, "errmsg": "duplicate", "keyPattern": {"_id": 1}}]},
        {"n": 1, "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
    ],
)
async def test_a_write_that_failed_is_told_as_the_driver_tells_it(
    reply: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BulkWriteError) as raised:
        await direct.insert(collection_on(Connection(reply), monkeypatch), [{"a": 1}])
    details = raised.value.details or {}
    assert details["nInserted"] == reply["n"]
    assert details["writeErrors"] == reply.get("writeErrors", [])
    assert details["writeConcernErrors"] == [error for error in [reply.get("writeConcernError")] if error]


@pytest.mark.parametrize(("documents", "acknowledged"), [(2, True), (1, False)])
async def test_batches_and_unacknowledged_writes_are_the_drivers(documents: int, acknowledged: bool) -> None:
    given: list[Any] = []

    async def insert_many(batch: list[Any], ordered: bool) -> Any:
        given.append((len(batch), ordered))
        return SimpleNamespace(inserted_ids=[1] * len(batch))

    concern = WriteConcern(1 if acknowledged else 0)
    collection: Any = SimpleNamespace(insert_many=insert_many, write_concern=concern)
    assert await direct.insert(collection, [{}] * documents) == [1] * documents
    assert given == [(documents, True)]
