"""Compiles a pipeline into one function over documents. Stages register themselves by name in the sibling modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from emulators.mongodb.deadline import Deadline, counted
from emulators.mongodb.errors import CommandError, not_supported, type_mismatch
from emulators.mongodb.expr.core import Scope
from emulators.mongodb.storage.access import access
from emulators.mongodb.storage.store import Store
from emulators.mongodb.values import Document, text_key

Stream = Iterable[Document]
Stage = Callable[[Stream], Stream]
MAX_STAGES = 1000
MAX_NESTING = 20

REFUSED = frozenset(
    {
        "$changeStream",
        "$changeStreamSplitLargeEvent",
        "$currentOp",
        "$densify",
        "$fill",
        "$listLocalSessions",
    }
    | {"$listSampledQueries", "$listSearchIndexes", "$listSessions", "$planCacheStats", "$queryStats"}
    | {"$searchMeta", "$shardedDataDistribution", "$vectorSearch", "$rankFusion"}
)


@dataclass(frozen=True)
class Context:
    """What stages need besides the documents: the data, the namespace, the clock, variables."""

    store: Store
    database: str
    collection: str | None
    deadline: Deadline
    scope: Scope
    depth: int = 0
    in_facet: bool = False
    bypass_validation: bool = False

    def nested(self, collection: str | None, scope: Scope | None = None) -> Context:
        if self.depth >= MAX_NESTING:
            raise CommandError(51047, f"pipelines and views are nested more than {MAX_NESTING} deep")
        searched = self.store.find(self.database, collection) if collection is not None else None
        scope = replace(scope or self.scope, searched=searched)
        return replace(self, collection=collection, scope=scope, depth=self.depth + 1)

    def documents(self, collection: str, query: Document | None = None, hint: Any = None) -> Iterator[Document]:
        """What a collection or a view holds, as far as the filter may need it; nothing when it does not exist."""
        found = self.store.find(self.database, collection)
        if found is None:
            return iter(())
        if not found.is_view:
            return counted(access(found, query or {}, hint).documents())
        if found.text_key != text_key():
            raise CommandError(167, f"Cannot override the default collation of the view {found.namespace}")
        # A view's pipeline sees none of the caller's variables.
        below = self.nested(found.options["viewOn"], Scope({"NOW": self.scope.values.get("NOW")}))
        return iter(run(found.options["pipeline"], below))


StageCompiler = Callable[[Any, Context], Stage]
STAGES: dict[str, StageCompiler] = {}
FIRST_ONLY: set[str] = set()
LAST_ONLY = {"$out", "$merge"}
# Stages that may not run inside $facet (the manual's "$facet: Behavior").
NOT_IN_FACET = {
    "$collStats", "$facet", "$geoNear", "$indexStats", "$out", "$merge", "$planCacheStats", "$documents",
    "$changeStream",
    "$changeStreamSplitLargeEvent", "$currentOp", "$listLocalSessions", "$listSessions", "$search", "$searchMeta",
    "$vectorSearch", "$listCatalog", "$listClusterCatalog", "$querySettings", "$queryStats", "$listSearchIndexes",
    "$listSampledQueries",
}  # fmt: skip


def stage(name: str, *, first_only: bool = False) -> Callable[[StageCompiler], StageCompiler]:
    def register(compiler: StageCompiler) -> StageCompiler:
        STAGES[name] = compiler
        if first_only:
            FIRST_ONLY.add(name)
        return compiler

    return register


def stage_name(spec: Any) -> str:
    if not isinstance(spec, dict):
        raise type_mismatch("Each element of the 'pipeline' array must be an object")
    if len(spec) != 1:
        raise CommandError(40323, "A pipeline stage specification object must contain exactly one field.")
    return str(next(iter(spec)))


def compile_pipeline(pipeline: Any, context: Context) -> Stage:
    """Raises CommandError for a pipeline that MongoDB would refuse, or that has a stage this server lacks."""
    if not isinstance(pipeline, list):
        raise type_mismatch("'pipeline' option must be specified as an array")
    if len(pipeline) > MAX_STAGES:
        raise CommandError(7749501, f"Pipeline length must be no longer than {MAX_STAGES} stages")
    names = [stage_name(spec) for spec in pipeline]
    if context.in_facet:
        for name in names:
            if name in NOT_IN_FACET:
                raise CommandError(40600, f"{name} is not allowed to be used within a $facet stage")
    _check_order(names)
    _check_searches(pipeline)
    compiled = [_compile(name, spec[name], context) for name, spec in zip(names, pipeline, strict=True)]

    def run_all(stream: Stream) -> Stream:
        # Behind every stage, not only at the ends: one of them may make a million documents out of one.
        for step in compiled:
            stream = counted(step(stream))
        return stream

    return run_all


def _check_order(names: list[str]) -> None:
    for position, name in enumerate(names):
        if name in FIRST_ONLY and position:
            raise CommandError(40602, f"{name} is only valid as the first stage in a pipeline.")
        if name in LAST_ONLY and position < len(names) - 1:
            raise CommandError(40601, f"{name} can only be the final stage in the pipeline")


def _check_searches(pipeline: list[Document]) -> None:
    """`$text` belongs into a `$match` that comes first (17313), `$near` into none (5626500)."""
    for position, spec in enumerate(pipeline):
        query = spec.get("$match")
        if query is None:
            continue
        if position and mentions(query, ("$text",)):
            raise CommandError(17313, "$match with $text is only allowed as the first pipeline stage")
        if mentions(query, ("$near", "$nearSphere")):
            raise CommandError(5626500, "$geoNear, $near, and $nearSphere are not allowed in this context")


def mentions(query: Any, operators: tuple[str, ...]) -> bool:
    """Whether a filter has one of the operators anywhere."""
    if isinstance(query, dict):
        return any(name in operators or mentions(value, operators) for name, value in query.items())
    return isinstance(query, list) and any(mentions(item, operators) for item in query)


def _compile(name: str, argument: Any, context: Context) -> Stage:
    if name in STAGES:
        return STAGES[name](argument, context)
    if name in REFUSED:
        raise not_supported(f"the pipeline stage {name}")
    raise CommandError(40324, f"Unrecognized pipeline stage name: '{name}'")


def run(pipeline: Any, context: Context, hint: Any = None) -> Stream:
    """The pipeline's result over the context's collection (or over one empty document, for database pipelines)."""
    compiled = compile_pipeline(pipeline, context)
    first = stage_name(pipeline[0]) if pipeline else ""
    if first in FIRST_ONLY:
        return compiled(())
    if context.collection is None:
        raise CommandError(73, "{aggregate: 1} is not valid without a first stage that makes its own documents")
    return compiled(context.documents(context.collection, leading_filter(pipeline), hint))


def leading_filter(pipeline: list[Any]) -> Document:
    """What a pipeline that begins with `$match` asks of its collection."""
    if pipeline and stage_name(pipeline[0]) == "$match":
        found: Document = pipeline[0]["$match"]
        return found
    return {}
