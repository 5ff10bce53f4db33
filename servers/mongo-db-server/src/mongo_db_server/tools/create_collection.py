from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server import queries
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, InCollection, JsonArray, JsonObject, output, tool


class CreateCollectionArguments(InCollection):
    validator: JsonObject | None = Field(
        None, description='Condition every document must meet, for example {"$jsonSchema": {"required": ["name"]}}.'
    )
    view_on: str | None = Field(None, description="Makes a view: the collection that it shows.")
    pipeline: JsonArray | None = Field(None, description="Stages of the view.")


@tool(
    "create-collection",
    title="Create a collection",
    operation=Operation.CREATE,
    arguments=CreateCollectionArguments,
    output=output(created={"type": "string"}),
)
async def create_collection(arguments: CreateCollectionArguments, call: Call) -> Reply:
    """Creates a collection, or a view on one. Only needed for a validator, a view or an empty collection: insert-many
    creates its collection by itself."""
    collection = call.named(arguments)
    options = await _options(arguments, call)

    async def attempt() -> None:
        await collection.database.create_collection(arguments.collection, check_exists=False, **options)

    try:
        await call.once(attempt)
    finally:
        call.runtime.views.forget(arguments.database)
    name = f"{arguments.database}.{arguments.collection}"
    return Reply(f"{'View' if arguments.view_on else 'Collection'} {name} created.", {"created": name})


async def _options(arguments: CreateCollectionArguments, call: Call) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if arguments.validator is not None:
        options["validator"] = call.filter(arguments.validator, strict=True)
    if arguments.view_on is None:
        if arguments.pipeline is not None:
            raise InvalidCallError("`pipeline` belongs to a view: name its collection in `view_on`.")
        return options
    if call.rules.fields.active:
        raise RefusedError(
            "A view could show a redacted field under another name; with redacted fields none is created."
        )
    prepared = call.prepare(arguments.pipeline or [], arguments.database, arguments.view_on)
    if prepared.writes:
        raise RefusedError(f"A view cannot write ({', '.join(sorted(queries.WRITING_STAGES))}).")
    await call.check_views(*prepared.sources)
    return {**options, "viewOn": arguments.view_on, "pipeline": prepared.stages}
