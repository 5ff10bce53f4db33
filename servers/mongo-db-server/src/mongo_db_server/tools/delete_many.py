from __future__ import annotations

from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, output, tool
from mongo_db_server.tools._filters import FilteredWrite, preview_of


async def preview(arguments: FilteredWrite, call: Call) -> Reply:
    return await preview_of(arguments, call, "deleted")


@tool(
    "delete-many",
    title="Delete documents",
    operation=Operation.DELETE,
    arguments=FilteredWrite,
    output=output(deleted={"type": "integer"}),
    preview=preview,
)
async def delete_many(arguments: FilteredWrite, call: Call) -> Reply:
    """Deletes all documents of one collection that match a filter. There is no way back, so the first call only says
    how many would go and returns a token; the same call with that token as `confirmation` deletes them."""
    collection = call.named(arguments)
    condition = arguments.condition(call)
    # Not repeated while throttled, although that would be safe: the number deleted would then be wrong.
    result = await call.once(lambda: collection.delete_many(condition))
    summary = f"{result.deleted_count} documents deleted from {arguments.database}.{arguments.collection}."
    return Reply(summary, {"deleted": result.deleted_count})
