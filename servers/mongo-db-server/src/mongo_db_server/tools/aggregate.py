from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.errors import RefusedError
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


async def writes(arguments: AggregateArguments, _: Call) -> bool:
    return any(name in WRITING_STAGES for stage in arguments.pipeline for name in stage)


async def preview(arguments: AggregateArguments, call: Call) -> Reply:
    """How many documents would be written, where to, and what would be lost there."""
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
    database, target = prepared.target or (arguments.database, arguments.collection)
    name = f"{database}.{target}"
    if "$merge" in prepared.stages[-1]:
        return Reply(f"`$merge` would merge {number} documents into {name}.", {"would_affect": number})
    lost = await _held(database, target, call)
    summary = (
        f"`$out` would write {number} documents and replace {name}: the {lost} documents that it holds are dropped."
    )
    if (database, target) == (arguments.database, arguments.collection):
        summary += " It is the collection that the pipeline reads: what the pipeline leaves out is lost."
    return Reply(summary, {"would_affect": number, "would_drop": lost})


async def _held(database: str, collection: str, call: Call) -> int:
    """How many documents `$out` would drop. Raises RefusedError where they may hold redacted fields, which would be
    gone without anybody having seen them."""
    held = call.runtime.collection(database, collection)
    number = int(await call.retry_throttled(held.estimated_document_count))
    if number and call.rules.fields.active:
        raise RefusedError(
            f"`$out` would drop redacted fields of {database}.{collection} unseen; with redacted fields write to a new "
            "collection, or merge (`$merge`)."
        )
    return number


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
        if prepared.target is not None and "$out" in prepared.stages[-1]:
            await _held(*prepared.target, call)
        call.audit["operation"] = Operation.UPDATE.value
        for database, _ in prepared.sources:
            call.runtime.views.forget(database)
        page = await call.once(lambda: attempt(collection))
        return page_reply(page, f"The pipeline on {name} has written its result.", arguments, call)
    page = await call.read(collection, attempt)
    summary = f"{len(page.documents)} documents from the pipeline on {name}."
    if not page.end:
        summary += await call.why_nothing(arguments, prepared.stages)
    return page_reply(page, summary, arguments, call)
