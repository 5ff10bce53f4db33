from __future__ import annotations

from typing import Any

from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InDatabase, output, tool

_NUMBERS = {
    "collections": ("collections", "Number of collections."),
    "views": ("views", "Number of views."),
    "documents": ("objects", "Documents in all collections."),
    "average_bytes": ("avgObjSize", "Mean size of a document."),
    "data_bytes": ("dataSize", "Uncompressed size of the documents."),
    "storage_bytes": ("storageSize", "Space the documents take on disk."),
    "indexes": ("indexes", "Number of indexes."),
    "index_bytes": ("indexSize", "Space the indexes take."),
}


@tool(
    "db-stats",
    title="Measure a database",
    operation=Operation.METADATA,
    arguments=InDatabase,
    output=output(
        optional={name: {"type": "integer", "description": text} for name, (_, text) in _NUMBERS.items()},
    ),
)
async def db_stats(arguments: InDatabase, call: Call) -> Reply:
    """Tells how large one database is: collections, documents, bytes of data, on disk and of its indexes. For a single
    collection use collection-storage-size."""
    database = call.database(arguments.database)

    async def attempt() -> dict[str, Any]:
        return await database.command("dbStats")

    found = await call.retry_throttled(attempt)
    facts = {name: int(found[key]) for name, (key, _) in _NUMBERS.items() if isinstance(found.get(key), int | float)}
    summary = f"{arguments.database} holds {facts.get('documents', 0)} documents."
    return Reply(summary, facts)
