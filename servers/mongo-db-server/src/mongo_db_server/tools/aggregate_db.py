from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.errors import RefusedError
from mongo_db_server.limits import Page
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InDatabase, JsonArray, tool
from mongo_db_server.tools._pages import PAGE, Paged, page_reply


class AggregateDbArguments(Paged, InDatabase):
    pipeline: JsonArray = Field(
        min_length=1,
        description='Stages as Extended JSON; the first is $documents, as in [{"$documents": [{"sku": "a1"}]}, '
        '{"$lookup": {"from": "items", "localField": "sku", "foreignField": "sku", "as": "found"}}].',
    )


@tool(
    "aggregate-db",
    title="Run a pipeline on a database",
    operation=Operation.READ,
    arguments=AggregateDbArguments,
    output=PAGE,
)
async def aggregate_db(arguments: AggregateDbArguments, call: Call) -> Reply:
    """Runs an aggregation pipeline that starts from documents you give ($documents) instead of a collection: look up a
    list of values ($lookup), or compute without stored data. To start from a collection use aggregate. It never
    writes."""
    database = call.database(arguments.database)
    if next(iter(arguments.pipeline[0]), "") != "$documents":
        raise RefusedError(
            "The first stage of `pipeline` must be `$documents`; to start from a collection use aggregate."
        )
    prepared = call.prepare(arguments.pipeline, arguments.database, None)
    if prepared.writes:
        raise RefusedError("`aggregate-db` does not write: use aggregate on a collection for `$out` and `$merge`.")
    await call.check_views(*prepared.sources)
    offset = call.offset(arguments)
    stages = [*prepared.stages, {"$skip": offset}] if offset else prepared.stages

    async def attempt(database: Any) -> Page:
        cursor = await database.aggregate(stages, batchSize=call.batch(arguments.limit))
        return await call.page(cursor, arguments, offset)

    page = await call.read(database, attempt)
    summary = f"{len(page.documents)} documents from the pipeline on {arguments.database}."
    return page_reply(page, summary, arguments, call)
