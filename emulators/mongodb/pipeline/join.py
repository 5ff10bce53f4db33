"""Stages that run other pipelines or read other collections: `$lookup`, `$graphLookup`, `$unionWith`, `$facet`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from emulators.mongodb.deadline import counted, tick
from emulators.mongodb.errors import CommandError, failed_to_parse, not_supported, type_mismatch
from emulators.mongodb.expr.core import check_name, compile_expression
from emulators.mongodb.memory import Meter, collected
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.pipeline.basic import set_path
from emulators.mongodb.pipeline.core import (
    Context,
    Stage,
    Stream,
    compile_pipeline,
    run,
    stage,
    stage_name,
)
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.query.paths import field_names, tested
from emulators.mongodb.storage.store import check_names
from emulators.mongodb.values import MISSING, Document, Key, key, type_name

_NULL = key(None)


@stage("$lookup")
def _lookup(argument: Any, context: Context) -> Stage:
    argument = _lookup_options(argument)
    target = field_names(argument["as"])
    joined = _joined(argument, context)
    _check_pipeline(argument, context)

    def join(document: Document) -> Document:
        found = collected(joined(document), "$lookup", spills=False, code=4568)
        return set_path(document, target, list(found))

    return lambda stream: map(join, stream)


def _lookup_options(argument: Any) -> Document:
    """The options, with their types checked; a join by two null or empty fields is none by fields."""
    names = {"from", "as", "localField", "foreignField", "let", "pipeline"}
    _check(argument, "$lookup", {"as"}, names)
    options = dict(argument)
    if options["as"] is None:
        raise CommandError(40414, "BSON field '$lookup.as' is missing but a required field")
    for name in ("as", "localField", "foreignField"):
        value = options.get(name, "")
        if (value is not None and type(value) is not str) or (value is None and name == "as"):
            raise type_mismatch(f"$lookup argument '{name}' must be a string, is type {type_name(value)}")
    if options.get("let") is not None and not isinstance(options["let"], dict):
        raise type_mismatch(f"$lookup argument 'let' must be an object, is type {type_name(options['let'])}")
    if "pipeline" in options and not isinstance(options["pipeline"], list):
        raise type_mismatch("'pipeline' option must be specified as an array")
    for name in options.get("let") or {}:
        check_name(name)
    if not options.get("localField") and not options.get("foreignField") and "pipeline" in options:
        options.pop("localField", None)
        options.pop("foreignField", None)
    _check_source(options)
    if ("localField" in options) != ("foreignField" in options):
        raise failed_to_parse("$lookup requires both or neither of 'localField' and 'foreignField' to be specified")
    if "localField" in options and not (options["localField"] and options["foreignField"]):
        raise failed_to_parse("$lookup requires a 'localField' and a 'foreignField' that are not empty")
    if "localField" not in options and "pipeline" not in options:
        raise failed_to_parse(
            "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified"
        )
    if "let" in options and "pipeline" not in options:
        raise failed_to_parse("$lookup with a 'let' argument must also specify 'pipeline'")
    return options


def _check_source(options: Document) -> None:
    pipeline = options.get("pipeline")
    first: Any = next(iter(pipeline), {}) if isinstance(pipeline, list) else {}
    own = isinstance(first, dict) and next(iter(first), "") == "$documents"
    if "from" not in options:
        if not own:
            raise failed_to_parse("must specify 'pipeline' when 'from' is empty, and start it with $documents")
        return
    _check_name(options["from"], "$lookup")
    check_names("db", options["from"], reserved=False)
    if own:
        raise CommandError(73, "{aggregate: 1} is the place of $documents: $lookup with 'from' has a collection")


def _check(argument: Any, name: str, needed: set[str], allowed: set[str]) -> None:
    if not isinstance(argument, dict):
        raise failed_to_parse(f"the {name} specification must be an object")
    for field in argument:
        if field not in allowed:
            raise CommandError(40415, f"BSON field '{name}.{field}' is an unknown field.")
    for field in needed:
        if field not in argument:
            raise CommandError(40414, f"BSON field '{name}.{field}' is missing but a required field")


def _check_name(value: Any, name: str) -> None:
    if isinstance(value, dict):
        raise not_supported(f"{name} from another database")
    if type(value) is not str:
        raise failed_to_parse(f"{name} names a collection by a string")


def _check_pipeline(argument: Document, context: Context) -> None:
    """Compiles the inner pipeline once, so that a mistake is found even when no document comes by."""
    pipeline = argument.get("pipeline")
    if pipeline is None:
        return
    if any(stage_name(spec) in ("$out", "$merge") for spec in pipeline):
        raise CommandError(51047, "$out and $merge are not allowed within a $lookup's sub-pipeline")
    scope = context.scope.with_values(dict.fromkeys(argument.get("let") or {}))
    compile_pipeline(pipeline, context.nested(argument.get("from"), scope))


def _joined(argument: Document, context: Context) -> Callable[[Document], list[Document]]:
    let = {name: compile_expression(value, context.scope) for name, value in (argument.get("let") or {}).items()}
    source, pipeline = argument.get("from"), argument.get("pipeline")
    equal = _equality(argument, context) if "localField" in argument and source is not None else None
    if pipeline is None and equal is not None:
        return equal

    def join(document: Document) -> list[Document]:
        variables = context.scope.start(document)
        values = {name: expression(document, variables) for name, expression in let.items()}
        below = context.nested(source, context.scope.with_values(values))
        if equal is None:
            found = counted(run(pipeline, below))
            return list(found if "localField" not in argument else _matching(argument, document, found))
        return list(counted(compile_pipeline(pipeline, below)(equal(document))))

    return join


def _matching(argument: Document, document: Document, others: Iterator[Document]) -> Iterator[Document]:
    """Those of a pipeline's own documents whose foreign field equals the local one."""
    wanted = _keys(document, field_names(argument["localField"]), whole=False)
    foreign = field_names(argument["foreignField"])
    return (other for other in others if _keys(other, foreign, whole=True) & wanted)


