from __future__ import annotations

from pydantic import AliasChoices, Field

from mongo_db_server.call import closing
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InCollection, JsonObject, output, tool


class CountArguments(InCollection):
    filter: JsonObject = Field(
        default_factory=dict,
        validation_alias=AliasChoices("filter", "query"),
        description="Conditions as Extended JSON. All documents are counted when omitted.",
    )


@tool(
    "count",
    title="Count documents",
    operation=Operation.READ,
    arguments=CountArguments,
    output=output(count={"type": "integer"}),
)
async def count(arguments: CountArguments, call: Call) -> Reply:
    """Counts the documents of one collection that match a filter, exactly. Cheaper than find when only the number
    matters."""
    call.rules.scope.require_collection(arguments.database, arguments.collection)
    condition = call.filter(arguments.filter)
    collection = await call.reading(arguments)
    stages = [*call.rules.fields.mask, {"$match": condition}, {"$count": "n"}]

    async def attempt() -> int:
        rows = await collection.aggregate(stages)
        async with closing(rows):
            return sum([int(row["n"]) async for row in rows])

    number = await call.retry_throttled(attempt)
    why = "" if number else await call.why_nothing(arguments, condition)
    return Reply(f"{number} documents match in {arguments.database}.{arguments.collection}.{why}", {"count": number})
