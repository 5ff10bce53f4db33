"""`$geoNear`, and `$search` with `cosmosSearch`: documents by their distance from a place or from a vector.

Vectors are compared one by one, exactly, where an index of Azure DocumentDB may miss a near one. Sources: the manual's
"$geoNear (aggregation)"; "Vector search" of Azure DocumentDB's documentation for the stage, its options and scores.
"""

from __future__ import annotations

import math
from typing import Any

from emulators.mongodb.deadline import counted, tick
from emulators.mongodb.errors import CommandError, bad_value, failed_to_parse, not_supported, type_mismatch
from emulators.mongodb.numeric import as_integer, double
from emulators.mongodb.pipeline.basic import set_path
from emulators.mongodb.pipeline.core import Context, Stage, Stream, mentions, stage
from emulators.mongodb.query.geo import measure_to, nearest
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.query.paths import field_names, get, tested
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.index import GEO, VECTOR
from emulators.mongodb.values import Document, is_number, truthy, type_name

_GEO_FIELDS = frozenset(
    {"near", "distanceField", "spherical", "maxDistance", "minDistance", "query", "distanceMultiplier", "includeLocs"}
    | {"key"}
)


def _collection(context: Context) -> Collection | None:
    found = context.store.find(context.database, context.collection or "")
    if found is not None and found.is_view:
        raise not_supported("a search through a view")
    return found


def _check_geo_near(argument: Document) -> None:
    for name in argument:
        if name not in _GEO_FIELDS:
            raise bad_value(f"unknown argument to $geoNear: {name}")
    if "near" not in argument:
        raise CommandError(5860400, "$geoNear requires a 'near' argument")
    if type(argument.get("distanceField")) is not str:
        raise CommandError(16606, "$geoNear requires a 'distanceField' option as a string")
    if not isinstance(argument["near"], dict | list):
        raise CommandError(5860401, f"$geoNear requires 'near' to be a point, found {type_name(argument['near'])}")
    query = argument.get("query", {})
    if not isinstance(query, dict):
        raise type_mismatch(f"$geoNear requires 'query' to be an object, found {type_name(query)}")
    if mentions(query, ("$near", "$nearSphere")):
        raise CommandError(5626500, "$geoNear, $near, and $nearSphere are not allowed in this context")
    for name in ("minDistance", "maxDistance", "distanceMultiplier"):
        if not is_number(argument.get(name, 0)):
            raise type_mismatch(f"$geoNear requires '{name}' to be a number, found {type_name(argument[name])}")
    included = argument.get("includeLocs")
    if included is not None and type(included) is not str:
        raise CommandError(16607, "$geoNear requires that 'includeLocs' option is a string")
    factor = argument.get("distanceMultiplier", 1.0)
    if not double(factor) >= 0:
        raise bad_value("$geoNear requires a 'distanceMultiplier' that is not negative")


@stage("$geoNear", first_only=True)
def _geo_near(argument: Any, context: Context) -> Stage:
    if not isinstance(argument, dict):
        raise CommandError(10065, "invalid parameter: expected an object ($geoNear)")
    _check_geo_near(argument)
    target, matches = field_names(argument["distanceField"]), compile_filter(argument.get("query") or {}, context.scope)
    included, factor = argument.get("includeLocs"), double(argument.get("distanceMultiplier", 1.0))
    limits = {f"${name}": argument[name] for name in ("maxDistance", "minDistance") if name in argument}
    near = measure_to(argument["near"], truthy(argument.get("spherical")), limits)
    collection = _collection(context)
    path = _geo_path(argument.get("key"), collection)
    context.scope.meta.offered |= {"geoNearDistance", "geoNearPoint"}

    def run(_: Stream) -> list[Document]:
        found: list[tuple[float, Document]] = []
        for document in counted(collection.documents() if collection is not None else ()):
            place = nearest(near.measure, tested(document, path))
            if place is None or not matches(document):
                continue
            far = place[0] * factor
            row = set_path(document, target, far)
            if included is not None:
                row = set_path(row, field_names(included), place[1])
            context.scope.meta.put(row, "geoNearDistance", far)
            context.scope.meta.put(row, "geoNearPoint", place[1])
            found.append((far, row))
        return [row for _, row in sorted(found, key=lambda one: one[0])]

    return run