def _equality(argument: Document, context: Context) -> Callable[[Document], list[Document]]:
    """Documents whose foreign field equals the local one, or an element of it; missing equals null."""
    local, foreign = field_names(argument["localField"] or ""), field_names(argument["foreignField"] or "")
    table: dict[Key, list[tuple[int, Document]]] | None = None

    def join(document: Document) -> list[Document]:
        nonlocal table
        if table is None:
            table = {}
            for number, other in enumerate(context.nested(None).documents(argument["from"])):
                for place in _keys(other, foreign, whole=True):
                    table.setdefault(place, []).append((number, other))
        found = {
            number: other for place in _keys(document, local, whole=False) for number, other in table.get(place, ())
        }
        return [found[number] for number in sorted(found)]

    return join


def _keys(document: Document, path: tuple[str, ...], *, whole: bool) -> set[Key]:
    """What a field is compared by: its elements where it is an array; null where nothing else is there."""
    found: set[Key] = set()
    values = tested(document, path)
    for value in values:
        tick()
        if isinstance(value, list):
            found |= {_null_or(item) for item in value}
            if whole:
                found.add(key(list(value)))
        elif value is not MISSING or whole:
            found.add(_null_or(value))
    if not whole and not found:
        found.add(_NULL)
    return found


def _null_or(value: Any) -> Key:
    return _NULL if value is MISSING else key(value)


