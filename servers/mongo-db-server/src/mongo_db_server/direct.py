"""Calls that are one command, sent on a pooled connection without the driver's sessions, cursors and batches around it.

Those cost more than a small query. What the direct way cannot do is left to the driver's own: retrying after a failure
that passes (`ordinary`), and reading on where the reply holds only a part. Choice of the server, read preference, read
and write concern, time limit (`maxTimeMS`) and what a failure tells the topology are the driver's either way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

from bson.objectid import ObjectId
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.helpers_shared import _RETRYABLE_ERROR_CODES

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

T = TypeVar("T")
Document = dict[str, Any]


class Whole:
    """A cursor whose documents are all here: nothing is open at the database."""

    def __init__(self, documents: list[Document]) -> None:
        self._rest: Iterator[Document] = iter(documents)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Document:
        for document in self._rest:
            return document
        raise StopAsyncIteration

    async def close(self) -> None:
        """Nothing to close."""


async def read(
    collection: AsyncCollection[Document], command: Document, ordinary: Callable[[], Awaitable[T]]
) -> T | Whole | AsyncCommandCursor[Document]:
    """The cursor that a `find` or `aggregate` command opens; after a failure that passes, what `ordinary` gives.
    `command` is the whole command, its name first. Raises PyMongoError."""
    try:
        return await _cursor(collection, command)
    except PyMongoError as error:
        if not (collection.database.client.options.retry_reads and _passes(error)):
            raise
    return await ordinary()


def _passes(error: PyMongoError) -> bool:
    """Whether the driver would try a read again after this."""
    if error.timeout or isinstance(error, ServerSelectionTimeoutError):
        return False
    if isinstance(error, OperationFailure):
        return error.code in _RETRYABLE_ERROR_CODES
    return isinstance(error, ConnectionFailure)


async def _cursor(collection: AsyncCollection[Document], command: Document) -> Whole | AsyncCommandCursor[Document]:
    database = collection.database
    client = database.client
    checkout = await client._conn_for_reads(collection.read_preference, None, next(iter(command)))
    async with checkout as (connection, preference):
        reply = await connection.command(
            database.name,
            command,
            preference,
            collection.codec_options,
            read_concern=collection.read_concern,
            client=client,
        )
        opened = reply["cursor"]
        if not opened["id"]:
            return Whole(opened["firstBatch"])
        cursor = AsyncCommandCursor(collection, opened, connection.address)
        await cursor._maybe_pin_connection(connection)
        return cursor


async def insert(collection: AsyncCollection[Document], documents: list[Document]) -> list[Any]:
    """The ids of the new documents. Errors are those of `insert_many`, which is used for all but a single document."""
    if len(documents) > 1 or not collection.write_concern.acknowledged:
        return (await collection.insert_many(documents, ordered=True)).inserted_ids
    document = {"_id": ObjectId(), **documents[0]}
    database = collection.database
    client = database.client
    async with await client._conn_for_writes(None, "insert") as connection:
        reply = await connection.command(
            database.name,
            {"insert": collection.name, "ordered": True, "documents": [document]},
            codec_options=collection.codec_options,
            write_concern=collection.write_concern,
            client=client,
        )
    errors, concern = reply.get("writeErrors", []), reply.get("writeConcernError")
    if errors or concern:
        concerns = [concern] if concern else []
        raise BulkWriteError({"writeErrors": errors, "writeConcernErrors": concerns, "nInserted": reply.get("n", 0)})
    return [document["_id"]]
