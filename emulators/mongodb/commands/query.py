"""`find`, `count`, `distinct`, and reading on with `getMore` and `killCursors`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bson import Regex

from emulators.mongodb.cursors import FIRST_BATCH, Encoder, to_bson
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError, bad_value, failed_to_parse, type_mismatch
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.pipeline.core import Context
from emulators.mongodb.query.findproject import compile_find_projection
from emulators.mongodb.query.match import compile_filter, is_operators
from emulators.mongodb.query.paths import leaves, split
from emulators.mongodb.query.sort import parse_sort, sort_documents
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.values import INT64_MAX, MISSING, Document, Key, key


def whole(body: Any, name: str, default: int = 0) -> int:
    """A whole number from 0 among the command's fields."""
    if not isinstance(body, dict):
        raise type_mismatch(f"expected an object with the field '{name}', not {body!r}")
    value = body.get(name)
    if value is None:
        return default
    number = as_integer(value)
    if number is None:
        raise type_mismatch(f"BSON field '{name}' must be a whole number, not {value!r}")
    if not 0 <= number <= INT64_MAX:
        raise CommandError(51024, f"BSON field '{name}' value must be from 0 to {INT64_MAX}")
    return number


def context_of(call: Call, collection: str | None) -> Context:
    return Context(call.store, call.database, collection, call.deadline, call.scope)


def identities(query: Document) -> list[Any] | None:
    """The `_id` values a filter asks for by equality, which need no scan; None when it asks otherwise."""
    value = query.get("_id", MISSING)
    if value is MISSING or isinstance(value, Regex | list) or value is None:
        return None
    if not is_operators(value):
        return [value]
    if "$eq" in value and value["$eq"] is not None and not isinstance(value["$eq"], list):
        return [value["$eq"]]
    wanted = value.get("$in")
    simple = isinstance(wanted, list) and not any(isinstance(item, Regex | list) or item is None for item in wanted)
    return wanted if simple else None


def candidates(call: Call, name: str, query: Document) -> Iterable[Document]:
    """The documents that a filter has to look at."""
    collection = call.store.find(call.database, name)
    wanted = identities(query)
    if collection is None or collection.is_view or wanted is None:
        return context_of(call, name).documents(name)
    return by_identity(collection, wanted)


def by_identity(collection: Collection, wanted: list[Any]) -> Iterator[Document]:
    ordered = sorted({key(value): value for value in wanted}.items())
    found = (collection.by_id(value) for _, value in ordered)
    return (document for document in found if document is not None)


def encoder(call: Call, name: str | None) -> Encoder:
    """How results become BSON: stored documents have been encoded before."""
    collection = call.store.find(call.database, name) if name else None
    return to_bson if collection is None or collection.is_view else collection.encoded


def check_hint(call: Call, name: str) -> None:
    hint = call.body.get("hint")
    collection = call.store.find(call.database, name)
    if hint and collection is not None and hint != {"$natural": 1}:
        collection.index_for(hint)


def found_by_find(call: Call, body: Document, name: str) -> Iterator[Document]:
    """The documents of a find: filtered, sorted, skipped, limited, projected."""
    for field in ("filter", "projection", "sort"):
        if not isinstance(body.get(field) or {}, dict):
            raise type_mismatch(f"BSON field 'find.{field}' is the wrong type, expected type 'object'")
    query = body.get("filter") or {}
    matches = compile_filter(query, call.scope)
    project = compile_find_projection(body.get("projection"), query, call.scope)
    skip, limit = whole(body, "skip"), whole(body, "limit")
    order = body.get("sort") or {}
    stream: Iterable[Document] = filter(matches, candidates(call, name, query))
    if list(order) == ["$natural"]:
        stream = list(stream)[:: 1 if as_integer(order["$natural"]) == 1 else -1]
    elif order:
        stream = sort_documents(stream, parse_sort(order))
    return map(project, islice(stream, skip, skip + limit if limit else None))


@command(
    "find",
    fields="filter projection sort hint skip limit batchSize singleBatch let allowDiskUse noCursorTimeout "
    "allowPartialResults",
    refused="max min returnKey showRecordId tailable awaitData oplogReplay $_requestReshardingResumeToken",
)
def find(call: Call) -> Document:
    name, call = call.collection_name(), call.with_let()
    check_hint(call, name)
    return call.server.cursors.start(
        f"{call.database}.{name}",
        found_by_find(call, call.body, name),
        call.session.owner,
        batch=whole(call.body, "batchSize", FIRST_BATCH),
        single=bool(call.body.get("singleBatch")),
        expires=not call.body.get("noCursorTimeout"),
        encoded=encoder(call, name),
    )


@command("count", fields="query limit skip hint fields")
def count(call: Call) -> Document:
    name = call.collection_name()
    check_hint(call, name)
    query = call.body.get("query") or {}
    limit = as_integer(call.body.get("limit") or 0)
    if limit is None or abs(limit) > INT64_MAX:
        raise type_mismatch("BSON field 'count.limit' must be a whole number")
    skip = whole(call.body, "skip")
    found = filter(compile_filter(query, call.scope), candidates(call, name, query))
    # A negative limit counts like a positive one (the manual's "count").
    number = sum(1 for _ in islice(found, skip, skip + abs(limit) if limit else None))
    return {"n": number, "ok": 1.0}


@command("distinct", fields="key query hint")
def distinct(call: Call) -> Document:
    name = call.collection_name()
    check_hint(call, name)
    if not isinstance(call.body.get("key"), str):
        raise type_mismatch("BSON field 'distinct.key' is missing or the wrong type, expected type 'string'")
    path, query = split(call.body["key"]), call.body.get("query") or {}
    found: dict[Key, Any] = {}
    for document in filter(compile_filter(query, call.scope), candidates(call, name, query)):
        for value in leaves(document, path):
            for item in value if type(value) is list else [value]:
                if item is not MISSING:
                    found.setdefault(key(item), item)
    return {"values": list(found.values()), "ok": 1.0}


@command("getMore", fields="collection batchSize", refused="term lastKnownCommittedOpTime")
def get_more(call: Call) -> Document:
    identity = as_integer(call.body["getMore"])
    if identity is None or abs(identity) > INT64_MAX or type(call.body.get("collection")) is not str:
        raise failed_to_parse("getMore needs a cursor id and its collection")
    namespace = f"{call.database}.{call.body['collection']}"
    return call.server.cursors.more(identity, namespace, call.session.owner, whole(call.body, "batchSize"))


@command("killCursors", fields="cursors")
def kill_cursors(call: Call) -> Document:
    wanted = call.body.get("cursors")
    if not isinstance(wanted, list) or not wanted:
        raise bad_value("Must specify at least one cursor id in: killCursors")
    killed = [
        identity for identity in wanted if call.server.cursors.kill(as_integer(identity) or 0, call.session.owner)
    ]
    absent = [identity for identity in wanted if identity not in killed]
    return {"cursorsKilled": killed, "cursorsNotFound": absent, "cursorsAlive": [], "cursorsUnknown": [], "ok": 1.0}
