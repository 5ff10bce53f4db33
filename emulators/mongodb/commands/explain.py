"""`explain`, honest about what happens here: a collection scan, a look-up by `_id`, or an index scan."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from emulators.mongodb.commands import aggregate as aggregation
from emulators.mongodb.commands.query import candidates, context_of, found_by_find
from emulators.mongodb.commands.signin import VERSION
from emulators.mongodb.deadline import run as run_on
from emulators.mongodb.dispatch import COMMANDS, Call, _check_fields, command, named_collection, text_key_of
from emulators.mongodb.errors import bad_value, not_supported, type_mismatch
from emulators.mongodb.memory import STAGE_BYTES
from emulators.mongodb.pipeline.core import run, stage_name
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.storage.access import access
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.values import Document, type_name

_VERBOSITIES = ("queryPlanner", "executionStats", "allPlansExecution")
_FILTERS = {"find": "filter", "count": "query", "distinct": "query", "findAndModify": "query"}


@command("explain", fields="verbosity")
def explain(call: Call) -> Document:
    inner, verbosity = call.body["explain"], call.body.get("verbosity", "allPlansExecution")
    if verbosity not in _VERBOSITIES:
        raise bad_value(f"verbosity must be one of {', '.join(_VERBOSITIES)}")
    name = next(iter(inner), "") if isinstance(inner, dict) else ""
    if name not in (*_FILTERS, "aggregate", "update", "delete"):
        raise bad_value(f"Explain failed due to unknown command: {name!r}")
    inner = {field: value for field, value in inner.items() if field != "explain"}
    _check_fields(COMMANDS[name], inner)
    collection = named_collection(call.store, call.database, inner)
    scope = replace(call.scope, searched=collection)
    call = Call(call.server, call.session, name, call.database, inner, call.deadline, scope).with_let()
    call.deadline.text_key = text_key_of(inner, collection)
    run_on(call.deadline)
    if name == "aggregate":
        return explain_aggregate(call, verbosity)
    query = _query(call)
    plan: Document = {"queryPlanner": planner(call, call.collection_name(), query, inner)}
    if verbosity != "queryPlanner":
        plan["executionStats"] = _stats(call, query)
    return {"explainVersion": "1", **plan, **_tail(call)}


def _tail(call: Call) -> Document:
    server = {"host": "127.0.0.1", "version": ".".join(map(str, VERSION[:3])), "gitVersion": "emulators.mongodb"}
    limits = {
        "internalQueryFacetBufferSizeBytes": STAGE_BYTES,
        "internalQueryMaxBlockingSortMemoryUsageBytes": STAGE_BYTES,
    }
    return {
        "queryShapeHash": shape_hash(call.body),
        "command": {**call.body, "$db": call.database},
        "serverInfo": server,
        "serverParameters": limits,
        "ok": 1.0,
    }


def shape_hash(body: Document) -> str:
    """The same for commands that differ in their values only: SHA-256 of the command with types for values."""

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(item) for name, item in value.items()}
        if isinstance(value, list):
            return [shape(item) for item in value]
        return value if isinstance(value, str) and value.startswith("$") else f"?{type_name(value)}"

    name = next(iter(body), "")
    shaped = {field: value if field == name else shape(value) for field, value in body.items() if field != "lsid"}
    return hashlib.sha256(json.dumps(shaped, default=str).encode()).hexdigest().upper()


def _query(call: Call) -> Document:
    if call.name in ("update", "delete"):
        statements = call.body.get(f"{call.name}s")
        if not isinstance(statements, list) or len(statements) != 1 or not isinstance(statements[0], dict):
            raise not_supported(f"explaining {call.name} with more than one statement")
        found = statements[0].get("q")
    else:
        found = call.body.get(_FILTERS[call.name])
    if not isinstance(found or {}, dict):
        raise type_mismatch("the filter of an explained command must be an object")
    return found or {}


def planner(call: Call, name: str, query: Document, options: Document) -> Document:
    """The plan's stages, innermost first: the scan, then sort, skip, limit and projection."""
    compile_filter(query, call.scope)
    collection = call.store.find(call.database, name)
    if collection is None:
        plan: Document = {"stage": "EOF"}
    else:
        plan = _reading(collection, query, options.get("hint"))
    for field, wrapper in (
        ("sort", "SORT"),
        ("skip", "SKIP"),
        ("limit", "LIMIT"),
        ("projection", "PROJECTION_DEFAULT"),
    ):
        if options.get(field):
            detail = {"SORT": "sortPattern", "SKIP": "skipAmount", "LIMIT": "limitAmount"}.get(wrapper, "transformBy")
            plan = {"stage": wrapper, detail: options[field], "inputStage": plan}
    return {
        "namespace": f"{call.database}.{name}",
        "indexFilterSet": False,
        "parsedQuery": query,
        "winningPlan": plan,
        "rejectedPlans": [],
    }


