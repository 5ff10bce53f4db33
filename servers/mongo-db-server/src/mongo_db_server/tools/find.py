from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.limits import Page
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InCollection, JsonObject, tool
from mongo_db_server.tools._pages import PAGE, Paged, page_reply


class FindArguments(Paged, InCollection):
    filter: JsonObject = Field(
        default_factory=dict,
        description='Conditions as Extended JSON, for example {"status": "open", "_id": {"$oid": "…"}}. '
        "All documents match when omitted.",
    )
    projection: JsonObject | None = Field(
        None, description='Fields to return, {"name": 1, "_id": 0}. Ask only for what you need.'
    )
    sort: JsonObject | None = Field(None, description='Order, {"created": -1}. The order of the keys counts.')
    skip: int = Field(0, ge=0, description="Documents to leave out from the start.")


@tool(
    "find",
    title="Find documents",
    operation=Operation.READ,
    arguments=FindArguments,
    output=PAGE,
)
async def find(arguments: FindArguments, call: Call) -> Reply:
    """Returns documents of one collection that match a filter, with projection, sort and limit, page by page. Use
    aggregate to group, join or compute, and count when only the number matters. Values are Extended JSON: dates are
    {"$date": "2026-01-31T00:00:00Z"}, object ids {"$oid": "…"}. Text ({"$text": {"$search": "…"}}) and geo conditions
    work where the collection has such an index."""
    query = _Query(arguments, call)
    collection = await call.reading(arguments)
    offset = call.offset(arguments)
    granted = call.limits.documents.grant(arguments.limit)

    async def attempt(collection: Any) -> Page:
        skip, batch = arguments.skip + offset, call.batch(arguments.limit)
        if call.rules.fields.active:
            pipeline = query.pipeline(call, skip=skip, limit=granted + 1)
            return await call.page(await collection.aggregate(pipeline, batchSize=batch), arguments, offset)
        found = collection.find(**query.parts(), skip=skip, limit=granted + 1, batch_size=batch)
        return await call.page(found, arguments, offset)

    page = await call.read(collection, attempt)
    summary = f"{len(page.documents)} documents from {arguments.database}.{arguments.collection}."
    if not page.end:
        summary += await call.why_nothing(arguments, query.filter)
    return page_reply(page, summary, arguments, call)


class _Query:
    """Everything that is checked before the database hears of the call."""

    def __init__(self, arguments: FindArguments, call: Call) -> None:
        call.rules.scope.require_collection(arguments.database, arguments.collection)
        self.filter = call.filter(arguments.filter)
        self.projection = call.fields(arguments.projection, "projection")
        self.sort = call.fields(arguments.sort, "sort")

    def parts(self) -> dict[str, Any]:
        """What was given, as keyword arguments of the driver's `find`."""
        given = {"filter": self.filter, "projection": self.projection, "sort": self.sort}
        return {name: value for name, value in given.items() if value is not None}

    def pipeline(self, call: Call, *, skip: int, limit: int) -> list[dict[str, Any]]:
        """The same query where redacted fields must leave the documents before anything looks at them."""
        stages: list[dict[str, Any]] = [*call.rules.fields.mask, {"$match": self.filter}]
        if self.sort:
            stages.append({"$sort": self.sort})
        stages += [{"$skip": skip}, {"$limit": limit}]
        return [*stages, {"$project": self.projection}] if self.projection else stages
