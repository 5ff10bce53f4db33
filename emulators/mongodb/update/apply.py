"""One update statement, compiled: operators, a replacement, or a pipeline; and the document an upsert starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bson import ObjectId, Regex

from emulators.mongodb.errors import CommandError, bad_value, failed_to_parse, not_supported
from emulators.mongodb.expr.core import Scope
from emulators.mongodb.query.leaf import Test
from emulators.mongodb.query.match import compile_filter, is_operators
from emulators.mongodb.query.paths import split
from emulators.mongodb.query.project import compile_add_fields, compile_project, compile_unset
from emulators.mongodb.update.operators import OPERATORS, UNCHANGED, Target, server_time
from emulators.mongodb.update.paths import check_conflicts, order_of, places, read, remove, write
from emulators.mongodb.values import MISSING, Document, clone, key_with

# (the document, the filter it matched, whether it is being inserted) → the new document
Update = Callable[[Document, Document, bool], Document]


def compile_update(spec: Any, array_filters: Any, scope: Scope) -> Update:
    """Raises CommandError for what MongoDB refuses before it looks at a document."""
    if isinstance(spec, list):
        if array_filters:
            raise failed_to_parse("arrayFilters may not be specified for pipeline-style updates")
        # Without a replica set's clock too, an update may write the time (functional-tests, cluster_time).
        return _pipeline(spec, scope.with_values({"CLUSTER_TIME": server_time()}))
    if not isinstance(spec, dict):
        raise failed_to_parse("Update argument must be either an object or an array")
    if not any(name.startswith("$") for name in spec):
        if array_filters:
            raise failed_to_parse("arrayFilters may not be specified for replacement-style updates")
        return lambda document, query, inserting: _replace(document, spec)
    return _operators(spec, array_filters)


def is_replacement(spec: Any) -> bool:
    return isinstance(spec, dict) and not any(name.startswith("$") for name in spec)


def _replace(document: Document, spec: Document) -> Document:
    new = clone(spec)
    if "_id" not in new and "_id" in document:
        new = {"_id": document["_id"], **new}
    return same_id(document, new)


def same_id(old: Document, new: Document) -> Document:
    """The new document; ImmutableField (66) where its `_id` is not the old one's."""
    if "_id" in old and ("_id" not in new or key_with(old["_id"], None) != key_with(new["_id"], None)):
        raise CommandError(66, "Performing an update on the path '_id' would modify the immutable field '_id'")
    if isinstance(new.get("_id"), list | Regex):
        raise CommandError(53, f"The '_id' value cannot be of type {type(new['_id']).__name__.lower()}")
    return new


def _operators(spec: Document, array_filters: Any) -> Update:
    steps: list[tuple[str, str, Any]] = []
    for name, fields in spec.items():
        if name not in OPERATORS and name != "$rename":
            raise failed_to_parse(
                f"Unknown modifier: {name}. Expected a valid update modifier or pipeline-style update specified as an "
                "array"
            )
        if not isinstance(fields, dict):
            raise failed_to_parse(f"Modifiers operate on fields but we found type {type(fields).__name__} for {name}")
        steps += [(path, name, operand) for path, operand in fields.items()]
    for path, name, operand in steps:
        _check_path(path, name, operand)
    check_conflicts([path for path, _, _ in steps] + [operand for _, name, operand in steps if name == "$rename"])
    filters = _array_filters(array_filters, [path for path, _, _ in steps])
    steps.sort(key=lambda step: order_of(step[0]))
    return lambda document, query, inserting: _run(steps, filters, document, query, inserting)


_REFERENCE = ("$id", "$ref", "$db")


def _check_path(path: str, name: str, operand: Any) -> None:
    first = split(path)[0]
    # Since 5.0 names below the first may begin with a dollar.
    # The operand of `$setOnInsert`, and a field that `$rename` takes away, may (functional-tests, update/fields).
    free = name in ("$setOnInsert", "$rename") or first in _REFERENCE
    if first.startswith("$") and first != "$" and not first.startswith("$[") and not free:
        raise CommandError(
            52, f"The dollar ($) prefixed field '{first}' in '{path}' is not allowed in the context of an update"
        )
    if name == "$rename":
        if type(operand) is not str:
            raise bad_value(f"The 'to' field for $rename must be a string: {path}: {operand!r}")
        if any(part.startswith("$") for part in split(operand)) or any(
            part == "$" or part.startswith("$[") for part in split(path)
        ):
            raise bad_value(f"The source and destination of $rename may not be dynamic: {path} to {operand}")
        if path == operand:
            raise bad_value(f"The source and target field for $rename must differ: {path}")


def _array_filters(array_filters: Any, paths: list[str]) -> dict[str, Test]:
    """Tests by identifier. Each identifier in a path needs one filter, and each filter must be used (9)."""
    tests: dict[str, Test] = {}
    if not isinstance(array_filters or [], list):
        raise failed_to_parse("arrayFilters must be an array of objects")
    for condition in array_filters or []:
        if not isinstance(condition, dict) or not condition:
            raise failed_to_parse("Cannot use an expression without a top-level field name in arrayFilters")
        matches = compile_filter(condition)
        if _orders(condition):
            raise CommandError(5626500, "$geoNear, $near, and $nearSphere are not allowed in this context")
        names = _top_names(condition)
        if len(names) != 1:
            raise failed_to_parse(f"Expected a single top-level field name in arrayFilters, found {sorted(names)}")
        name = names.pop()
        if name in tests:
            raise failed_to_parse(f"Found multiple array filters with the same top-level field name {name}")
        tests[name] = _element_test(matches, name)
    used = {part[2:-1] for path in paths for part in path.split(".") if part.startswith("$[") and part != "$[]"}
    if used - set(tests):
        raise bad_value(f"No array filter found for identifier '{min(used - set(tests))}'")
    if set(tests) - used:
        raise failed_to_parse(f"The array filter for identifier '{min(set(tests) - used)}' was not used in the update")
    return tests


