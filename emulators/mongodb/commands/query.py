"""`find`, `count`, `distinct`, and reading on with `getMore` and `killCursors`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bson import Int64, encode

from emulators.mongodb.cursors import FIRST_BATCH, Encoder, to_bson
from emulators.mongodb.deadline import running
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError, bad_value, failed_to_parse, not_supported, type_mismatch
from emulators.mongodb.memory import collected
from emulators.mongodb.numeric import as_integer, cut
from emulators.mongodb.pipeline.core import Context
from emulators.mongodb.query.findproject import compile_find_projection
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.query.paths import leaves
from emulators.mongodb.query.sort import MetaPath, parse_sort, sort_documents
from emulators.mongodb.storage.collection import MAX_DOCUMENT
from emulators.mongodb.values import INT64_MAX, MISSING, Document, Key, is_number, key, truthy, type_name
from emulators.mongodb.wire import CODEC


def whole(body: Any, name: str, default: int = 0) -> int:
    """A number from 0 among the command's fields, made whole as the server does it: cut, or rounded if a decimal."""
    if not isinstance(body, dict):
        raise type_mismatch(f"expected an object with the field '{name}', not {body!r}")
    value = body.get(name)
    if value is None:
        return default
    number = cut(value)
    if number is None:
        raise type_mismatch(f"BSON field '{name}' is the wrong type '{type_name(value)}', expected a number")
    if number < 0:
        raise bad_value(f"BSON field '{name}' value must be >= 0, actual value '{number}'")
    return number


def context_of(call: Call, collection: str | None) -> Context:
    return Context(call.store, call.database, collection, call.deadline, call.scope, bypass_validation=bypasses(call))


def bypasses(call: Call) -> bool:
    """Whether the command leaves validators out."""
    return truthy(call.body.get("bypassDocumentValidation"))


def candidates(call: Call, name: str, query: Document) -> Iterable[Document]:
    """The documents that a filter has to look at."""
    return context_of(call, name).documents(name, query, call.body.get("hint"))


def encoder(call: Call, name: str | None) -> Encoder:
    """How results become BSON: stored documents have been encoded before."""
    collection = call.store.find(call.database, name) if name else None
    return to_bson if collection is None or collection.is_view else collection.encoded


def check_hint(call: Call, name: str) -> None:
    """BadValue (2) for a hint that names no index; views take any."""
    hint = call.body.get("hint")
    collection = call.store.find(call.database, name)
    if hint is None or collection is None or collection.is_view or (isinstance(hint, dict) and not hint):
        return
    if isinstance(hint, dict) and "$natural" in hint:
        if len(hint) != 1 or as_integer(hint["$natural"]) not in (1, -1):
            raise bad_value("$natural hint must be 1 or -1, and stand alone")
        return
    collection.index_for(hint)


def found_by_find(call: Call, body: Document, name: str) -> Iterator[Document]:
    """The documents of a find: filtered, sorted, skipped, limited, projected."""
    query = body.get("filter") or {}
    matches = compile_filter(query, call.scope)
    project = compile_find_projection(body.get("projection"), query, call.scope)
    skip, limit = whole(body, "skip"), whole(body, "limit")
    order = body.get("sort") or {}
    stream: Iterable[Document] = filter(matches, candidates(call, name, query))
    if list(order) == ["$natural"]:
        stream = list(stream)[:: 1 if as_integer(order["$natural"]) == 1 else -1]
    elif order:
        if not running().may_spill:
            stream = collected(stream, "Sort")
        stream = sort_documents(stream, parse_sort(order, call.scope.meta))
    elif call.scope.meta.near:
        stream = sort_documents(stream, [(MetaPath.of(call.scope.meta, "geoNearDistance"), False)])
    return map(project, islice(stream, skip, skip + limit if limit else None))


@command(
    "find",
    fields="filter:object~ projection:object sort:object hint:hint skip:number limit:number batchSize:number "
    "singleBatch:flag let:object allowDiskUse:flag noCursorTimeout:flag allowPartialResults:flag",
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
        shared=not call.body.get("projection"),
    )


