"""`createIndexes`, `dropIndexes`, `listIndexes`."""

from __future__ import annotations

from typing import Any

from bson import Int64

from emulators.mongodb.commands.query import whole
from emulators.mongodb.commands.specialindexes import VECTOR_OPTIONS, listed, special_options
from emulators.mongodb.cursors import FIRST_BATCH
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError, bad_value, not_supported, type_mismatch
from emulators.mongodb.numeric import cut
from emulators.mongodb.query.collation import Collation, parse_collation
from emulators.mongodb.query.match import is_operators
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.index import VECTOR, Index, same_pattern
from emulators.mongodb.values import INT32_MAX, Document, is_number, key, truthy, type_name

_NOT_HERE = ("geoHaystack",)
_PLUGINS = ("hashed", "text", "2d", "2dsphere", VECTOR)
_TEXT_OPTIONS = ("weights", "default_language", "language_override", "textIndexVersion")
_GEO_OPTIONS = ("2dsphereIndexVersion", "bits", "min", "max")
_KNOWN = frozenset(
    {"key", "name", "v", "unique", "sparse", "expireAfterSeconds", "partialFilterExpression", "background", "hidden"}
    | {"ns", "wildcardProjection", *_TEXT_OPTIONS, *_GEO_OPTIONS, VECTOR_OPTIONS}
)
_SAVED = ("unique", "sparse", "expireAfterSeconds", "partialFilterExpression", "hidden", "wildcardProjection")
# Two indexes on the same fields are one where these agree (the server's index signature).
_SIGNATURE = ("unique", "sparse", "partialFilterExpression", "wildcardProjection", "collation", "weights")
_MAX_FIELDS = 32
# What a partial index may ask (the manual's "Partial Indexes").
_PARTIAL = frozenset({"$eq", "$gt", "$gte", "$lt", "$lte", "$type", "$exists", "$in"})


@command("createIndexes", fields="indexes:array!", refused="commitQuorum ignoreUnknownIndexOptions", writes=True)
def create_indexes(call: Call) -> Document:
    specs = call.body["indexes"]
    if not specs:
        raise bad_value("Must specify at least one index to create")
    name = call.collection_name()
    existing = call.store.find(call.database, name)
    wanted = [index_spec(spec, existing.collation if existing is not None else None) for spec in specs]
    created = existing is None
    _check_batch(wanted)
    collection = call.store.for_writing(call.database, name)
    before = len(collection.indexes)
    fresh = [spec for spec in wanted if not _exists(collection, spec)]
    added: list[str] = []
    try:
        for spec in fresh:
            collection.add_index(spec)
            added.append(spec["name"])
    except CommandError:
        for index in added:  # all of a command's indexes are built, or none
            collection.drop_index(index)
        raise
    result: Document = {"numIndexesBefore": before, "numIndexesAfter": len(collection.indexes)}
    if not fresh:
        result["note"] = "all indexes already exist"
    return {**result, "createdCollectionAutomatically": created, "ok": 1.0}


def index_spec(spec: Any, default: Collation | None = None) -> Document:
    """The index as `listIndexes` will show it; the server's code for what it refuses, or a refusal by name.

    `default` is the collation of its collection.
    """
    if not isinstance(spec, dict):
        raise type_mismatch("the elements of 'indexes' must be objects")
    for field in ("key", "name"):
        if field not in spec:
            raise CommandError(9, f"The '{field}' field is a required property of an index specification")
    _check_types(spec)
    if not spec["key"]:
        raise _cannot("Index keys cannot be an empty object")
    if not spec["name"] or spec["name"] == "*":
        raise _cannot(f"The index name '{spec['name']}' is not valid")
    unknown = set(spec) - _KNOWN - {"collation"}
    if unknown:
        raise not_supported(f"the index option '{min(unknown)}'")
    if len(spec["key"]) > _MAX_FIELDS:
        raise CommandError(13103, f"too many compound keys: {len(spec['key'])}, the limit is {_MAX_FIELDS}")
    for path, direction in spec["key"].items():
        _check_key(path, direction)
    _check_combination(spec)
    kept: Document = {"v": 2, "key": spec["key"], "name": spec["name"], **special_options(spec)}
    Index({**spec, **kept})  # compiles the partial filter
    for name in _SAVED:
        if name in spec and not (name in ("unique", "sparse", "hidden") and not truthy(spec[name])):
            kept[name] = True if name in ("unique", "sparse", "hidden") else spec[name]
    collation = parse_collation(spec["collation"]) if spec.get("collation") is not None else default
    if collation is not None:
        kinds = [kind for kind in ("text", "2d") if kind in spec["key"].values()]
        if kinds:
            raise _cannot(f"Index type '{kinds[0]}' does not support collation: {collation.document()}")
        kept["collation"] = collation.document()
    if "expireAfterSeconds" in kept:
        kept["expireAfterSeconds"] = cut(kept["expireAfterSeconds"])
    return kept


