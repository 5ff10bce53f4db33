"""`createIndexes`, `dropIndexes`, `listIndexes`."""

from __future__ import annotations

from typing import Any

from emulators.mongodb.commands.query import whole
from emulators.mongodb.cursors import FIRST_BATCH
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.paths import split
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.index import Index
from emulators.mongodb.values import Document, truthy

_KNOWN = {
    "key",
    "name",
    "v",
    "unique",
    "sparse",
    "expireAfterSeconds",
    "partialFilterExpression",
    "background",
    "hidden",
    "ns",
}
_PLUGINS = ("text", "2d", "2dsphere", "hashed", "geoHaystack")
_IDENTITY = ("unique", "sparse", "expireAfterSeconds", "partialFilterExpression")


@command("createIndexes", fields="indexes", refused="commitQuorum ignoreUnknownIndexOptions", writes=True)
def create_indexes(call: Call) -> Document:
    specs = call.body.get("indexes")
    if not isinstance(specs, list) or not specs:
        raise CommandError(2, "Must specify at least one index to create")
    wanted = [index_spec(spec) for spec in specs]
    name = call.collection_name()
    created = call.store.find(call.database, name) is None
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


def index_spec(spec: Any) -> Document:
    """The index as `listIndexes` will show it; CannotCreateIndex (67) or a refusal by name."""
    if not isinstance(spec, dict) or not isinstance(spec.get("key"), dict) or not spec["key"]:
        raise CommandError(67, "an index needs a 'key' object that is not empty")
    if not isinstance(spec.get("name"), str) or not spec["name"] or spec["name"] == "*":
        raise CommandError(67, "an index needs a 'name', other than '*'")
    if spec.get("collation") not in (None, {"locale": "simple"}):
        raise not_supported("an index with a collation")
    unknown = set(spec) - _KNOWN - {"collation"}
    if unknown:
        raise not_supported(f"the index option '{min(unknown)}'")
    for path, direction in spec["key"].items():
        _check_key(path, direction, spec)
    Index(spec)  # compiles the partial filter
    kept = {"v": 2, "key": spec["key"], "name": spec["name"]}
    return {**kept, **{name: spec[name] for name in (*_IDENTITY, "hidden") if name in spec and spec[name] is not False}}


def _check_key(path: str, direction: Any, spec: Document) -> None:
    if direction in _PLUGINS or path.endswith("$**"):
        raise not_supported(f"a {direction if direction in _PLUGINS else 'wildcard'} index")
    if not as_integer(direction):
        raise CommandError(67, f"Values in the index key pattern must be 1 or -1: {path}: {direction!r}")
    split(path)
    expiry = spec.get("expireAfterSeconds")
    if expiry is not None and ((as_integer(expiry) is None) or len(spec["key"]) != 1 or path == "_id"):
        raise CommandError(
            67, "TTL indexes are single-field indexes, not on _id, with a whole number expireAfterSeconds"
        )


def _exists(collection: Collection, spec: Document) -> bool:
    same_key = [i for i in collection.indexes.values() if list(i.pattern.items()) == list(spec["key"].items())]
    named = collection.indexes.get(spec["name"])
    if named is not None and named not in same_key:
        raise CommandError(86, f"An existing index has the same name as the requested index: {spec['name']}")
    for index in same_key:
        alike = all(_option(index.spec, name) == _option(spec, name) for name in _IDENTITY)
        if index.name == "_id_":
            return True
        if not alike:
            raise CommandError(85, f"An equivalent index already exists with different options: {index.name}")
        if index.name != spec["name"]:
            raise CommandError(85, f"Index already exists with a different name: {index.name}")
        return True
    return False


def _option(spec: Document, name: str) -> Any:
    return truthy(spec.get(name)) if name in ("unique", "sparse") else spec.get(name)


@command("dropIndexes", "deleteIndexes", fields="index", writes=True)
def drop_indexes(call: Call) -> Document:
    collection = call.store.existing(call.database, call.collection_name())
    before, wanted = len(collection.indexes), call.body.get("index")
    if wanted == "*":
        names = [name for name in collection.indexes if name != "_id_"]
    elif isinstance(wanted, list):
        names = list(wanted)
    elif isinstance(wanted, dict):
        names = [_by_key(collection, wanted)]
    elif isinstance(wanted, str):
        names = [wanted]
    else:
        raise CommandError(14, "BSON field 'dropIndexes.index' must be a string, an object or an array of strings")
    for name in names:
        if name not in collection.indexes:
            raise CommandError(27, f"index not found with name [{name}]")
    for name in names:
        collection.drop_index(name)
    return {"nIndexesWas": before, "ok": 1.0}


def _by_key(collection: Collection, pattern: Document) -> str:
    for index in collection.indexes.values():
        if list(index.pattern.items()) == list(pattern.items()):
            return index.name
    raise CommandError(27, f"can't find index with key: {pattern}")


@command("listIndexes", fields="cursor")
def list_indexes(call: Call) -> Document:
    collection = call.store.find(call.database, call.collection_name())
    if collection is None:
        raise CommandError(26, f"ns does not exist: {call.database}.{call.collection_name()}")
    if collection.is_view:
        raise CommandError(166, f"Namespace {collection.namespace} is a view, not a collection")
    rows = [index.spec for index in collection.indexes.values()]
    batch = whole(call.body.get("cursor") or {}, "batchSize", FIRST_BATCH)
    return call.server.cursors.start(collection.namespace, rows, call.session.owner, batch=batch)