@command("count", fields="query:object limit skip:number hint:hint fields")
def count(call: Call) -> Document:
    name = call.collection_name()
    check_hint(call, name)
    query = call.body.get("query") or {}
    limit = _count_limit(call.body)
    skip = whole(call.body, "skip")
    found = filter(compile_filter(query, call.scope), candidates(call, name, query))
    # A negative limit counts like a positive one (the manual's "count").
    number = sum(1 for _ in islice(found, skip, skip + abs(limit) if limit else None))
    return {"n": number, "ok": 1.0}


def _count_limit(body: Document) -> int:
    value = body.get("limit", 0)
    if not is_number(value):
        raise bad_value(f"limit value is not a valid number: {value!r}")
    limit = as_integer(value)
    if limit is None or abs(limit) > INT64_MAX:
        raise failed_to_parse(f"limit value is not a whole number of 64 bits: {value!r}")
    return limit


@command("distinct", fields="key:string! query:object hint:hint")
def distinct(call: Call) -> Document:
    name = call.collection_name()
    check_hint(call, name)
    if "\0" in call.body["key"]:
        raise CommandError(31032, "the key of distinct may not contain a null byte")
    path, query = tuple(call.body["key"].split(".")), call.body.get("query") or {}
    found: dict[Key, Any] = {}
    size = 0
    for document in filter(compile_filter(query, call.scope), candidates(call, name, query)):
        for value in leaves(document, path):
            for item in value if type(value) is list else [value]:
                place = key(item)
                if item is not MISSING and place not in found:
                    found[place] = item
                    size += len(encode({"": item}, codec_options=CODEC))
                    if size > MAX_DOCUMENT:
                        raise CommandError(17217, "distinct too big, 16mb cap")
    collection = call.store.find(call.database, name)
    # Of a view it is an aggregate that answers, whose 1 is no double.
    return {
        "values": [found[place] for place in sorted(found)],
        "ok": 1 if collection is not None and collection.is_view else 1.0,
    }


@command("getMore", fields="collection:string! batchSize:number term:long", refused="lastKnownCommittedOpTime")
def get_more(call: Call) -> Document:
    identity = call.body["getMore"]
    if identity is None:
        raise CommandError(40414, "BSON field 'getMore.getMore' is missing but a required field")
    if type(identity) is not Int64:
        raise type_mismatch(f"BSON field 'getMore.getMore' is the wrong type '{type_name(identity)}', expected 'long'")
    if call.body.get("term") is not None:
        raise not_supported("the option 'term' of getMore")
    collection = call.body["collection"]
    if not collection:
        raise CommandError(73, "Collection names cannot be empty")
    batch = whole(call.body, "batchSize")
    if "maxTimeMS" in call.body and call.body["maxTimeMS"] is not None and call.server.cursors.has(int(identity)):
        raise bad_value("cannot set maxTimeMS on getMore command for a non-awaitData cursor")
    return call.server.cursors.more(int(identity), f"{call.database}.{collection}", call.session.owner, batch)


@command("killCursors", fields="cursors:array!")
def kill_cursors(call: Call) -> Document:
    if type(call.body["killCursors"]) is not str:  # `$cmd.aggregate` and the like are names here
        raise CommandError(73, f"collection name has invalid type {type_name(call.body['killCursors'])}")
    wanted = [identity for identity in call.body["cursors"] if identity is not None]
    for number, identity in enumerate(wanted):
        if type(identity) is not Int64:
            raise type_mismatch(
                f"BSON field 'cursors.{number}' is the wrong type '{type_name(identity)}', expected 'long'"
            )
    killed: list[Int64] = []
    absent: list[Int64] = []
    for identity in wanted:  # one that is named twice is gone the second time
        (killed if call.server.cursors.kill(int(identity), call.session.owner) else absent).append(identity)
    return {"cursorsKilled": killed, "cursorsNotFound": absent, "cursorsAlive": [], "cursorsUnknown": [], "ok": 1.0}