def _cannot(message: str) -> CommandError:
    return CommandError(67, message)


def _check_types(spec: Document) -> None:
    wanted: dict[str, tuple[str, ...]] = {
        "key": ("object",),
        "name": ("string",),
        "partialFilterExpression": ("object",),
        "wildcardProjection": ("object",),
    }
    wanted |= dict.fromkeys(("unique", "sparse"), ("bool", "int", "long", "double", "decimal"))
    wanted["hidden"] = ("bool",)
    for field, types in wanted.items():
        if field in spec and type_name(spec[field]) not in types:
            raise type_mismatch(
                f"The field '{field}' must be of type {' or '.join(types)}, but got {type_name(spec[field])}"
            )
    if "expireAfterSeconds" in spec:
        seconds = spec["expireAfterSeconds"]
        if not is_number(seconds):
            raise _cannot(
                f"TTL index 'expireAfterSeconds' option must be numeric, but received a type of {type_name(seconds)}"
            )
        if not 0 <= (cut(seconds) or 0) <= INT32_MAX:
            raise _cannot(f"TTL index 'expireAfterSeconds' option must be within an acceptable range, found {seconds}")


def _check_key(path: str, direction: Any) -> None:
    if direction in _NOT_HERE and isinstance(direction, str):
        raise not_supported(f"a {direction} index")
    if isinstance(direction, str) and direction not in _PLUGINS:
        raise _cannot(f"Unknown index plugin '{direction}'")
    if not isinstance(direction, str) and (
        not is_number(direction) or key(direction) == key(0) or key(direction) == (10, 0)
    ):
        raise _cannot(
            f"Values in the index key pattern must be numbers other than 0, or a plugin: {path}: {direction!r}"
        )
    parts = path.split(".")
    if "" in parts:
        raise _cannot(f"Index key contains an illegal field name: '{path}' has an empty part")
    for part in parts[:-1] if path.endswith("$**") else parts:
        if part.startswith("$") and part not in ("$id", "$ref", "$db"):
            raise _cannot(f"Index key contains an illegal field name: field name starts with '$': {path}")
    if "$**" in parts and parts.index("$**") != len(parts) - 1:
        raise _cannot(f"a wildcard has to be the last part of a path: {path}")


def _check_combination(spec: Document) -> None:
    pattern, partial = spec["key"], spec.get("partialFilterExpression")
    wildcard = [path for path in pattern if path.endswith("$**")]
    hashed = [path for path, direction in pattern.items() if direction == "hashed"]
    if list(pattern) == ["_id"] and not hashed:
        _check_id_index(spec)
    if truthy(spec.get("sparse")) and partial is not None:
        raise _cannot("cannot mix 'partialFilterExpression' and 'sparse' options")
    if partial is not None:
        _check_partial(partial, top=True)
    if "expireAfterSeconds" in spec and (len(pattern) != 1 or wildcard):
        raise _cannot("TTL indexes are single-field indexes, compound indexes do not support TTL")
    if hashed and truthy(spec.get("unique")):
        raise CommandError(16764, "Currently hashed indexes cannot guarantee uniqueness. Use a regular index.")
    if len(hashed) > 1:
        raise CommandError(31303, "A maximum of one index field is allowed to be hashed")
    if wildcard:
        _check_wildcard(spec, wildcard)
    elif "wildcardProjection" in spec:
        raise bad_value("The field 'wildcardProjection' is only allowed in a wildcard index")


def _check_id_index(spec: Document) -> None:
    if cut(spec["key"]["_id"]) != 1:
        raise bad_value("The field 'key' for an _id index must be {_id: 1}")
    for name in ("partialFilterExpression", "expireAfterSeconds", "sparse", "hidden"):
        if name in spec and spec[name] is not False:
            raise CommandError(197, f"The field '{name}' is not valid for an _id index specification")


