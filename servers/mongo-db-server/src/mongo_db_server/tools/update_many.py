from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mongo_db_server import ejson, queries
from mongo_db_server.errors import InvalidCallError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, JsonArray, output, parse_text, tool
from mongo_db_server.tools._filters import FilteredWrite

Update = Annotated[dict[str, Any] | list[dict[str, Any]], BeforeValidator(parse_text)]


class UpdateManyArguments(FilteredWrite):
    update: Update = Field(
        description='Update operators, {"$set": {"status": "closed"}}, or an array of update pipeline stages.'
    )
    upsert: bool = Field(False, description="Insert a document when none matches.")
    array_filters: JsonArray | None = Field(None, description="Conditions for $[name] in the update.")


@tool(
    "update-many",
    title="Update documents",
    operation=Operation.UPDATE,
    arguments=UpdateManyArguments,
    output=output(matched={"type": "integer"}, modified={"type": "integer"}, upserted_id={}),
)
async def update_many(arguments: UpdateManyArguments, call: Call) -> Reply:
    """Changes all documents of one collection that match a filter. Count with the same filter first. Whole documents
    cannot be replaced: use operators such as $set, $unset, $inc, $push."""
    collection = call.collection(arguments)
    condition = arguments.condition(call)
    update = _update(arguments.update, call)
    array_filters = ejson.decode(arguments.array_filters, "array_filters")
    queries.check_operators(array_filters, call.tier)
    # Never repeated: a throttled update may have changed some documents, and operators such as $inc would do it twice.
    result = await call.once(
        lambda: collection.update_many(condition, update, upsert=arguments.upsert, array_filters=array_filters)
    )
    facts = {
        "matched": result.matched_count,
        "modified": result.modified_count,
        "upserted_id": ejson.encode(result.upserted_id),
    }
    summary = f"{result.modified_count} of {result.matched_count} matching documents changed"
    created = ", one inserted" if result.upserted_id is not None else ""
    return Reply(f"{summary}{created} in {arguments.database}.{arguments.collection}.", facts)


def _update(value: Any, call: Call) -> Any:
    decoded = ejson.decode(value, "update")
    queries.check_operators(decoded, call.tier)
    steps = decoded if isinstance(decoded, list) else [decoded]
    if not steps or not all(isinstance(step, dict) and step and _is_operators(step) for step in steps):
        raise InvalidCallError("`update` must hold update operators such as $set, or a list of update pipeline stages.")
    return decoded


def _is_operators(step: dict[str, Any]) -> bool:
    return all(name.startswith("$") for name in step)
