"""Sizes of collections, in bytes of BSON. There are no storage files: sizes on disk are data sizes, indexes take 0."""

from __future__ import annotations

from typing import Any

from emulators.mongodb.errors import bad_value, type_mismatch
from emulators.mongodb.numeric import cut
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.values import INT32_MAX, Document, type_name


def scale_of(value: Any) -> int:
    """What sizes are divided by: a number from 1, cut, and 1 where it is left out; 14 for another type, 2 for less."""
    if value is None:
        return 1
    scale = cut(value)
    if scale is None:
        raise type_mismatch(f"BSON field 'scale' is the wrong type '{type_name(value)}', expected a number")
    if scale < 1:
        raise bad_value(f"BSON field 'scale' value must be >= 1, actual value '{scale}'")
    return scale


def collection_stats(collection: Collection, scale: Any = 1, *, capped: bool = False) -> Document:
    """The fields of `collStats` that mean something here; `capped`: a scale within 32 bits, as in `$collStats`."""
    divisor, size, count = scale_of(scale), collection.size(), len(collection)
    if capped:
        divisor = min(divisor, INT32_MAX)
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
