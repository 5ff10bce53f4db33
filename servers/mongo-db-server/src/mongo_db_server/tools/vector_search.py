from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pymongo.errors import OperationFailure

from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.limits import Limit, Page, collect
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, InCollection, JsonObject, output, parse_text, tool
from mongo_db_server.tools._pages import DOCUMENTS, Answered

_DEFAULT = 10
_MOST_NUMBERS = 16_000  # more than any index takes ("Vector search limits", Azure DocumentDB)
_CANDIDATES_PER_RESULT = 20  # what "$vectorSearch stage" of MongoDB's manual advises at least
# Unrecognized stage, CommandNotSupported, NotImplemented, and search that is not switched on (MongoDB's error codes).
_NO_VECTOR_SEARCH = frozenset({40324, 115, 238, 31082})

Vector = Annotated[list[float], BeforeValidator(parse_text)]


class VectorSearchArguments(Answered, InCollection):
    vector: Vector = Field(
        min_length=1,
        max_length=_MOST_NUMBERS,
        description="The embedding to compare with, by the same model as the stored ones. No text is embedded here.",
    )
    path: str = Field(min_length=1, description="Dotted path of the field that holds the stored vectors.")
    limit: int | None = Field(None, ge=1, description=f"Nearest documents to return; {_DEFAULT} when omitted.")
    filter: JsonObject = Field(default_factory=dict, description="Conditions on fields that the index knows.")
    projection: JsonObject | None = Field(
        None, description='Fields of the documents, {"name": 1}; all but the vector when omitted. Only 1 and 0.'
    )
    index: str | None = Field(
        None,
        min_length=1,
        description="MongoDB Atlas and MongoDB: name of the vector search index. Omit it on Azure DocumentDB.",
    )


@tool(
    "vector-search",
    title="Search by vector",
    operation=Operation.READ,
    arguments=VectorSearchArguments,
    output=output(returned={"type": "integer"}, documents=DOCUMENTS),
)
async def vector_search(arguments: VectorSearchArguments, call: Call) -> Reply:
    """Returns the documents of one collection whose stored vectors are nearest to the vector that you bring, each as
    {"score": …, "document": …}, nearest first. Needs a vector index (create-index with "cosmosSearch" on Azure
    DocumentDB). This server makes no embeddings: bring the vector."""
    call.rules.scope.require_collection(arguments.database, arguments.collection)
    asked = arguments.limit or _DEFAULT
    size = min(asked, call.limits.documents.ceiling)
    prepared = call.prepare(pipeline_of(arguments, size), arguments.database, arguments.collection)
    collection = await call.reading(arguments)

    async def attempt(collection: Any) -> Page:
        async with await collection.aggregate(prepared.stages, batchSize=min(size, 1000)) as cursor:
            return await collect(
                cursor,
                documents=Limit(size, call.limits.documents.ceiling, call.limits.documents.setting),
                asked=size,
                max_bytes=call.limits.bytes.grant(arguments.max_bytes),
                form=arguments.ejson,
            )

    try:
        page = await call.read(collection, attempt)
    except OperationFailure as error:
        if error.code in _NO_VECTOR_SEARCH:
            raise RefusedError(
                "This database offers no vector search: Azure DocumentDB does, with an index of the kind cosmosSearch, "
                "and MongoDB with a vector search index (name it in `index`)."
            ) from None
        raise
    cut = page.cut
    if asked > size:
        cut = f"This server returns at most {size} documents (`{call.limits.documents.setting}`)."
    summary = f"The {len(page.documents)} nearest documents of {arguments.database}.{arguments.collection}."
    if not page.documents:
        summary += await call.why_nothing(arguments, arguments.filter)
    return Reply(summary, {"returned": len(page.documents)}, Untrusted.page("documents", page), cut)


def pipeline_of(arguments: VectorSearchArguments, size: int) -> list[dict[str, Any]]:
    """The stages, as "Vector search" of Azure DocumentDB and "$vectorSearch stage" of MongoDB's manual write them.
    Raises InvalidCallError for a projection that computes."""
    if arguments.index is None:
        search: dict[str, Any] = {"vector": arguments.vector, "path": arguments.path, "k": size}
        if arguments.filter:
            search["filter"] = arguments.filter
        first = {"$search": {"cosmosSearch": search, "returnStoredSource": True}}
        score = "searchScore"
    else:
        search = {"index": arguments.index, "path": arguments.path, "queryVector": arguments.vector, "limit": size}
        search["numCandidates"] = min(size * _CANDIDATES_PER_RESULT, 10_000)
        if arguments.filter:
            search["filter"] = arguments.filter
        first = {"$vectorSearch": search}
        score = "vectorSearchScore"
    whole = {"$project": {"_id": 0, "score": {"$meta": score}, "document": "$$ROOT"}}
    return [first, whole, {"$project": _shown(arguments)}]


def _shown(arguments: VectorSearchArguments) -> dict[str, Any]:
    if not arguments.projection:
        return {f"document.{arguments.path}": 0}
    if any(shown not in (0, 1) for shown in arguments.projection.values()):
        raise InvalidCallError("`projection` of vector-search takes only 1 and 0.")
    shown = {f"document.{name}": int(value) for name, value in arguments.projection.items()}
    return {"score": 1, **shown} if any(arguments.projection.values()) else shown
