"""Pipelines, stage by stage: only stages that are known, only sources that are in scope, redacted fields out first.

`prepare` returns the pipeline as it is sent. A stage this module does not know is refused, because nothing can be said
about what it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bson.dbref import DBRef

from mongo_db_server import queries
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.fields import FieldRules
from mongo_db_server.filters import check_fields
from mongo_db_server.geo import check_geo_near
from mongo_db_server.rules import Rules

if TYPE_CHECKING:
    from mongo_db_server.settings import Tier

Stages = list[dict[str, Any]]

_PLAIN = (
    frozenset({"$addFields", "$bucket", "$bucketAuto", "$count", "$densify", "$documents", "$fill", "$group", "$limit"})
    | {"$match", "$project", "$redact", "$replaceRoot", "$replaceWith", "$sample", "$set", "$setWindowFields", "$skip"}
    | {"$sort", "$sortByCount", "$unset", "$unwind", "$geoNear", "$search", "$searchMeta", "$vectorSearch"}
)
_STATISTICS = frozenset({"$collStats", "$indexStats"})
_NESTING = frozenset({"$facet", "$lookup", "$graphLookup", "$unionWith"})
# They must come first and read what they search themselves, so nothing can be removed before them.
_FIRST_ONLY = frozenset({"$geoNear", "$search", "$searchMeta", "$vectorSearch"}) | _STATISTICS
# Stages that keep the names of fields: of a view that has only these, the rules for fields hold.
_NAME_KEEPING = frozenset({"$match", "$sort", "$limit", "$skip", "$unset", "$sample"})


@dataclass(frozen=True)
class Prepared:
    """The stages to send, and every namespace they read or write: (database, collection)."""

    stages: Stages
    sources: frozenset[tuple[str, str]]
    target: tuple[str, str] | None = None  # what `$out` or `$merge` writes to

    @property
    def writes(self) -> bool:
        return bool(self.stages) and next(iter(self.stages[-1])) in queries.WRITING_STAGES


def prepare(
    pipeline: Any, *, database: str, collection: str | None, tier: Tier, rules: Rules, max_stages: int
) -> Prepared:
    """`collection` None is a pipeline on the database, which starts with `$documents`. Raises RefusedError or
    InvalidCallError."""
    stages = _stages(pipeline)
    queries.check_operators(stages, tier, rules)
    walk = _Walk(database, rules, max_stages)
    walked = walk.pipeline(stages, reads=collection is not None)
    if collection is not None:
        walk.source(database, collection)
    return Prepared(walked, frozenset(walk.sources), walk.target)


def check_view(pipeline: Any, *, database: str, rules: Rules) -> frozenset[tuple[str, str]]:
    """The sources of a view that stands in the database. Raises RefusedError for what no caller could have sent: code,
    sources out of scope, or, with redacted fields, stages that could rename one."""
    stages = _stages(pipeline)
    queries.check_operators(stages, "reader", rules)
    if rules.fields.active and any(not _keeps_names(stage) for stage in stages):
        raise RefusedError(
            "The view could show a redacted field under another name; with redacted fields it is closed."
        )
    walk = _Walk(database, rules, max_stages=1_000)
    walk.pipeline(stages, reads=True)
    return frozenset(walk.sources)


def _keeps_names(stage: Mapping[str, Any]) -> bool:
    name, value = next(iter(stage.items()))
    if name == "$project":
        return isinstance(value, Mapping) and all(shown in (0, 1, True, False) for shown in value.values())
    return name in _NAME_KEEPING


def _stages(pipeline: Any) -> Stages:
    if not isinstance(pipeline, list):
        raise InvalidCallError("`pipeline` must be an array of stages.")
    for position, stage in enumerate(pipeline):
        if not isinstance(stage, Mapping) or len(stage) != 1 or not next(iter(stage)).startswith("$"):
            raise InvalidCallError(f"Stage {position} of `pipeline` must be an object with exactly one operator.")
    return pipeline


@dataclass
class _Walk:
    database: str
    rules: Rules
    max_stages: int
    count: int = 0
    sources: set[tuple[str, str]] = field(default_factory=set)
    target: tuple[str, str] | None = None

    def pipeline(self, pipeline: Any, *, reads: bool) -> Stages:
        """`reads`: the pipeline starts from stored documents, so redacted fields leave it first."""
        stages = _stages(pipeline)
        self.count += len(stages)
        if self.count > self.max_stages:
            raise RefusedError(
                f"The pipeline has more than {self.max_stages} stages, nested ones included; this server's limit is "
                "`MCP_PIPELINE_STAGES_CEILING`."
            )
        first = next(iter(stages[0])) if stages else None
        masks = self.rules.fields.active and reads and first != "$documents"
        if masks and first in _FIRST_ONLY:
            raise RefusedError(
                f"`{first}` reads before redacted fields can be removed; with redacted fields it is refused."
            )
        walked = [part for stage in stages for part in self.stage(*next(iter(stage.items())))]
        return [*self.rules.fields.mask, *walked] if masks else walked

    def stage(self, name: str, value: Any) -> Stages:
        if isinstance(value, DBRef):
            raise InvalidCallError(f"`{name}` cannot take a reference.")
        if self.rules.fields.deny:
            self._check_paths(value)
        if name in _PLAIN:
            if name == "$match" and isinstance(value, Mapping):
                # An allow-list does not know the names that earlier stages computed; the mask has done its work.
                check_fields(value, FieldRules(None, self.rules.fields.deny))
            elif name == "$geoNear":
                check_geo_near(value)
            return [{name: value}]
        if name in _STATISTICS:
            return [{name: value}, {"$project": {"host": 0}}]  # callers do not learn where the database is
        if name in queries.WRITING_STAGES:
            self._output(name, value)
            return [{name: value}]
        if name in _NESTING:
            return [{name: getattr(self, f"_{name[1:].lower()}")(value)}]
        raise RefusedError(
            f"`{name}` is not a stage that this server knows, so it cannot say what the stage would read."
        )

    def source(self, database: str, collection: str) -> None:
        self.rules.scope.require_collection(database, collection)
        self.sources.add((database, collection))

    def _check_paths(self, value: Any) -> None:
        """Names a redacted field that is asked for by name. It would be missing anyway; this says why."""
        for text in queries.strings(value):
            if text.startswith("$"):
                path = text.removeprefix("$$ROOT.").removeprefix("$$CURRENT.").removeprefix("$")
                if not path.startswith("$") and self.rules.fields.denies(path):
                    self.rules.fields.require(path)

    def _target(self, value: Any, stage: str) -> tuple[str, str]:
        if isinstance(value, Mapping) and value.keys() <= {"db", "coll", "timeseries"}:
            database, collection = value.get("db", self.database), value.get("coll")
        else:
            database, collection = self.database, value
        if not isinstance(database, str) or not isinstance(collection, str):
            raise InvalidCallError(f"`{stage}` must name a collection by a string.")
        self.source(database, collection)
        return database, collection

    def _output(self, name: str, value: Any) -> None:
        into = value.get("into") if name == "$merge" and isinstance(value, Mapping) else value
        self.target = self._target(into, name)
        if not self.rules.fields.active or not isinstance(value, Mapping):
            return
        on = value.get("on", [])
        for path in [on] if isinstance(on, str) else on:
            self.rules.fields.require_whole(str(path))
        if isinstance(value.get("whenMatched"), list):
            raise RefusedError("A pipeline in `whenMatched` could copy a redacted field; it is refused.")
        if value.get("whenMatched") == "replace":
            raise RefusedError(
                "`$merge` with `whenMatched: replace` would remove redacted fields unseen; with redacted fields merge "
                "(`whenMatched: merge`)."
            )

    def _facet(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise InvalidCallError("`$facet` must hold an object of pipelines.")
        return {name: self.pipeline(inner, reads=False) for name, inner in value.items()}

    def _lookup(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise InvalidCallError("`$lookup` must hold an object.")
        stored = "from" in value
        if stored:
            self._target(value["from"], "$lookup")
        walked = dict(value)
        if "foreignField" in value:
            self.rules.fields.require_whole(str(value["foreignField"]))
        if "pipeline" in value:
            walked["pipeline"] = self.pipeline(value["pipeline"], reads=stored)
        elif stored and self.rules.fields.active:
            walked["pipeline"] = list(self.rules.fields.mask)
        return walked

    def _graphlookup(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise InvalidCallError("`$graphLookup` must hold an object.")
        self._target(value.get("from"), "$graphLookup")
        if self.rules.fields.active:
            raise RefusedError(
                "`$graphLookup` returns whole documents; with redacted fields it is refused: use `$lookup`."
            )
        return value

    def _unionwith(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            self._target(value, "$unionWith")
            return {"coll": value, "pipeline": list(self.rules.fields.mask)} if self.rules.fields.active else value
        stored = "coll" in value
        if stored:
            self._target({name: value[name] for name in ("db", "coll") if name in value}, "$unionWith")
        elif "db" in value:
            self.rules.scope.require_database(str(value["db"]))
        return {**value, "pipeline": self.pipeline(value.get("pipeline", []), reads=stored)}