def _geo_path(key: Any, collection: Collection | None) -> tuple[str, ...]:
    """The field with the places: `key`, or that of the only geo index."""
    if key is not None:
        if type(key) is not str or not key:
            raise CommandError(14, "$geoNear parameter 'key' must be a string that is not empty")
        if collection is not None:
            collection.need_geo(key, GEO)
        return tuple(key.split("."))
    if collection is None:
        return ("",)
    for kind in reversed(GEO):  # a "2d" index goes before a "2dsphere" one
        paths = [
            path for index in collection.indexes.values() for path, found in index.pattern.items() if found == kind
        ]
        if len(set(paths)) > 1:
            raise CommandError(27, f"There is more than one {kind} index; unsure which to use for $geoNear")
        if paths:
            return tuple(paths[0].split("."))
    raise CommandError(27, "$geoNear requires a 2d or 2dsphere index, but none were found")


_SEARCH_FIELDS = frozenset({"vector", "path", "k", "filter", "nProbes", "efSearch", "lSearch", "oversampling", "exact"})
_MOST_NEIGHBOURS = 10_000


@stage("$search", first_only=True)
def _search(argument: Any, context: Context) -> Stage:
    known = {"cosmosSearch", "returnStoredSource"}
    if not isinstance(argument, dict) or "cosmosSearch" not in argument or set(argument) - known:
        raise not_supported("the pipeline stage $search other than with cosmosSearch")
    spec = argument["cosmosSearch"]
    if not isinstance(spec, dict):
        raise failed_to_parse("$search.cosmosSearch must be an object")
    for name in spec:
        if name not in _SEARCH_FIELDS:
            raise bad_value(f"$search.cosmosSearch does not know '{name}'")
    path, wanted, count = spec.get("path"), numbers(spec.get("vector")), as_integer(spec.get("k"))
    if type(path) is not str or not path:
        raise bad_value("$search.cosmosSearch needs 'path', the name of the field with the vectors")
    if wanted is None:
        raise bad_value("$search.cosmosSearch needs 'vector', an array of numbers")
    if count is None or not 1 <= count <= _MOST_NEIGHBOURS:
        raise bad_value(f"$search.cosmosSearch needs 'k', a whole number from 1 to {_MOST_NEIGHBOURS}")
    matches = compile_filter(spec.get("filter") or {}, context.scope)
    collection = _collection(context)
    options = _vector_options(collection, path)
    if options is not None and len(wanted) != options["dimensions"]:
        raise bad_value(f"the vector has {len(wanted)} dimensions, and the index {options['dimensions']}")
    context.scope.meta.offered.add("searchScore")
    parts, target, number = field_names(path), wanted, count

    def run(_: Stream) -> list[Document]:
        found: list[tuple[float, Document]] = []
        if collection is None or options is None:
            return []
        similarity = options["similarity"]
        for document in counted(collection.documents()):
            stored = numbers(get(document, parts))
            if stored is not None and len(stored) == len(target) and matches(document):
                tick(len(target) // 64)
                found.append((score(similarity, target, stored), document))
        found.sort(key=lambda one: one[0], reverse=similarity != "L2")
        for value, document in found[:number]:
            context.scope.meta.put(document, "searchScore", value)
        return [document for _, document in found[:number]]

    return run


def _vector_options(collection: Collection | None, path: str) -> Document | None:
    """The options of the index on the field; BadValue (2) without one, None without a collection."""
    if collection is None:
        return None
    for index in collection.indexes.values():
        if index.pattern.get(path) == VECTOR:
            index.used += 1
            options: Document = index.spec["cosmosSearchOptions"]
            return options
    raise bad_value(f"$search.cosmosSearch needs an index of the kind {VECTOR} on '{path}'")


def numbers(value: Any) -> list[float] | None:
    """A vector's numbers; None for what is none."""
    if type(value) is not list or not value or not all(map(is_number, value)):
        return None
    return [double(item) for item in value]


def score(similarity: str, left: list[float], right: list[float]) -> float:
    """The cosine or the inner product of two vectors, the larger the nearer; their distance for L2."""
    if similarity == "L2":
        return math.dist(left, right)
    product = math.fsum(a * b for a, b in zip(left, right, strict=True))
    if similarity == "IP":
        return product
    size = math.hypot(*left) * math.hypot(*right)
    return product / size if size else 0.0
