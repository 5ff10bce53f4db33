"""Stages that make their own documents: `$documents`, `$collStats`, `$indexStats`."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from typing import Any

from bson import Int64

from emulators.mongodb.errors import CommandError, not_supported, type_mismatch
from emulators.mongodb.expr.core import compile_expression
from emulators.mongodb.pipeline.core import Context, Stage, Stream, stage
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.stats import collection_stats
from emulators.mongodb.values import Document, type_name


@stage("$documents", first_only=True)
def _documents(argument: Any, context: Context) -> Stage:
    found = compile_expression(argument, context.scope)({}, context.scope.start({}))
    if type(found) is not list or not all(type(item) is dict for item in found):
        raise CommandError(5858203, "$documents takes an array of objects")
    return lambda _: iter(found)


_STATS = ("latencyStats", "storageStats", "count", "queryExecStats")


@stage("$collStats", first_only=True)
def _coll_stats(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(5447000, f"$collStats must take a nested object but found: {type_name(argument)}")
    for name, value in argument.items():
        _check_stats_option(name, value)

    def run(_: Stream) -> Iterator[Document]:
        collection = context.store.find(context.database, context.collection or "")
        if collection is not None and collection.is_view:
            raise CommandError(166, f"Namespace {collection.namespace} is a view, not a collection")
        row: Document = {
            "ns": f"{context.database}.{context.collection}",
            "host": f"{socket.gethostname()}:27017",
            "localTime": dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0),
        }
        if argument.get("storageStats") is not None:
            shown = collection or Collection(
                context.database, context.collection or "", {}, bytes(16), lambda _, __: None
            )
            row["storageStats"] = collection_stats(shown, argument["storageStats"].get("scale"), capped=True)
        if argument.get("count") is not None:
            if collection is None:
                raise CommandError(26, f"Unable to retrieve count in $collStats stage: ns {row['ns']} does not exist")
            row["count"] = len(collection)
        yield row

    return run


def _check_stats_option(name: str, value: Any) -> None:
    if name not in _STATS:
        raise CommandError(40415, f"BSON field '$collStats.{name}' is an unknown field.")
    if value is None:
        return
    if not isinstance(value, dict):
        raise type_mismatch(
            f"BSON field '$collStats.{name}' is the wrong type '{type_name(value)}', expected type 'object'"
        )
    if name in ("count", "queryExecStats") and value:
        raise CommandError(31170, f"'{name}' takes no options, but found {value}")
    if name == "storageStats":
        for field in value:
            if field not in ("scale", "verbose", "waitForLock", "numericOnly"):
                raise CommandError(40415, f"BSON field '$collStats.storageStats.{field}' is an unknown field.")
        return
    if name == "latencyStats":
        for field, item in value.items():
            if field != "histograms":
                raise CommandError(40415, f"BSON field '$collStats.latencyStats.{field}' is an unknown field.")
            if not isinstance(item, bool):
                raise type_mismatch(
                    f"BSON field 'latencyStats.histograms' is the wrong type '{type_name(item)}', expected bool"
                )
    if name in ("latencyStats", "queryExecStats"):
        raise not_supported(f"$collStats with {name}")


@stage("$indexStats", first_only=True)
def _index_stats(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict) or argument:
        raise CommandError(28803, "The $indexStats stage specification must be an empty object")

    def run(_: Stream) -> Iterator[Document]:
        collection = context.store.find(context.database, context.collection or "")
        while collection is not None and collection.is_view:
            collection = context.store.find(context.database, collection.options["viewOn"])
        for index in collection.indexes.values() if collection is not None else ():
            yield {
                "name": index.name,
                "key": index.pattern,
                "host": f"{socket.gethostname()}:27017",
                "accesses": {"ops": Int64(index.used), "since": index.since.replace(microsecond=0)},
                "spec": index.spec,
            }

    return run
