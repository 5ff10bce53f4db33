from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server import ejson
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InCollection, JsonArray, output, tool


class InsertManyArguments(InCollection):
    documents: JsonArray = Field(
        min_length=1, description="Documents as Extended JSON. `_id` is generated where it is missing."
    )


@tool(
    "insert-many",
    title="Insert documents",
    operation=Operation.CREATE,
    arguments=InsertManyArguments,
    output=output(inserted={"type": "integer"}, inserted_ids={"type": "array"}),
)
async def insert_many(arguments: InsertManyArguments, call: Call) -> Reply:
    """Inserts documents into one collection, in order, and stops at the first that cannot be written. Creates the
    collection when it does not exist."""
    collection = call.collection(arguments)
    if len(arguments.documents) > call.limits.write_batch:
        raise RefusedError(
            f"{len(arguments.documents)} documents in one call; this server takes {call.limits.write_batch} "
            "(`MCP_WRITE_BATCH_CEILING`): send them in parts."
        )
    documents: list[Any] = ejson.decode(arguments.documents, "documents")
    for position, document in enumerate(documents):
        if not isinstance(document, dict):
            raise InvalidCallError(f"`documents.{position}` must be an object.")
    # Never repeated: a throttled batch may have been written in part, and the error says how far it came.
    result = await call.once(lambda: collection.insert_many(documents, ordered=True))
    identifiers = [ejson.encode(identifier) for identifier in result.inserted_ids]
    return Reply(
        f"{len(identifiers)} documents inserted into {arguments.database}.{arguments.collection}.",
        {"inserted": len(identifiers), "inserted_ids": identifiers},
    )
