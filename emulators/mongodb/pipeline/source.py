"""Stages that make their own documents: `$documents`, `$collStats`, `$indexStats`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bson import Int64

from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.expr.core import compile_expression
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.storage.stats import collection_stats
from emulators.mongodb.values import Document


@stage("$documents", first_only=True)
def _documents(argument: Any, context: Context) -> Stage:
    found = compile_expression(argument, context.scope)({}, context.scope.start({}))
    if type(found) is not list or not all(type(item) is dict for item in found):
        raise CommandError(5858203, "$documents takes an array of objects")
    return lambda _: iter(found)


@stage("$collStats", first_only=True)
def _coll_stats(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(5447000, "$collStats must take a nested object")
    unknown = set(argument) - {"storageStats", "count"}
    if unknown:
        raise not_supported(f"$collStats with {min(unknown)}")

    def run(_: Stream) -> Iterator[Document]:
        collection = context.store.existing(context.database, context.collection or "")
        row: Document = {"ns": collection.namespace, "host": "127.0.0.1"}
        if "storageStats" in argument:
            scale = (argument["storageStats"] or {}).get("scale", 1)
            row["storageStats"] = collection_stats(collection, scale)
        if "count" in argument:
            row["count"] = Int64(len(collection))
        yield row

    return run


@stage("$indexStats", first_only=True)
def _index_stats(argument: Any, context: Context) -> Stage:
    raise not_supported("$indexStats (this server's queries use no indexes, so it has nothing to count)")
