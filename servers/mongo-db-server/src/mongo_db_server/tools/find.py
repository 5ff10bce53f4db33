from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from mongo_db_server import ejson, queries
from mongo_db_server.ejson import Form
from mongo_db_server.errors import InvalidCallError
from mongo_db_server.limits import Page, collect
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, InCollection, JsonObject, output, tool


class FindArguments(InCollection):
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
    limit: int | None = Field(None, ge=1, description="Documents to return. The server's default applies when omitted.")
    max_bytes: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("max_bytes", "responseBytesLimit"),
        description="Largest answer in bytes of Extended JSON.",
    )
    ejson: Form = Field("relaxed", description="`canonical` keeps every BSON type; `relaxed` reads better.")


@tool(
    "find",
    title="Find documents",
    operation=Operation.READ,
    arguments=FindArguments,
    output=output(returned={"type": "integer"}, documents={"type": "array", "items": {"type": "object"}}),
)
async def find(arguments: FindArguments, call: Call) -> Reply:
    """Returns documents of one collection that match a filter, with projection, sort and limit. Use aggregate to
    group, join or compute, and count when only the number matters. Values are Extended JSON: dates are
    {"$date": "2026-01-31T00:00:00Z"}, object ids {"$oid": "…"}."""
    collection = call.collection(arguments)
    condition = call.filter(arguments.filter)
    projection = _fields(arguments.projection, "projection", call)
    sort = _fields(arguments.sort, "sort", call)
    granted = call.limits.documents.grant(arguments.limit)

    async def attempt() -> Page:
        # One document more than granted tells "that was all" from "there are more"; it also ends the cursor at the
        # database in the common case, so nothing is left open there.
        async with collection.find(
            condition, projection, sort=sort, skip=arguments.skip, limit=granted + 1, batch_size=min(granted + 1, 1000)
        ) as cursor:
            return await collect(
                cursor,
                documents=call.limits.documents,
                asked=arguments.limit,
                max_bytes=call.limits.bytes.grant(arguments.max_bytes),
                form=arguments.ejson,
            )

    page = await call.patiently(attempt)
    summary = f"{len(page.documents)} documents from {arguments.database}.{arguments.collection}."
    facts = {"returned": len(page.documents)}
    return Reply(summary, facts, Untrusted.page("documents", page), page.cut)


def _fields(value: dict[str, Any] | None, name: str, call: Call) -> dict[str, Any] | None:
    """A projection or sort in BSON values; an empty one means none."""
    decoded = ejson.decode(value, name)
    if not isinstance(decoded, dict | None):
        raise InvalidCallError(f"`{name}` must be an object of field names.")
    queries.check_operators(decoded, call.tier)
    return decoded or None