@stage("$unionWith")
def _union_with(argument: Any, context: Context) -> Stage:
    options = {"coll": argument} if isinstance(argument, str) else argument
    _check(options, "$unionWith", set(), {"coll", "pipeline"})
    _check_name(options.get("coll", ""), "$unionWith")
    if "coll" not in options and "pipeline" not in options:
        raise failed_to_parse("$unionWith needs 'coll', or a 'pipeline' that starts with $documents")
    pipeline = options.get("pipeline", [])
    if isinstance(pipeline, list) and any(stage_name(spec) in ("$out", "$merge") for spec in pipeline):
        raise CommandError(31441, "$out and $merge are not allowed within a $unionWith's sub-pipeline")
    below = context.nested(options.get("coll"))
    compile_pipeline(pipeline, below)

    def union(stream: Stream) -> Iterator[Document]:
        yield from stream
        yield from run(pipeline, below)

    return union


@stage("$facet")
def _facet(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict) or not argument:
        raise CommandError(40169, "the $facet specification must be a non-empty object")
    for name, pipeline in argument.items():
        _check_facet(name, pipeline)
    facets = {
        name: compile_pipeline(pipeline, replace(context.nested(context.collection), in_facet=True))
        for name, pipeline in argument.items()
    }

    def collect(stream: Stream) -> Iterator[Document]:
        documents = list(collected(stream, "$facet"))
        meter = Meter("$facet", spills=False, code=4031700)
        found: Document = {}
        for name, pipeline in facets.items():
            found[name] = []
            for document in counted(pipeline(documents)):
                meter.add(document)
                found[name].append(document)
        yield found

    return collect


def _check_facet(name: str, pipeline: Any) -> None:
    tick()
    if not name:
        raise CommandError(15998, "FieldPath field names may not be empty strings: the name of a facet")
    if "." in name:
        raise CommandError(16412, f"FieldPath field names may not contain '.': '{name}'")
    if name.startswith("$"):
        raise CommandError(16410, f"FieldPath field names may not start with '$': '{name}'")
    if not isinstance(pipeline, list):
        raise CommandError(40170, f"arguments to $facet must be arrays, {name} is type {type_name(pipeline)}")
    for spec in pipeline:
        if not isinstance(spec, dict):
            raise CommandError(40171, f"elements of arrays in $facet spec must be non-empty objects, {name} has none")


@stage("$graphLookup")
def _graph_lookup(argument: Any, context: Context) -> Stage:
    needed = {"from", "startWith", "connectFromField", "connectToField", "as"}
    _check(argument, "$graphLookup", needed, needed | {"maxDepth", "depthField", "restrictSearchWithMatch"})
    depth = as_integer(argument["maxDepth"]) if "maxDepth" in argument else None
    if "maxDepth" in argument and (depth is None or depth < 0):
        raise CommandError(40101, "maxDepth requires a nonnegative argument")
    _check_name(argument["from"], "$graphLookup")
    start = compile_expression(argument["startWith"], context.scope)
    allowed = compile_filter(argument.get("restrictSearchWithMatch", {}), context.scope)
    target = field_names(argument["as"])

    def graph(stream: Stream) -> Iterator[Document]:
        others = [other for other in context.nested(None).documents(argument["from"]) if allowed(other)]
        for document in stream:
            first = start(document, context.scope.start(document))
            yield set_path(document, target, _reached(first, others, argument, depth))

    return graph


def _reached(first: Any, others: list[Document], argument: Document, depth: int | None) -> list[Document]:
    source, sink, label = (
        field_names(argument["connectFromField"]),
        field_names(argument["connectToField"]),
        argument.get("depthField"),
    )
    front = {key(item) for item in (first if type(first) is list else [first]) if item is not MISSING}
    seen: dict[Key, Document] = {}
    level, meter = 0, Meter("$graphLookup", spills=False, code=40099)
    while front and (depth is None or level <= depth):
        following: set[Key] = set()
        for other in others:
            if key(other["_id"]) not in seen and _keys(other, sink, whole=True) & front:
                meter.add(other)
                seen[key(other["_id"])] = other if label is None else {**other, label: level}
                following |= _keys(other, source, whole=False)
        front, level = following, level + 1
    return list(seen.values())
