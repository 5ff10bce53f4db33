from __future__ import annotations

from typing import Any

from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, InDatabase, output, tool


@tool(
    "list-collections",
    title="List collections",
    operation=Operation.METADATA,
    arguments=InDatabase,
    output=output(
        count={"type": "integer"},
        collections={
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "type": {"type": "string"}},
            },
        },
    ),
)
async def list_collections(arguments: InDatabase, call: Call) -> Reply:
    """Lists the collections and views of one database. Use it to find the exact name of a collection before querying
    it; use collection-schema to see what its documents hold."""
    database = call.database(arguments.database)

    async def attempt() -> list[dict[str, Any]]:
        return [dict(found) async for found in await database.list_collections(nameOnly=True)]

    collections = sorted(
        (
            {"name": found["name"], "type": found.get("type", "collection")}
            for found in await call.retry_throttled(attempt)
            if call.rules.scope.admits_collection(arguments.database, found["name"])
        ),
        key=lambda found: str(found["name"]),
    )
    summary = f"{len(collections)} collections in {arguments.database}."
    return Reply(summary, {"count": len(collections)}, Untrusted.of("collections", collections))
