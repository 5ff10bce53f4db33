from __future__ import annotations

from pydantic import Field

from mongo_db_server import ejson
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, JsonArray, output, tool
from mongo_db_server.tools._filters import FilteredWrite, preview_of, touches_every
from mongo_db_server.tools._updates import Update, array_filters_of, update_of


class UpdateManyArguments(FilteredWrite):
    update: Update = Field(
        description='Update operators, {"$set": {"status": "closed"}}, or an array of update pipeline stages.'
    )
    upsert: bool = Field(False, description="Insert a document when none matches.")
    array_filters: JsonArray | None = Field(None, description="Conditions for $[name] in the update.")


async def preview(arguments: UpdateManyArguments, call: Call) -> Reply:
    update_of(arguments.update, call)
    array_filters_of(arguments.array_filters, call)
    return await preview_of(arguments, call, "changed")


async def touches_all(arguments: UpdateManyArguments, call: Call) -> bool:
    update_of(arguments.update, call)
    array_filters_of(arguments.array_filters, call)
    return await touches_every(call.named(arguments), [arguments.condition(call)], call)


@tool(
    "update-many",
    title="Update documents",
    operation=Operation.UPDATE,
    arguments=UpdateManyArguments,
    output=output(matched={"type": "integer"}, modified={"type": "integer"}, upserted_id={}),
    preview=preview,
    destroys=touches_all,
)
async def update_many(arguments: UpdateManyArguments, call: Call) -> Reply:
    """Changes all documents of one collection that match a filter. Try it with dry_run first. Whole documents cannot be
    replaced: use operators such as $set, $unset, $inc, $push. Changing every document, however the filter
    says it, must be confirmed."""
    collection = call.named(arguments)
    condition = arguments.condition(call)
    update = update_of(arguments.update, call)
    array_filters = array_filters_of(arguments.array_filters, call)
    # Never repeated: a throttled update may have changed some documents, and operators such as $inc would do it twice.
    result = await call.once(
        lambda: collection.update_many(condition, update, upsert=arguments.upsert, array_filters=array_filters)
    )
    facts = {
        "matched": result.matched_count,
        "modified": result.modified_count,
        "upserted_id": ejson.encode(result.upserted_id),
    }
    summary = f"{result.modified_count} of {result.matched_count} matching documents changed"
    created = ", one inserted" if result.upserted_id is not None else ""
    nothing = not result.matched_count and result.upserted_id is None
    why = await call.why_nothing(arguments, condition) if nothing else ""
    return Reply(f"{summary}{created} in {arguments.database}.{arguments.collection}.{why}", facts)
