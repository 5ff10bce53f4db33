from __future__ import annotations

from typing import Any

from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InCollection, output, tool

_NUMBERS = {
    "documents": ("count", "Documents in the collection."),
    "average_bytes": ("avgObjSize", "Mean size of a document."),
    "data_bytes": ("size", "Uncompressed size of the documents."),
    "storage_bytes": ("storageSize", "Space the documents take on disk."),
    "index_bytes": ("totalIndexSize", "Space the indexes take."),
    "indexes": ("nindexes", "Number of indexes."),
}


@tool(
    "collection-storage-size",
    title="Measure a collection",
    operation=Operation.METADATA,
    arguments=InCollection,
    output=output(
        optional={name: {"type": "integer", "description": text} for name, (_, text) in _NUMBERS.items()},
    ),
)
async def collection_storage_size(arguments: InCollection, call: Call) -> Reply:
    """Tells how large one collection is: documents, bytes of data, on disk and of its indexes. What the database does
    not report is left out. For a whole database use db-stats."""
    collection = await call.reading(arguments)

    async def attempt() -> dict[str, Any]:
        return await collection.database.command("collStats", arguments.collection)

    found = await call.retry_throttled(attempt)
    facts = {name: int(found[key]) for name, (key, _) in _NUMBERS.items() if isinstance(found.get(key), int | float)}
    size = facts.get("storage_bytes", facts.get("data_bytes", 0))
    summary = (
        f"{arguments.database}.{arguments.collection} holds {facts.get('documents', 0)} documents in {size} bytes."
    )
    return Reply(summary, facts)
