from __future__ import annotations

from typing import Any

from mongo_db_server import ejson
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, InCollection, output, tool

_INTERNAL = frozenset({"v", "ns", "background"})


@tool(
    "collection-indexes",
    title="List the indexes of a collection",
    operation=Operation.METADATA,
    arguments=InCollection,
    output=output(count={"type": "integer"}, indexes={"type": "array", "items": {"type": "object"}}),
)
async def collection_indexes(arguments: InCollection, call: Call) -> Reply:
    """Lists the indexes of one collection: name, key, and options such as unique or expireAfterSeconds. Look here
    before proposing an index, or when explain shows a collection scan."""
    collection = await call.reading(arguments)
    fields = call.rules.fields

    async def attempt() -> list[dict[str, Any]]:
        async with await collection.list_indexes() as cursor:
            return [dict(found) async for found in cursor]

    indexes = []
    for found in await call.retry_throttled(attempt):
        if fields.active and any(fields.hides(path) for path in found.get("key", {})):
            continue
        if fields.active:
            found.pop("partialFilterExpression", None)  # it compares with values
        indexes.append(ejson.encode({name: value for name, value in found.items() if name not in _INTERNAL}))
    summary = f"{len(indexes)} indexes on {arguments.database}.{arguments.collection}."
    return Reply(summary, {"count": len(indexes)}, Untrusted.of("indexes", indexes))