def _check_partial(expression: Document, *, top: bool) -> None:
    """The operators that a partial index may have; all others are refused when the index is made."""
    for name, value in expression.items():
        if name in ("$and", "$or"):
            for item in value if isinstance(value, list) else ():
                if isinstance(item, dict):
                    _check_partial(item, top=False)
        elif name == "$expr":
            raise CommandError(224, "$expr is not allowed in a partial index filter")
        elif name.startswith("$"):
            raise _cannot(f"unsupported expression in partial index: {name}")
        elif is_operators(value):
            for operator, operand in value.items():
                if operator not in _PARTIAL or (operator == "$exists" and not truthy(operand)):
                    raise _cannot(f"unsupported expression in partial index: {name} {operator}")
        elif type_name(value) == "regex":
            raise _cannot(f"unsupported expression in partial index: {name} is a regular expression")


def _check_wildcard(spec: Document, wildcard: list[str]) -> None:
    if len(wildcard) > 1:
        raise CommandError(7246201, "wildcard indexes do not allow more than one wildcard field")
    for name in ("unique", "sparse"):
        if truthy(spec.get(name)):
            raise _cannot(f"Index type 'wildcard' does not support the {name} option")
    if (
        not isinstance(spec["key"][wildcard[0]], str)
        and (cut(spec["key"][wildcard[0]]) or 0) < 0
        and len(spec["key"]) > 1
    ):
        return
    projection = spec.get("wildcardProjection")
    if projection is None:
        return
    if wildcard != ["$**"]:
        raise CommandError(9, "The field 'wildcardProjection' is only allowed when 'key' is {'$**': 1}")
    if not projection:
        raise CommandError(9, "The field 'wildcardProjection' can't be an empty object")
    for value in projection.values():
        if not isinstance(value, bool | dict) and not is_number(value):
            raise CommandError(51271, "a wildcard projection may only include or exclude fields")
    from emulators.mongodb.expr.core import Scope
    from emulators.mongodb.query.project import compile_project

    compile_project(projection, Scope())


def _check_batch(specs: list[Document]) -> None:
    """What one command asks for must not contradict itself."""
    for number, spec in enumerate(specs):
        for other in specs[:number]:
            if spec["name"] == other["name"] and spec != other:
                raise CommandError(86, f"two indexes of the command have the same name: {spec['name']}")
            if _alike(spec, other) and spec["name"] != other["name"]:
                raise CommandError(85, f"Identical index already exists: {other['name']}")


def _alike(left: Document, right: Document) -> bool:
    return same_pattern(left["key"], right["key"]) and all(
        _option(left, name) == _option(right, name) for name in _SIGNATURE
    )


def _exists(collection: Collection, spec: Document) -> bool:
    named = collection.indexes.get(spec["name"])
    for index in collection.indexes.values():
        if index.name == "_id_" and same_pattern(index.pattern, spec["key"]):
            return True
        if not _alike(index.spec, spec):
            continue
        if index.name != spec["name"]:
            raise CommandError(85, f"Index already exists with a different name: {index.name}")
        if any(_option(index.spec, name) != _option(spec, name) for name in ("expireAfterSeconds", "hidden")):
            raise CommandError(
                85, f"An equivalent index already exists with the same name but different options: {index.name}"
            )
        return True
    if "weights" in spec and any(index.postings is not None for index in collection.indexes.values()):
        raise _cannot("only one text index per collection allowed")
    if named is not None:
        raise CommandError(86, f"An existing index has the same name as the requested index: {spec['name']}")
    return False


def _option(spec: Document, name: str) -> Any:
    value = spec.get(name)
    if name in ("unique", "sparse", "hidden"):
        return truthy(value)
    return None if value is None else key(value)


@command("dropIndexes", "deleteIndexes", fields="index!", writes=True)
def drop_indexes(call: Call) -> Document:
    name = call.collection_name()
    collection = call.store.existing(call.database, name)
    if collection.is_view:
        raise CommandError(166, f"Namespace {call.database}.{name} is a view, not a collection")
    before, wanted = len(collection.indexes), call.body.get("index")
    if wanted == "*":
        names = [index for index in collection.indexes if index != "_id_"]
    elif isinstance(wanted, list):
        if not all(type(item) is str for item in wanted):
            raise type_mismatch("BSON field 'dropIndexes.index' must be a string, an object or an array of strings")
        names = list(wanted)
    elif isinstance(wanted, dict):
        names = [_by_key(collection, wanted)]
    elif type(wanted) is str:
        names = [wanted]
    else:
        raise type_mismatch("BSON field 'dropIndexes.index' must be a string, an object or an array of strings")
    for index in names:
        if index not in collection.indexes:
            raise CommandError(27, f"index not found with name [{index}]")
    for index in names:
        collection.drop_index(index)
    return {"nIndexesWas": before, "ok": 1.0}