def _reading(collection: Collection, query: Document, hint: Any) -> Document:
    """The stages that reach the documents."""
    scan: Document = {"stage": "COLLSCAN", **({"filter": query} if query else {}), "direction": "forward"}
    if collection.is_view:
        return scan
    way = access(collection, query, hint)
    if way.stage == "IDHACK":
        return {"stage": "IDHACK"} if list(query) == ["_id"] else {"stage": "FETCH", "inputStage": {"stage": "IDHACK"}}
    if way.index is None:
        return scan
    index = way.index
    options = {"isUnique": index.unique, "isSparse": index.sparse, "isPartial": index.is_partial}
    keys = {"stage": "IXSCAN", "keyPattern": index.pattern, "indexName": index.name, "isMultiKey": index.is_multikey}
    return {"stage": "FETCH", "filter": query, "inputStage": {**keys, **options, "direction": "forward"}}


def _stats(call: Call, query: Document) -> Document:
    """What running the reading part takes; writes are not carried out."""
    name, begun = call.collection_name(), time.perf_counter()
    scan = list(candidates(call, name, query))
    found: Iterable[Any]
    if call.name == "find":
        found = found_by_find(call, call.body, name)
    else:
        found = filter(compile_filter(query, call.scope), scan)
    returned = sum(1 for _ in found)
    return _execution(returned, len(scan), begun)


def _execution(returned: int, examined: int, begun: float) -> Document:
    return {
        "executionSuccess": True,
        "nReturned": returned,
        "executionTimeMillis": int((time.perf_counter() - begun) * 1000),
        "totalKeysExamined": 0,
        "totalDocsExamined": examined,
    }


def explain_aggregate(call: Call, verbosity: str) -> Document:
    """The plan of an aggregate: how its documents are reached, then its stages as they are."""
    if call.body["aggregate"] == 1:
        raise not_supported("explaining a database pipeline")
    pipeline, name = call.body.get("pipeline") or [], call.collection_name()
    if aggregation.writes(call.body) and verbosity != "queryPlanner":
        raise not_supported("explaining a pipeline that writes, other than with verbosity queryPlanner")
    leading = pipeline[0]["$match"] if pipeline and stage_name(pipeline[0]) == "$match" else {}
    cursor: Document = {"queryPlanner": planner(call, name, leading, {"hint": call.body.get("hint")})}
    if verbosity != "queryPlanner":
        begun = time.perf_counter()
        examined = len(list(candidates(call, name, leading)))
        returned = sum(1 for _ in run(pipeline, context_of(call, name)))
        cursor["executionStats"] = _execution(returned, examined, begun)
    rest = pipeline[1:] if leading else pipeline
    if not rest:  # what a find could have answered is shown as one
        return {"explainVersion": "1", **cursor, **_tail(call)}
    return {"explainVersion": "1", "stages": [{"$cursor": cursor}, *rest], **_tail(call)}
