from __future__ import annotations

from pydantic import Field

from mongo_db_server import ejson
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InCollection, JsonArray, output, tool
from mongo_db_server.tools._updates import check_batch, document_of


class InsertManyArguments(InCollection):
    documents: JsonArray = Field(
        min_length=1, description="Documents as Extended JSON. `_id` is generated where it is missing."
    )


@tool(
    "insert-many",
    title="Insert documents",
    operation=Operation.CREATE,
    arguments=InsertManyArguments,
    output=output(inserted={"type": "integer"}, inserted_ids={"type": "array", "items": {}}),
)
async def insert_many(arguments: InsertManyArguments, call: Call) -> Reply:
    """Inserts documents into one collection, in order, and stops at the first that cannot be written. Creates the
    collection when it does not exist."""
    collection = call.named(arguments)
    check_batch(len(arguments.documents), "documents", call)
    documents = [
        document_of(document, f"documents.{position}", call) for position, document in enumerate(arguments.documents)
    ]
    # Never repeated: a throttled batch may have been written in part, and the error says how far it came.
    inserted = await call.once(lambda: collection.insert_many(documents, ordered=True))
    identifiers = [ejson.encode(identifier) for identifier in inserted.inserted_ids]
    return Reply(
        f"{len(identifiers)} documents inserted into {arguments.database}.{arguments.collection}.",
        {"inserted": len(identifiers), "inserted_ids": identifiers},
    )
