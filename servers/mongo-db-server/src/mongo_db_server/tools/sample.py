from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.limits import Limit, collect
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, InCollection, JsonObject, output, tool
from mongo_db_server.tools._pages import DOCUMENTS, Answered

_DEFAULT = 5


class SampleArguments(Answered, InCollection):
    filter: JsonObject = Field(
        default_factory=dict, description="Conditions as Extended JSON. Chosen from all documents when omitted."
    )
    limit: int | None = Field(None, ge=1, description=f"Documents to choose; {_DEFAULT} when omitted.")


@tool(
    "sample",
    title="Show random documents",
    operation=Operation.READ,
    arguments=SampleArguments,
    output=output(returned={"type": "integer"}, documents=DOCUMENTS),
)
async def sample(arguments: SampleArguments, call: Call) -> Reply:
    """Returns a few documents of one collection, chosen at random, to see what they look like. For the structure alone
    use collection-schema; for particular documents use find."""
    call.rules.scope.require_collection(arguments.database, arguments.collection)
    condition = call.filter(arguments.filter)
    collection = await call.reading(arguments)
    size = min(arguments.limit or _DEFAULT, call.limits.sample)
    mask = call.rules.fields.mask
    drawn = [{"$sample": {"size": size}}]
    # $sample first reads no more than it returns; behind a filter it must read all that match.
    stages = [*mask, {"$match": condition}, *drawn] if condition else [*drawn, *mask]

    async def attempt(collection: Any) -> Reply:
        async with await collection.aggregate(stages, batchSize=min(size, 1000)) as cursor:
            page = await collect(
                cursor,
                documents=Limit(size, call.limits.sample, "MCP_SAMPLE_CEILING"),
                asked=size,
                max_bytes=call.limits.bytes.grant(arguments.max_bytes),
                form=arguments.ejson,
            )
        cut = page.cut
        if arguments.limit is not None and arguments.limit > size:
            cut = f"A sample has at most {size} documents (`MCP_SAMPLE_CEILING`)."
        summary = f"{len(page.documents)} random documents from {arguments.database}.{arguments.collection}."
        if not page.documents:
            summary += await call.why_nothing(arguments, condition)
        return Reply(summary, {"returned": len(page.documents)}, Untrusted.page("documents", page), cut)

    return await call.read(collection, attempt)