def _check_index_change(wanted: Document) -> None:
    for name in wanted:
        if name in ("unique", "prepareUnique"):
            raise not_supported(f"changing an index's '{name}'")
        if name not in ("name", "keyPattern", "hidden", "expireAfterSeconds"):
            raise CommandError(40415, f"BSON field 'collMod.index.{name}' is an unknown field.")
    if ("name" in wanted) == ("keyPattern" in wanted):
        raise CommandError(72, "Must specify either an index name or its key pattern, and not both")
    if not {"hidden", "expireAfterSeconds"} & set(wanted):
        raise CommandError(72, "no expireAfterSeconds, hidden, unique or prepareUnique field")
    _check_types({name: wanted[name] for name in ("hidden", "expireAfterSeconds") if name in wanted})


def change_index(collection: Collection, wanted: Document) -> Document:
    """Hides an index, shows it again, or changes when its documents expire; what was and is, as `collMod` answers it.

    Source: the manual's "collMod: Change Index Properties".
    """
    _check_index_change(wanted)
    name = wanted["name"] if "name" in wanted else _by_key(collection, wanted["keyPattern"])
    index = collection.indexes.get(name)
    if index is None:
        raise CommandError(27, f"cannot find index {name} for ns {collection.namespace}")
    if name == "_id_":
        raise bad_value("can't hide _id index" if "hidden" in wanted else "the _id field does not support TTL indexes")
    spec = dict(index.spec)
    reply: Document = {}
    if "expireAfterSeconds" in wanted:
        if len(index.pattern) != 1:
            raise CommandError(72, "TTL indexes are single-field indexes, compound indexes do not support TTL")
        seconds = cut(wanted["expireAfterSeconds"])
        if spec.get("expireAfterSeconds") != seconds:
            before = spec.get("expireAfterSeconds")
            reply |= {"expireAfterSeconds_old": Int64(before)} if before is not None else {}
            reply["expireAfterSeconds_new"] = Int64(seconds or 0)
        spec["expireAfterSeconds"] = seconds
    if "hidden" in wanted and truthy(spec.get("hidden")) != wanted["hidden"]:
        reply |= {"hidden_old": truthy(spec.pop("hidden", False)), "hidden_new": wanted["hidden"]}
        if wanted["hidden"]:
            spec["hidden"] = True
    if spec != index.spec:
        collection.change_index(spec)
    return reply


def _by_key(collection: Collection, pattern: Document) -> str:
    found = [index.name for index in collection.indexes.values() if same_pattern(index.pattern, pattern)]
    if len(found) > 1:
        raise CommandError(181, f"{len(found)} indexes found for key: {pattern}; drop one of them by its name")
    if not found:
        raise CommandError(27, f"can't find index with key: {pattern}")
    return found[0]


@command("listIndexes", fields="cursor:object includeBuildUUIDs:flag includeIndexBuildInfo:flag")
def list_indexes(call: Call) -> Document:
    collection = call.store.find(call.database, call.collection_name())
    if collection is None:
        raise CommandError(26, f"ns does not exist: {call.database}.{call.collection_name()}")
    if collection.is_view:
        raise CommandError(166, f"Namespace {collection.namespace} is a view, not a collection")
    uuids, info = truthy(call.body.get("includeBuildUUIDs")), truthy(call.body.get("includeIndexBuildInfo"))
    if uuids and info:
        raise CommandError(
            72, "the listIndexes command cannot have both of includeBuildUUIDs and includeIndexBuildInfo"
        )
    cursor = call.body.get("cursor") or {}
    if set(cursor) - {"batchSize"}:
        raise CommandError(40415, f"BSON field 'cursor.{min(set(cursor) - {'batchSize'})}' is an unknown field.")
    shown = [listed(index.spec) for index in collection.indexes.values()]
    rows = [{"spec": spec} if info else spec for spec in shown]
    batch = whole(cursor, "batchSize", FIRST_BATCH)
    return call.server.cursors.start(collection.namespace, rows, call.session.owner, batch=batch)
