from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.ejson import Form
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.exports import MIME_TYPE, address_of
from mongo_db_server.limits import Page, collect
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.stages import Prepared
from mongo_db_server.toolkit import Call, Declaration, InCollection, JsonArray, JsonObject, output, tool

_PROGRESS_EVERY = 500


class ExportArguments(InCollection):
    filter: JsonObject = Field(default_factory=dict, description="Conditions as Extended JSON. All when omitted.")
    projection: JsonObject | None = Field(None, description="Fields to export. All when omitted.")
    sort: JsonObject | None = Field(None, description="Order of the documents.")
    pipeline: JsonArray | None = Field(
        None, description="An aggregation pipeline instead of filter, projection and sort."
    )
    limit: int | None = Field(None, ge=1, description="Documents to export; the server's ceiling when omitted.")
    ejson: Form = Field("canonical", description="`canonical` keeps every BSON type; `relaxed` reads better.")


OUTPUT = output(
    uri={"type": "string", "description": "Read this resource for the documents."},
    mime_type={"type": "string"},
    documents={"type": "integer", "description": "Documents in the export."},
)


def _prepare(arguments: ExportArguments, call: Call) -> Prepared:
    """The query as a pipeline. Raises before the database hears of it."""
    call.rules.scope.require_collection(arguments.database, arguments.collection)
    if arguments.pipeline is not None:
        if arguments.filter or arguments.projection or arguments.sort:
            raise InvalidCallError("Give either `pipeline` or `filter`, `projection` and `sort`.")
        prepared = call.prepare(arguments.pipeline, arguments.database, arguments.collection)
        if prepared.writes:
            raise RefusedError("An export reads only: leave `$out` and `$merge` out.")
        return prepared
    stages: list[dict[str, Any]] = [{"$match": call.filter(arguments.filter)}]
    for name, value in (("$sort", arguments.sort), ("$project", arguments.projection)):
        if (fields := call.fields(value, name)) is not None:
            stages.append({name: fields})
    here = frozenset({(arguments.database, arguments.collection)})
    return Prepared([*call.rules.fields.mask, *stages], here)


@tool(
    "export",
    title="Export documents",
    operation=Operation.READ,
    arguments=ExportArguments,
    output=OUTPUT,
)
async def export(arguments: ExportArguments, call: Call) -> Reply:
    """Makes a resource of the documents of a query or pipeline, one Extended JSON document per line, for a user who
    wants them as a file. Returns its address, not the documents: to read documents yourself use find or aggregate. The
    resource holds what the query finds when it is read."""
    prepared = _prepare(arguments, call)
    collection = await call.reading(arguments)
    await call.check_views(*prepared.sources)
    most = min(arguments.limit or call.limits.documents.ceiling, call.limits.documents.ceiling)
    uri = address_of(arguments.model_dump(exclude={"max_time_ms"}, exclude_defaults=True))

    async def attempt() -> int:
        stages = [*prepared.stages, {"$limit": most + 1}, {"$count": "n"}]
        async with await collection.aggregate(stages) as cursor:
            return sum([int(row["n"]) async for row in cursor])

    number = await call.retry_throttled(attempt)
    cut = None
    if number > most:
        cut = f"The export ends after {most} documents; there are more. Narrow the query to export the rest."
    facts = {"uri": uri, "mime_type": MIME_TYPE, "documents": min(number, most)}
    why = "" if number else await call.why_nothing(arguments, prepared.stages)
    return Reply(f"Read the resource {uri} for {min(number, most)} documents.{why}", facts, cut=cut)


async def _contents(arguments: ExportArguments, call: Call) -> Reply:
    """Runs the query of an export, up to the ceilings."""
    prepared = _prepare(arguments, call)
    collection = await call.reading(arguments)
    await call.check_views(*prepared.sources)

    async def attempt(collection: Any) -> Page:
        most = min(arguments.limit or call.limits.documents.ceiling, call.limits.documents.ceiling)
        cursor = await collection.aggregate([*prepared.stages, {"$limit": most + 1}], batchSize=_PROGRESS_EVERY)
        async with cursor:
            return await collect(
                cursor,
                documents=call.limits.documents,
                asked=most,
                max_bytes=call.limits.bytes.ceiling,
                form=arguments.ejson,
            )

    page = await call.read(collection, attempt)
    return Reply("", {}, Untrusted.page("documents", page), page.cut, complete=page.complete)


# Not among the tools: what reading the resource runs, with everything that surrounds a call.
contents = Declaration(
    "export-contents", "Read an export", "Reads an export.", Operation.READ, ExportArguments, OUTPUT, _contents
)
