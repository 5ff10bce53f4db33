"""Statistics, and failures on demand."""

from __future__ import annotations

import datetime as dt
import os
import time

from emulators.mongodb.commands.signin import VERSION
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.stats import collection_stats, scale_of
from emulators.mongodb.values import Document


@command("dbStats", "dbstats", fields="scale freeStorage")
def db_stats(call: Call) -> Document:
    scale = scale_of(call.body.get("scale", 1))
    everything = call.store.collections(call.database)
    collections = [collection for collection in everything if not collection.is_view]
    count, size = sum(map(len, collections)), sum(map(Collection.size, collections))
    return {
        "db": call.database,
        "collections": len(collections),
        "views": len(everything) - len(collections),
        "objects": count,
        "avgObjSize": size / count if count else 0.0,
        "dataSize": size / scale,
        "storageSize": size / scale,
        "indexes": sum(len(collection.indexes) for collection in collections),
        "indexSize": 0.0,
        "totalSize": size / scale,
        "scaleFactor": scale,
        "ok": 1.0,
    }


@command("collStats", "collstats", fields="scale")
def coll_stats(call: Call) -> Document:
    name = call.collection_name()
    found = call.store.find(call.database, name)
    if found is not None and found.is_view:
        raise CommandError(166, f"Namespace {found.namespace} is a view, not a collection")
    if found is None:
        found = Collection(call.database, name, {}, bytes(16), lambda _, __: None)
        return {**collection_stats(found, call.body.get("scale", 1)), "nindexes": 0, "indexSizes": {}, "ok": 1.0}
    return {**collection_stats(found, call.body.get("scale", 1)), "ok": 1.0}


@command("serverStatus", fields="repl metrics locks wiredTiger")
def server_status(call: Call) -> Document:
    counters = call.server.counters
    return {
        "host": "127.0.0.1",
        "version": ".".join(map(str, VERSION[:3])),
        "process": "emulators.mongodb",
        "pid": os.getpid(),
        "uptime": time.monotonic() - call.server.started,
        "localTime": dt.datetime.now(dt.UTC).replace(tzinfo=None),
        "connections": {"current": call.server.connections},
        "opcounters": {
            "insert": counters.get("insert", 0),
            "query": counters.get("find", 0),
            "update": counters.get("update", 0),
            "delete": counters.get("delete", 0),
            "getmore": counters.get("getMore", 0),
            "command": sum(counters.values()),
        },
        "metrics": {"cursor": {"open": {"total": len(call.server.cursors)}}},
        "ok": 1.0,
    }


@command("configureFailPoint", fields="mode data", writes=True)
def configure_fail_point(call: Call) -> Document:
    call.server.failpoints.configure(
        call.body["configureFailPoint"], call.body.get("mode"), call.body.get("data") or {}
    )
    return {"ok": 1.0}
