from __future__ import annotations

from pydantic import AliasChoices, Field

from mongo_db_server.errors import RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, Confirmable, InCollection, output, tool


class DropIndexArguments(Confirmable, InCollection):
    index: str = Field(
        min_length=1,
        validation_alias=AliasChoices("index", "indexName", "name"),
        description="Name of the index, as collection-indexes shows it.",
    )


async def preview(arguments: DropIndexArguments, call: Call) -> Reply:
    collection = call.named(arguments)
    _check(arguments)
    known = await call.retry_throttled(collection.index_information)
    if arguments.index not in known:
        raise RefusedError(f"There is no index {arguments.index}; collection-indexes shows those that are there.")
    summary = f"The index {arguments.index} of {arguments.database}.{arguments.collection} would be dropped."
    return Reply(summary, {"would_affect": 1})


def _check(arguments: DropIndexArguments) -> None:
    if arguments.index in ("*", "_id_"):
        raise RefusedError("Indexes are dropped one by one, and the one on `_id` never.")


@tool(
    "drop-index",
    title="Drop an index",
    operation=Operation.DELETE,
    arguments=DropIndexArguments,
    output=output(dropped={"type": "string"}),
    preview=preview,
)
async def drop_index(arguments: DropIndexArguments, call: Call) -> Reply:
    """Drops one index; queries that used it become slow. The first call only says what would go and returns a token;
    the same call with that token as `confirmation` drops it."""
    collection = call.named(arguments)
    _check(arguments)
    await call.once(lambda: collection.drop_index(arguments.index))
    summary = f"Index {arguments.index} of {arguments.database}.{arguments.collection} dropped."
    return Reply(summary, {"dropped": arguments.index})
