from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.limits import Page
from mongo_db_server.operation import Operation
from mongo_db_server.queries import WRITING_STAGES
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, Confirmable, InCollection, JsonArray, tool
from mongo_db_server.tools._pages import PAGE, Paged, page_reply


class AggregateArguments(Confirmable, Paged, InCollection):
    pipeline: JsonArray = Field(
        description="Stages as Extended JSON, for example "
        '[{"$match": {"status": "open"}}, {"$group": {"_id": "$city", "n": {"$sum": 1}}}].'
    )


def writes(arguments: AggregateArguments) -> bool:
    return any(name in WRITING_STAGES for stage in arguments.pipeline for name in stage)


async def preview(arguments: AggregateArguments, call: Call) -> Reply:
    """How many documents would be written, and where to."""
    prepared = call.prepare(arguments.pipeline, arguments.database, arguments.collection)
    collection = await call.reading(arguments)
    await call.check_views(*prepared.sources)
    stages = prepared.stages[:-1] if prepared.writes else prepared.stages

    async def attempt() -> int:
        async with await collection.aggregate([*stages, {"$count": "n"}]) as cursor:
            return sum([int(row["n"]) async for row in cursor])

    number = await call.retry_throttled(attempt)
    if not prepared.writes:
        return Reply(f"The pipeline reads only; it would return {number} documents.", {"would_affect": 0})
    stage = next(iter(prepared.stages[-1]))
    effect = "replace the collection it names" if stage == "$out" else "merge them into the collection it names"
    return Reply(f"`{stage}` would write {number} documents and {effect}.", {"would_affect": number})


@tool(
    "aggregate",
    title="Run an aggregation pipeline",
    operation=Operation.READ,
    arguments=AggregateArguments,
    output=PAGE,
    may_write=True,
    preview=preview,
    destroys=writes,
)
async def aggregate(arguments: AggregateArguments, call: Call) -> Reply:
    """Runs an aggregation pipeline on one collection: group, join ($lookup), compute, reshape, sample. Put $match
    first and $limit early. For plain filtering use find. Server-side JavaScript is never allowed; stages that write
    ($out, $merge) are allowed only in the admin tier, and must be confirmed."""
    call.rules.scope.require_collection(arguments.database, arguments.collection)
    prepared = call.prepare(arguments.pipeline, arguments.database, arguments.collection)
    collection = await call.reading(arguments)
    await call.check_views(*prepared.sources)
    offset = call.offset(arguments)
    stages = [*prepared.stages, {"$skip": offset}] if offset else prepared.stages

    async def attempt(collection: Any) -> Page:
        cursor = await collection.aggregate(stages, batchSize=call.batch(arguments.limit))
        return await call.page(cursor, arguments, offset)

    name = f"{arguments.database}.{arguments.collection}"
    if prepared.writes:
        call.audit["operation"] = Operation.UPDATE.value
        for database, _ in prepared.sources:
            call.runtime.views.forget(database)
        page = await call.once(lambda: attempt(collection))
        return page_reply(page, f"The pipeline on {name} has written its result.", arguments, call)
    page = await call.read(collection, attempt)
    return page_reply(page, f"{len(page.documents)} documents from the pipeline on {name}.", arguments, call)
