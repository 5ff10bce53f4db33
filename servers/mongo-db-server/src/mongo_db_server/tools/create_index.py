from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, Confirmable, InCollection, JsonObject, output, tool

_KINDS = frozenset({"text", "2d", "2dsphere", "hashed", "cosmosSearch"})
# "Vector search", Azure DocumentDB.
_VECTOR_KINDS = frozenset({"vector-ivf", "vector-hnsw", "vector-diskann"})
_VECTOR_SIMILARITIES = frozenset({"COS", "L2", "IP"})
_VECTOR_NUMBERS = frozenset({"dimensions", "numLists", "m", "efConstruction", "maxDegree", "lBuild"})


class CreateIndexArguments(Confirmable, InCollection):
    keys: JsonObject = Field(
        min_length=1,
        description='Fields in order: 1, -1, "text", "2dsphere", "2d", "hashed" or "cosmosSearch"; for example '
        '{"status": 1, "at": 1}.',
    )
    name: str | None = Field(None, min_length=1, description="Made from the keys when omitted.")
    unique: bool = Field(False, description="Refuse documents whose keys are there already.")
    sparse: bool = Field(False, description="Leave out documents without the fields.")
    partial_filter: JsonObject | None = Field(None, description="Only documents that meet this condition.")
    vector: JsonObject | None = Field(
        None,
        description='For the key "cosmosSearch" (Azure DocumentDB): {"kind": "vector-hnsw", "dimensions": 1536, '
        '"similarity": "COS"}; kinds are vector-ivf, vector-hnsw, vector-diskann, similarities COS, L2, IP.',
    )
    expire_after_seconds: int | None = Field(
        None, ge=0, description="Delete documents so long after the date in the (single) key. Must be confirmed."
    )


async def preview(arguments: CreateIndexArguments, call: Call) -> Reply:
    _model(arguments, call)
    collection = await call.reading(arguments)
    number = await call.retry_throttled(collection.estimated_document_count)
    summary = f"An index on {', '.join(arguments.keys)} of {arguments.database}.{arguments.collection} would be built."
    if arguments.expire_after_seconds is None:
        return Reply(summary, {"would_affect": 0})
    summary += (
        f" The database would then delete documents {arguments.expire_after_seconds} s after their date, of {number}."
    )
    return Reply(summary, {"would_affect": number})


async def expires(arguments: CreateIndexArguments, _: Call) -> bool:
    return arguments.expire_after_seconds is not None


@tool(
    "create-index",
    title="Create an index",
    operation=Operation.CREATE,
    arguments=CreateIndexArguments,
    output=output(created={"type": "string"}),
    preview=preview,
    destroys=expires,
)
async def create_index(arguments: CreateIndexArguments, call: Call) -> Reply:
    """Creates an index on one collection. Look at collection-indexes and explain first. Building one reads the whole
    collection. An index that expires documents deletes data, so it must be confirmed."""
    keys, options = _model(arguments, call)
    collection = call.named(arguments)
    name: str = await call.once(lambda: collection.create_index(keys, **options))
    return Reply(f"Index {name} on {arguments.database}.{arguments.collection} is there.", {"created": name})


def _model(arguments: CreateIndexArguments, call: Call) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    keys = call.decode(arguments.keys, "keys")
    if not isinstance(keys, dict):  # {"$minKey": 1} is a value
        raise InvalidCallError("`keys` must be an object of field names.")
    for path, kind in keys.items():
        if not (kind in _KINDS if isinstance(kind, str) else kind in (1, -1) and not isinstance(kind, bool)):
            raise InvalidCallError(f"`keys.{path}` must be 1, -1 or one of {', '.join(sorted(_KINDS))}.")
        if call.rules.fields.active:
            # A unique index answers whether two documents have the same value.
            if path.endswith("$**"):
                raise RefusedError("A wildcard index covers redacted fields; it is refused.")
            call.rules.fields.require_whole(path)
    options: dict[str, Any] = {"unique": True} if arguments.unique else {}
    options |= {"sparse": True} if arguments.sparse else {}
    if arguments.name is not None:
        options["name"] = arguments.name
    if arguments.partial_filter is not None:
        options["partialFilterExpression"] = call.filter(arguments.partial_filter, strict=True)
    if arguments.expire_after_seconds is not None:
        options["expireAfterSeconds"] = arguments.expire_after_seconds
    if (vector := _vector_options(keys, arguments.vector)) is not None:
        options["cosmosSearchOptions"] = vector
    return list(keys.items()), options


def _vector_options(keys: dict[str, Any], given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Options of a vector index. Raises InvalidCallError where they and the keys do not belong together."""
    if ("cosmosSearch" in keys.values()) is not (given is not None):
        raise InvalidCallError('`vector` belongs to one key of the kind "cosmosSearch", and such a key needs it.')
    if given is None:
        return None
    numbers = {name: value for name, value in given.items() if name not in ("kind", "similarity")}
    if (
        len(keys) != 1
        or given.get("kind") not in _VECTOR_KINDS
        or given.get("similarity") not in _VECTOR_SIMILARITIES
        or "dimensions" not in given
        or not numbers.keys() <= _VECTOR_NUMBERS
        or any(type(value) is not int or value < 1 for value in numbers.values())
    ):
        raise InvalidCallError(
            f"`vector` needs kind ({', '.join(sorted(_VECTOR_KINDS))}), similarity "
            f"({', '.join(sorted(_VECTOR_SIMILARITIES))}) and dimensions for a single key, and may have the numbers "
            f"{', '.join(sorted(_VECTOR_NUMBERS - {'dimensions'}))}."
        )
    return given
