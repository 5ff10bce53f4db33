from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from mongo_db_server import ejson, queries
from mongo_db_server.ejson import Form
from mongo_db_server.limits import Page, collect
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, InCollection, JsonArray, output, tool


class AggregateArguments(InCollection):
    pipeline: JsonArray = Field(
        description="Stages as Extended JSON, for example "
        '[{"$match": {"status": "open"}}, {"$group": {"_id": "$city", "n": {"$sum": 1}}}].'
    )
    limit: int | None = Field(None, ge=1, description="Documents to return. The server's default applies when omitted.")
    max_bytes: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("max_bytes", "responseBytesLimit"),
        description="Largest answer in bytes of Extended JSON.",
    )
    ejson: Form = Field("relaxed", description="`canonical` keeps every BSON type; `relaxed` reads better.")


@tool(
    "aggregate",
    title="Run an aggregation pipeline",
    operation=Operation.READ,
    arguments=AggregateArguments,
    output=output(returned={"type": "integer"}, documents={"type": "array", "items": {"type": "object"}}),
    may_write=True,
)
async def aggregate(arguments: AggregateArguments, call: Call) -> Reply:
    """Runs an aggregation pipeline on one collection: group, join ($lookup), compute, reshape, sample. Put $match
    first and $limit early. For plain filtering use find. Server-side JavaScript is never allowed; stages that write
    ($out, $merge) are allowed only in the admin tier."""
    collection = call.collection(arguments)
    pipeline: list[dict[str, Any]] = ejson.decode(arguments.pipeline, "pipeline")
    queries.check_pipeline(pipeline, call.tier, max_stages=call.limits.pipeline_stages)
    writes = bool(pipeline) and next(iter(pipeline[-1])) in queries.WRITING_STAGES

    async def attempt() -> Page:
        async with await collection.aggregate(pipeline, batchSize=_batch(call, arguments)) as cursor:
            return await collect(
                cursor,
                documents=call.limits.documents,
                asked=arguments.limit,
                max_bytes=call.limits.bytes.grant(arguments.max_bytes),
                form=arguments.ejson,
            )

    page = await (call.once(attempt) if writes else call.patiently(attempt))
    summary = f"{len(page.documents)} documents from the pipeline on {arguments.database}.{arguments.collection}."
    if writes:
        call.audit["operation"] = Operation.UPDATE.value
        summary = f"The pipeline on {arguments.database}.{arguments.collection} has written its result."
    return Reply(summary, {"returned": len(page.documents)}, Untrusted.page("documents", page), page.cut)


def _batch(call: Call, arguments: AggregateArguments) -> int:
    """One more than granted, as in find; the database caps a batch at 16 MiB by itself."""
    return min(call.limits.documents.grant(arguments.limit) + 1, 1000)
