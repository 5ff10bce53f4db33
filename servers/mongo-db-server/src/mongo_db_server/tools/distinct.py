from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pydantic import AliasChoices, Field

from mongo_db_server.limits import collect
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InCollection, JsonObject, output, tool
from mongo_db_server.tools._pages import Paged, page_reply


class DistinctArguments(Paged, InCollection):
    field: str = Field(
        min_length=1,
        validation_alias=AliasChoices("field", "key"),
        description="Dotted path of the field, for example address.city.",
    )
    filter: JsonObject = Field(
        default_factory=dict,
        validation_alias=AliasChoices("filter", "query"),
        description="Conditions as Extended JSON that choose the documents. All count when omitted.",
    )


@tool(
    "distinct",
    title="List distinct values",
    operation=Operation.READ,
    arguments=DistinctArguments,
    output=output(
        returned={"type": "integer"},
        distinct={"type": "integer", "description": "All distinct values, also those on other pages."},
        values={"type": "array", "items": {}},
        optional={"cursor": {"type": "string"}},
    ),
)
async def distinct(arguments: DistinctArguments, call: Call) -> Reply:
    """Lists the distinct values of one field in one collection, optionally only of documents that match a filter. Use
    it to learn which values a field takes, such as all statuses. To count documents per value use aggregate with
    $group."""
    call.rules.scope.require_collection(arguments.database, arguments.collection)
    condition = call.filter(arguments.filter, strict=True)
    if call.rules.fields.active:
        call.rules.fields.require_whole(arguments.field)
    collection = await call.reading(arguments)
    offset = call.offset(arguments)
    values: list[Any] = await call.retry_throttled(lambda: collection.distinct(arguments.field, condition))

    async def rest() -> AsyncIterator[Any]:
        for value in values[offset:]:
            yield value

    page = await collect(
        rest(),
        documents=call.limits.documents,
        asked=arguments.limit,
        max_bytes=call.limits.bytes.grant(arguments.max_bytes),
        form=arguments.ejson,
        offset=offset,
    )
    summary = f"{len(values)} distinct values of {arguments.field} in {arguments.database}.{arguments.collection}."
    if not values:
        summary += await call.why_nothing(arguments, condition)
    reply = page_reply(page, summary, arguments, call, "values")
    reply.facts["distinct"] = len(values)
    return reply
