from __future__ import annotations

from mongo_db_server.errors import RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, Confirmable, InCollection, output, tool


class DropCollectionArguments(Confirmable, InCollection):
    pass


async def _exists(arguments: InCollection, call: Call) -> bool:
    database = call.named(arguments).database
    names = await call.retry_throttled(lambda: database.list_collection_names(filter={"name": arguments.collection}))
    return arguments.collection in names


async def preview(arguments: DropCollectionArguments, call: Call) -> Reply:
    name = f"{arguments.database}.{arguments.collection}"
    if not await _exists(arguments, call):
        raise RefusedError(f"{name} does not exist; list-collections shows what does.")
    number = await call.retry_throttled(call.named(arguments).estimated_document_count)
    return Reply(f"{name} with {number} documents and all its indexes would be dropped.", {"would_affect": number})


@tool(
    "drop-collection",
    title="Drop a collection",
    operation=Operation.DELETE,
    arguments=DropCollectionArguments,
    output=output(dropped={"type": "boolean"}),
    preview=preview,
)
async def drop_collection(arguments: DropCollectionArguments, call: Call) -> Reply:
    """Drops one collection or view with all its documents and indexes. There is no way back, so the first call only
    says what would go and returns a token; the same call with that token as `confirmation` drops it."""
    collection = call.named(arguments)
    existed = await _exists(arguments, call)
    try:
        await call.once(collection.drop)
    finally:
        call.runtime.views.forget(arguments.database)
    name = f"{arguments.database}.{arguments.collection}"
    return Reply(f"{name} dropped." if existed else f"{name} was gone already.", {"dropped": existed})
