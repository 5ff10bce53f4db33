"""Geo and text conditions, looked at before the database sees them: its own errors seldom say what to do.

Sources: "GeoJSON Objects", "Geospatial Query Operators" and "$text" of the MongoDB manual; RFC 7946.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mongo_db_server.errors import InvalidCallError

OPERATORS = frozenset({"$near", "$nearSphere", "$geoWithin", "$geoIntersects"})
# How many arrays lie around a position in `coordinates`.
_NESTING = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_SHAPES = frozenset({"$geometry", "$box", "$polygon", "$center", "$centerSphere"})
_TEXT = {"$search": str, "$language": str, "$caseSensitive": bool, "$diacriticSensitive": bool}


def check_text(value: Any) -> None:
    """Raises InvalidCallError for a malformed `$text`."""
    if not isinstance(value, Mapping) or not isinstance(value.get("$search"), str):
        raise InvalidCallError('`$text` needs an object with `$search`, as in {"$search": "coffee shop"}.')
    for name, given in value.items():
        if name not in _TEXT:
            raise InvalidCallError(f"`$text` does not know `{name}`: it has {', '.join(sorted(_TEXT))}.")
        if type(given) is not _TEXT[name]:
            raise InvalidCallError(f"`{name}` of `$text` must be a {'string' if _TEXT[name] is str else 'boolean'}.")


def check_geo(operator: str, value: Any) -> None:
    """Raises InvalidCallError for a malformed operand of `$near`, `$nearSphere`, `$geoWithin` or `$geoIntersects`."""
    if operator in ("$near", "$nearSphere"):
        _check_near(operator, value)
        return
    if not isinstance(value, Mapping) or len(_SHAPES & value.keys()) != 1:
        raise InvalidCallError(f"`{operator}` needs an object with one shape, usually `$geometry`.")
    shape = next(iter(_SHAPES & value.keys()))
    if operator == "$geoIntersects" and shape != "$geometry":
        raise InvalidCallError("`$geoIntersects` needs `$geometry`.")
    if shape == "$geometry":
        check_geometry(value[shape])
    else:
        _check_legacy(shape, value[shape])


def _check_near(operator: str, value: Any) -> None:
    if isinstance(value, list):
        _check_pair(value)
        return
    if not isinstance(value, Mapping) or "$geometry" not in value:
        raise InvalidCallError(
            f'`{operator}` needs {{"$geometry": {{"type": "Point", "coordinates": [longitude, latitude]}}}}.'
        )
    if not isinstance(value["$geometry"], Mapping) or value["$geometry"].get("type") != "Point":
        raise InvalidCallError(f"`{operator}` measures from a Point.")
    check_geometry(value["$geometry"])
    for name in ("$minDistance", "$maxDistance"):
        if name in value and (not _is_number(value[name]) or value[name] < 0):
            raise InvalidCallError(f"`{name}` must be a distance in metres, 0 or more.")


def check_geo_near(stage: Any) -> None:
    """Raises InvalidCallError for a malformed `$geoNear` stage."""
    if not isinstance(stage, Mapping) or "near" not in stage:
        raise InvalidCallError("`$geoNear` needs `near`, a Point, and `distanceField`.")
    if isinstance(stage["near"], Mapping):
        check_geometry(stage["near"])
    else:
        _check_pair(stage["near"])
    if "distanceField" in stage and not isinstance(stage["distanceField"], str):
        raise InvalidCallError("`distanceField` of `$geoNear` must be the name of a field.")


def check_geometry(value: Any) -> None:
    """Raises InvalidCallError for what is no GeoJSON geometry on the Earth."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == "GeometryCollection" and isinstance(value.get("geometries"), list):
        for inner in value["geometries"]:
            check_geometry(inner)
        return
    if kind not in _NESTING or not isinstance(value.get("coordinates"), list):
        raise InvalidCallError(f"A GeoJSON geometry needs `type` ({', '.join(_NESTING)}) and `coordinates`.")
    _check_coordinates(value["coordinates"], _NESTING[kind], ring=kind.endswith("Polygon"))


def _check_coordinates(value: Any, nesting: int, *, ring: bool) -> None:
    if nesting == 0:
        _check_position(value)
        return
    if not isinstance(value, list) or not value:
        raise InvalidCallError("`coordinates` are nested less deeply than the geometry's type needs.")
    for inner in value:
        _check_coordinates(inner, nesting - 1, ring=ring)
    if ring and nesting == 1 and (len(value) < 4 or value[0] != value[-1]):
        raise InvalidCallError("A ring of a Polygon needs at least four positions, the last equal to the first.")


def _check_position(value: Any) -> None:
    _check_pair(value)
    longitude, latitude = value[0], value[1]
    if not -180 <= longitude <= 180 or not -90 <= latitude <= 90:
        raise InvalidCallError(
            f"A position is [longitude, latitude]: longitude {longitude} must be within ±180, "
            f"latitude {latitude} within ±90 (are they swapped?)."
        )


def _check_legacy(shape: str, value: Any) -> None:
    least = 3 if shape == "$polygon" else 2
    if not isinstance(value, list) or len(value) < least or (least == 2 and len(value) != 2):
        raise InvalidCallError(f"`{shape}` is malformed.")
    if shape in ("$center", "$centerSphere"):
        _check_pair(value[0])
        if not _is_number(value[1]) or value[1] < 0:
            raise InvalidCallError(f"The radius of `{shape}` must be a number, 0 or more.")
        return
    for pair in value:
        _check_pair(pair)


def _check_pair(value: Any) -> None:
    if not isinstance(value, list) or len(value) < 2 or not all(map(_is_number, value)):
        raise InvalidCallError("A position must be an array of two numbers, [longitude, latitude].")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