def _orders(condition: Any) -> bool:
    """Whether a search by distance stands in it, which is an order and no test."""
    if isinstance(condition, dict):
        return any(name in ("$near", "$nearSphere") or _orders(value) for name, value in condition.items())
    return isinstance(condition, list) and any(map(_orders, condition))


def _element_test(matches: Callable[[Document], bool], name: str) -> Test:
    return lambda element: matches({name: element})


def _top_names(condition: Document) -> set[str]:
    names: set[str] = set()
    for name, value in condition.items():
        if name in ("$and", "$or", "$nor") and isinstance(value, list):
            names |= set().union(*(_top_names(item) for item in value if isinstance(item, dict)))
        else:
            names.add(name.partition(".")[0])
    return names


def _run(
    steps: list[tuple[str, str, Any]], filters: dict[str, Test], old: Document, query: Document, inserting: bool
) -> Document:
    new: Document = clone(old)
    for path, name, operand in steps:
        if name == "$rename":
            _rename(new, path, operand)
            continue
        if name == "$setOnInsert" and not inserting:
            continue
        for place in places(new, path, query, filters):
            value = OPERATORS[name](read(new, place), operand, Target(old.get("_id"), ".".join(place), inserting))
            if value is MISSING:
                remove(new, place)
            elif value is not UNCHANGED:
                write(new, place, value)
    return same_id(old, new)


def _rename(document: Document, source: str, target: str) -> None:
    first, second = split(source), split(target)
    for place in (first, second):
        if any(type(read(document, place[:depth])) is list for depth in range(1, len(place))):
            raise bad_value(
                f"The source and destination field of $rename cannot be an array element: {source} to {target}"
            )
    value = read(document, first)
    if value is MISSING:
        return
    remove(document, first)
    remove(document, second)
    write(document, second, value)


def _pipeline(stages: list[Any], scope: Scope) -> Update:
    change = update_by_pipeline(stages, scope)
    return lambda document, _, __: change(document)


def update_by_pipeline(stages: list[Any], scope: Scope) -> Callable[[Document], Document]:
    """The stages an update may have; each gets the document as the one before left it, and none changes its `_id`."""
    steps = [_stage(stage, scope) for stage in stages]

    def run(document: Document) -> Document:
        new = document
        for step in steps:
            new = step(new)
        if "_id" in document and "_id" not in new:
            new = {"_id": document["_id"], **new}
        return same_id(document, clone(new))

    return run


def _stage(stage: Any, scope: Scope) -> Callable[[Document], Document]:
    if not isinstance(stage, dict) or len(stage) != 1:
        raise CommandError(40323, "A pipeline stage specification object must contain exactly one field.")
    name, argument = next(iter(stage.items()))
    if name in ("$set", "$addFields"):
        return compile_add_fields(argument, scope, name)
    if name == "$project":
        return compile_project(argument, scope)
    if name == "$unset":
        return compile_unset(argument)
    if name in ("$replaceRoot", "$replaceWith"):
        from emulators.mongodb.pipeline.reshape import replace_root  # stages import updates for $merge

        return replace_root(name, argument, scope)
    if name not in stages_of_pipelines():
        raise CommandError(40324, f"Unrecognized pipeline stage name: '{name}'")
    raise CommandError(72, f"{name} is not allowed to be used within an update")


def stages_of_pipelines() -> frozenset[str]:
    """Every stage that a pipeline may name."""
    from emulators.mongodb.pipeline.core import REFUSED, STAGES  # stages import updates for $merge

    return REFUSED | set(STAGES)


def upsert_base(query: Document) -> Document:
    """The fields that an upsert takes from its filter: those compared for equality, `$and` included."""
    base: Document = {}
    for path, value in _equalities(query):
        if read(base, split(path)) is not MISSING:
            raise CommandError(54, f"cannot infer query fields to set, path '{path}' is matched twice")
        write(base, split(path), clone(value))
    return base


def _equalities(query: Document) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in query.items():
        if name == "$and" or (name == "$or" and len(value) == 1):
            found += [pair for item in value for pair in _equalities(item)]
        elif name.startswith("$") or isinstance(value, Regex):
            continue
        elif not is_operators(value):
            found.append((name, value))
        elif "$eq" in value:
            found.append((name, value["$eq"]))
        elif isinstance(value.get("$all"), list) and len(value["$all"]) == 1:
            found.append((name, value["$all"][0]))
        elif isinstance(value.get("$in"), list) and len(value["$in"]) == 1:
            raise not_supported(
                f"an upsert whose filter has $in with a single value ('{name}'); compare for equality instead"
            )
    return found


def with_id(document: Document) -> Document:
    """The document with `_id` first, and a new ObjectId where it has none."""
    identity = document.get("_id", MISSING)
    return {"_id": ObjectId() if identity is MISSING else identity, **{k: v for k, v in document.items() if k != "_id"}}
