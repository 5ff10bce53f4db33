"""Databases and collections: listing, creating, dropping, renaming, changing a validator."""

from __future__ import annotations

from typing import Any

from bson import Int64

from emulators.mongodb.commands.indexes import change_index
from emulators.mongodb.commands.query import context_of, whole
from emulators.mongodb.cursors import FIRST_BATCH
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError, bad_value, not_supported
from emulators.mongodb.pipeline.core import compile_pipeline
from emulators.mongodb.query.collation import parse_collation
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.values import Document

_OPTIONS = ("viewOn", "pipeline", "validator", "validationLevel", "validationAction", "collation")


@command("listDatabases", fields="nameOnly filter authorizedDatabases")
def list_databases(call: Call) -> Document:
    names_only, matches = bool(call.body.get("nameOnly")), compile_filter(call.body.get("filter") or {})
    rows: list[Document] = []
    total = 0
    for name in call.store.database_names():
        row: Document = {"name": name}
        if not names_only:
            size = sum(collection.size() for collection in call.store.collections(name))
            row |= {"sizeOnDisk": Int64(size), "empty": False}
        if matches(row):
            rows.append(row)
            total += int(row.get("sizeOnDisk", 0))
    if names_only:
        return {"databases": rows, "ok": 1.0}
    return {"databases": rows, "totalSize": Int64(total), "totalSizeMb": Int64(total // 2**20), "ok": 1.0}


@command("listCollections", fields="nameOnly filter authorizedCollections cursor")
def list_collections(call: Call) -> Document:
    matches = compile_filter(call.body.get("filter") or {})
    rows = [row for row in map(_row, call.store.collections(call.database)) if matches(row)]
    if call.body.get("nameOnly"):
        rows = [{"name": row["name"], "type": row["type"]} for row in rows]
    batch = whole(call.body.get("cursor") or {}, "batchSize", FIRST_BATCH)
    return call.server.cursors.start(f"{call.database}.$cmd.listCollections", rows, call.session.owner, batch=batch)


def _row(collection: Collection) -> Document:
    row: Document = {"name": collection.name, "type": "view" if collection.is_view else "collection"}
    row["options"] = collection.options
    if collection.is_view:
        return {**row, "info": {"readOnly": True}}
    return {**row, "info": {"readOnly": False, "uuid": collection.uuid}, "idIndex": collection.indexes["_id_"].spec}


@command(
    "create",
    fields=" ".join(_OPTIONS),
    refused="capped size max timeseries expireAfterSeconds clusteredIndex changeStreamPreAndPostImages storageEngine "
    "indexOptionDefaults encryptedFields autoIndexId",
    writes=True,
)
def create(call: Call) -> Document:
    options = {name: call.body[name] for name in _OPTIONS if name in call.body}
    _check_options(options)
    if "collation" in options:
        collation = parse_collation(options.pop("collation"))
        options |= {"collation": collation.document()} if collation is not None else {}
    if "viewOn" in options:
        options.setdefault("pipeline", [])
        compile_pipeline(options["pipeline"], context_of(call, options["viewOn"]))
    elif "pipeline" in options:
        raise CommandError(72, "'pipeline' requires 'viewOn' to also be specified")
    existing = call.store.find(call.database, call.collection_name())
    if existing is not None and existing.options == options:
        return {"ok": 1.0}  # since MongoDB 7.0, creating what is there with the same options succeeds
    call.store.create(call.database, call.collection_name(), options)
    return {"ok": 1.0}


def _check_options(options: Document) -> None:
    if options.get("validationLevel", "strict") not in ("off", "strict", "moderate"):
        raise bad_value("validationLevel must be 'off', 'strict' or 'moderate'")
    if options.get("validationAction", "error") not in ("error", "warn"):
        raise bad_value("validationAction must be 'error' or 'warn'")
    compile_filter(options.get("validator") or {})


@command(
    "collMod", fields="validator validationLevel validationAction index:object", refused="viewOn pipeline", writes=True
)
def coll_mod(call: Call) -> Document:
    collection = call.store.existing(call.database, call.collection_name())
    changed = {name: call.body[name] for name in _OPTIONS if name in call.body}
    _check_options(changed)
    reply = change_index(collection, call.body["index"]) if call.body.get("index") else {}
    if changed or not reply:
        call.store.set_options(collection, {**collection.options, **changed})
    return {**reply, "ok": 1.0}


@command("drop", writes=True)
def drop(call: Call) -> Document:
    name = call.collection_name()
    collection = call.store.find(call.database, name)
    if collection is None:
        return {"ok": 1.0}  # since MongoDB 7.0, dropping what is not there succeeds
    call.store.drop(call.database, name)
    call.server.cursors.close_namespace(f"{call.database}.{name}")
    return {"nIndexesWas": len(collection.indexes), "ns": f"{call.database}.{name}", "ok": 1.0}


@command("dropDatabase", writes=True)
def drop_database(call: Call) -> Document:
    existed = call.database in call.store.database_names()
    call.store.drop_database(call.database)
    call.server.cursors.close_namespace(f"{call.database}.")
    return {"dropped": call.database, "ok": 1.0} if existed else {"ok": 1.0}


@command("renameCollection", fields="to dropTarget", writes=True)
def rename_collection(call: Call) -> Document:
    if call.database != "admin":
        raise CommandError(13, "renameCollection may only be run against the admin database.")
    database, name = _namespace(call.body["renameCollection"])
    to_database, to_name = _namespace(call.body.get("to"))
    source = call.store.existing(database, name)
    if source.is_view:
        raise not_supported("renaming a view")
    if (database, name) == (to_database, to_name):
        raise CommandError(20, "Can't rename a collection to itself")
    if call.store.find(to_database, to_name) is not None:
        if not call.body.get("dropTarget"):
            raise CommandError(48, "target namespace exists")
        call.store.drop(to_database, to_name)
    call.store.rename(source, to_database, to_name)
    call.server.cursors.close_namespace(f"{database}.{name}")
    return {"ok": 1.0}


def _namespace(value: Any) -> tuple[str, str]:
    database, _, name = value.partition(".") if isinstance(value, str) else ("", "", "")
    if not database or not name:
        raise CommandError(73, f"Invalid namespace specified: {value!r}")
    return database, name
