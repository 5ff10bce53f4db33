"""Sizes of collections, in bytes of BSON. There are no storage files: sizes on disk are data sizes, indexes take 0."""

from __future__ import annotations

from typing import Any

from emulators.mongodb.errors import bad_value
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.values import INT64_MAX, Document


def scale_of(value: Any) -> int:
    scale = as_integer(value)
    if scale is None or not 1 <= scale <= INT64_MAX:
        raise bad_value("scale has to be a positive whole number")
    return scale


def collection_stats(collection: Collection, scale: Any = 1) -> Document:
    """The fields of `collStats` that mean something here."""
    divisor, size, count = scale_of(scale), collection.size(), len(collection)
    stats: Document = {"ns": collection.namespace, "size": size // divisor, "count": count}
    if count:
        stats["avgObjSize"] = size // count
    return {
        **stats,
        "storageSize": size // divisor,
        "freeStorageSize": 0,
        "capped": False,
        "nindexes": len(collection.indexes),
        "indexSizes": dict.fromkeys(collection.indexes, 0),
        "indexBuilds": [],
        "totalIndexSize": 0,
        "totalSize": size // divisor,
        "scaleFactor": divisor,
    }
