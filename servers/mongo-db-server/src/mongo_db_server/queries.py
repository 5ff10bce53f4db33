"""What no query, update or pipeline of this server may contain, wherever it hides.

The walk goes through every nested object and array, so `$lookup`, `$facet` and `$unionWith` pipelines and operators
deep in an expression are seen. A refused operator name is refused even where it would be plain data (inside `$literal`,
for example): telling the two apart is the database's job, and a wrong guess here would be a write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bson.dbref import DBRef

from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.namespaces import require_collection, require_database

if TYPE_CHECKING:
    from mongo_db_server.settings import Tier

# They run JavaScript in the database process (MongoDB manual, "Server-side JavaScript").
JAVASCRIPT = frozenset({"$where", "$function", "$accumulator"})
WRITING_STAGES = frozenset({"$out", "$merge"})
# They show other callers' sessions, commands and configuration, whatever database they are sent to.
_ADMINISTRATIVE_STAGES = frozenset(
    {"$currentOp", "$listSessions", "$listLocalSessions", "$shardedDataDistribution", "$planCacheStats", "$queryStats"}
)


def check_filter(document: Any, tier: Tier) -> None:
    """Raises RefusedError for JavaScript and writing operators, InvalidCallError when it is not an object."""
    if not isinstance(document, Mapping):
        raise InvalidCallError("`filter` must be an object of field conditions.")
    check_operators(document, tier)


def check_pipeline(pipeline: Any, tier: Tier, *, max_stages: int) -> None:
    """Raises RefusedError or InvalidCallError. No stage, nested or not, may name a system namespace."""
    stages = _stages(pipeline)
    check_operators(stages, tier)
    if len(stages) + sum(_nested_stages(name, value) for name, value in _entries(stages)) > max_stages:
        raise RefusedError(
            f"The pipeline has more than {max_stages} stages, nested ones included; this server's limit is "
            "`MCP_PIPELINE_STAGES_CEILING`."
        )
    for name, value in _entries(stages):
        _check_target(name, value)


def check_operators(value: Any, tier: Tier) -> None:
    for name, _ in _entries(value):
        if name in JAVASCRIPT:
            raise RefusedError(
                f"`{name}` runs JavaScript in the database; this server never allows it. "
                "Use aggregation operators instead."
            )
        if tier == "reader" and name in WRITING_STAGES:
            raise RefusedError(f"`{name}` writes; this server is read-only (`MCP_TIER=reader`).")
        if name in _ADMINISTRATIVE_STAGES:
            raise RefusedError(f"`{name}` shows other callers' work; this server does not offer it.")


def _stages(pipeline: Any) -> list[Any]:
    if not isinstance(pipeline, list):
        raise InvalidCallError("`pipeline` must be an array of stages.")
    for position, stage in enumerate(pipeline):
        if not isinstance(stage, Mapping) or len(stage) != 1 or not next(iter(stage)).startswith("$"):
            raise InvalidCallError(f"Stage {position} of `pipeline` must be an object with exactly one operator.")
    return pipeline


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every (name, value) of every object inside `value`, at any depth; no recursion, so depth cannot exhaust it."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, DBRef):
            item = item.as_doc()  # its extra fields are sent as they are, and could be operators
        if isinstance(item, Mapping):
            for name, inner in item.items():
                yield name, inner
                pending.append(inner)
        elif isinstance(item, list | tuple):
            pending.extend(item)


def _nested_stages(name: str, value: Any) -> int:
    """Stages in the pipelines that one entry holds itself; deeper ones are entries of their own."""
    if name == "pipeline" and isinstance(value, list):
        return len(value)
    if name == "$facet" and isinstance(value, Mapping):
        return sum(len(inner) for inner in value.values() if isinstance(inner, list))
    return 0


def _check_target(name: str, value: Any) -> None:
    """Stages that name another namespace may not name a system one."""
    if name == "$out":
        _check_namespace(value)
    elif name == "$merge" and isinstance(value, Mapping):
        _check_namespace(value.get("into"))
    elif name == "$merge":
        _check_namespace(value)
    elif name in ("$lookup", "$graphLookup") and isinstance(value, Mapping):
        _check_namespace(value.get("from"))
    elif name == "$unionWith":
        _check_namespace(value.get("coll") if isinstance(value, Mapping) else value)
        if isinstance(value, Mapping) and "db" in value:
            _check_namespace({"db": value["db"]})


def _check_namespace(target: Any) -> None:
    if isinstance(target, str):
        require_collection(target)
    elif isinstance(target, Mapping):
        if isinstance(database := target.get("db"), str):
            require_database(database)
        if isinstance(collection := target.get("coll"), str):
            require_collection(collection)
