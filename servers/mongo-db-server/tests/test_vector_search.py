from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastmcp import Client
from mongo_db_server.errors import InvalidCallError
from mongo_db_server.fields import FieldRules
from mongo_db_server.rules import Rules
from mongo_db_server.tools.vector_search import VectorSearchArguments, pipeline_of

SHOP = {"database": "shop", "collection": "items"}
WHOLE = {"_id": 0, "document": "$$ROOT"}


def stages(**given: Any) -> list[dict[str, Any]]:
    arguments = VectorSearchArguments.model_validate({**SHOP, "vector": [0.5, 1], "path": "embedding", **given})
    return pipeline_of(arguments, 3)


def test_azure_documentdb_is_asked_by_cosmos_search() -> None:
    """As its documentation writes it; the stored vector itself is not shown."""
    assert stages(filter={"kind": "a"}) == [
        {
            "$search": {
                "cosmosSearch": {"vector": [0.5, 1.0], "path": "embedding", "k": 3, "filter": {"kind": "a"}},
                "returnStoredSource": True,
            }
        },
        {"$project": {**WHOLE, "score": {"$meta": "searchScore"}}},
        {"$project": {"document.embedding": 0}},
    ]


def test_mongodb_is_asked_by_the_name_of_its_index() -> None:
    """As the manual writes it, with the candidates that it advises."""
    first, second, third = stages(index="nearest", projection={"name": 1})
    search = {"index": "nearest", "path": "embedding", "queryVector": [0.5, 1.0], "limit": 3, "numCandidates": 60}
    assert first == {"$vectorSearch": search}
    assert second == {"$project": {**WHOLE, "score": {"$meta": "vectorSearchScore"}}}
    assert third == {"$project": {"score": 1, "document.name": 1}}


def test_a_projection_may_not_compute() -> None:
    with pytest.raises(InvalidCallError, match="only 1 and 0"):
        stages(projection={"x": "$ssn"})


async def refused(server: Any, tool: str, **arguments: Any) -> str:
    async with Client(server) as client:
        answer = await client.call_tool(tool, {**SHOP, **arguments}, raise_on_error=False)
    assert answer.is_error
    return str(answer.content[0].text)


async def test_it_keeps_the_rules(server_of: Callable[..., Any]) -> None:
    """JavaScript, redacted fields and other databases are refused before the database hears of it."""
    search = {"vector": [1], "path": "v"}
    assert "JavaScript" in await refused(server_of("reader"), "vector-search", **search, filter={"$where": "1"})
    closed = server_of("reader", rules=Rules(fields=FieldRules.of(None, "ssn")))
    assert "before redacted fields can be removed" in await refused(closed, "vector-search", **search)
    assert "system database" in await refused(server_of("reader"), "vector-search", **search, database="admin")
    assert "`vector` is not valid" in await refused(server_of("reader"), "vector-search", vector=[], path="v")


VECTOR = {"kind": "vector-hnsw", "dimensions": 3, "similarity": "COS"}


@pytest.mark.parametrize(
    ("keys", "vector"),
    [
        ({"v": "cosmosSearch"}, None),
        ({"v": 1}, VECTOR),
        ({"v": "cosmosSearch", "w": 1}, VECTOR),
        ({"v": "cosmosSearch"}, {**VECTOR, "kind": "hnsw"}),
        ({"v": "cosmosSearch"}, {**VECTOR, "dimensions": 0}),
        ({"v": "cosmosSearch"}, {**VECTOR, "speed": 1}),
    ],
)
async def test_a_vector_index_needs_its_options(keys: Any, vector: Any, server_of: Callable[..., Any]) -> None:
    """Refused in one sentence that says what they are."""
    assert "`vector`" in await refused(server_of("admin"), "create-index", keys=keys, vector=vector)
