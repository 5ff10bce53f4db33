from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from mongo_db_server import ejson
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, InCollection, JsonArray, JsonObject, output, tool

# They say where the database is, or repeat the question.
_LEFT_OUT = frozenset(
    {"serverInfo", "serverParameters", "command", "$clusterTime", "operationTime", "ok", "host", "port"}
    | {"connectionString", "$configServerState", "$gleStats", "lastCommittedOpTime"}
)


class ExplainArguments(InCollection):
    method: Literal["find", "count", "aggregate"] = Field("find", description="What the plan is for.")
    filter: JsonObject = Field(default_factory=dict, description="Conditions, for find and count.")
    projection: JsonObject | None = Field(None, description="Fields to return, for find.")
    sort: JsonObject | None = Field(None, description="Order, for find.")
    limit: int | None = Field(None, ge=1, description="Documents to return, for find.")
    pipeline: JsonArray | None = Field(None, description="Stages, for aggregate.")
    verbosity: Literal["queryPlanner", "executionStats", "allPlansExecution"] = Field(
        "queryPlanner", description="`queryPlanner` only plans; the others run the query and count what it reads."
    )


@tool(
    "explain",
    title="Explain a query",
    operation=Operation.METADATA,
    arguments=ExplainArguments,
    output=output(plans={"type": "array", "items": {"type": "object"}}),
)
async def explain(arguments: ExplainArguments, call: Call) -> Reply:
    """Shows how the database would run a find, count or aggregate: which index it uses, how many documents it reads
    (with verbosity executionStats). Use it when a query is slow, before proposing an index."""
    call.rules.scope.require_collection(arguments.database, arguments.collection)
    command = await _command(arguments, call)
    collection = await call.reading(arguments)

    async def attempt() -> dict[str, Any]:
        return await collection.database.command({"explain": command, "verbosity": arguments.verbosity})

    plan = ejson.encode(_without_places(await call.retry_throttled(attempt)))
    summary = f"Plan of {arguments.method} on {arguments.database}.{arguments.collection} ({arguments.verbosity})."
    return Reply(summary, {}, Untrusted.of("plans", [plan]))


async def _command(arguments: ExplainArguments, call: Call) -> dict[str, Any]:
    if arguments.method == "aggregate":
        return await _aggregate(arguments.pipeline or [], arguments, call)
    if arguments.pipeline is not None:
        raise InvalidCallError("`pipeline` belongs to the method aggregate.")
    condition = call.filter(arguments.filter)
    projection, sort = call.fields(arguments.projection, "projection"), call.fields(arguments.sort, "sort")
    if call.rules.fields.active:
        # What is explained is what find and count would run here.
        stages: list[dict[str, Any]] = [*call.rules.fields.mask, {"$match": condition}]
        stages += [{"$sort": sort}] if sort else []
        return {"aggregate": arguments.collection, "pipeline": stages, "cursor": {}}
    if arguments.method == "count":
        return {"count": arguments.collection, "query": condition}
    command: dict[str, Any] = {"find": arguments.collection, "filter": condition}
    for name, value in (("projection", projection), ("sort", sort), ("limit", arguments.limit)):
        if value is not None:
            command[name] = value
    return command


async def _aggregate(pipeline: list[dict[str, Any]], arguments: ExplainArguments, call: Call) -> dict[str, Any]:
    prepared = call.prepare(pipeline, arguments.database, arguments.collection)
    if prepared.writes:
        raise RefusedError("A pipeline that writes (`$out`, `$merge`) is not explained: leave its last stage out.")
    await call.check_views(*prepared.sources)
    return {"aggregate": arguments.collection, "pipeline": prepared.stages, "cursor": {}}


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_places(inner) for name, inner in value.items() if name not in _LEFT_OUT}
    return [_without_places(inner) for inner in value] if isinstance(value, list) else value
