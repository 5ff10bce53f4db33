"""`$geoWithin`, `$geoIntersects`, `$near` and `$nearSphere`: what they ask of a stored geometry.

Stored are GeoJSON objects or old coordinate pairs (`[x, y]`, `{x: …, y: …}`). No index is looked through: one is needed
where MongoDB needs one, and the documents are scanned. Source: the manual's "Geospatial Query Operators".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.mongodb.errors import CommandError, bad_value
from emulators.mongodb.numeric import double
from emulators.mongodb.query.geometry import (
    EARTH_METRES,
    Shape,
    Vector,
    angle,
    distance,
    geojson,
    intersects,
    position,
    within,
)
from emulators.mongodb.values import Document, is_number

Pair = tuple[float, float]
Measure = Callable[[Any], float | None]
AREAS = ("$geometry", "$box", "$polygon", "$center", "$centerSphere")
NEAR_OPTIONS = ("$maxDistance", "$minDistance")


def pair(value: Any) -> Pair | None:
    """An old coordinate pair; None for a value that is none."""
    parts = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(parts, list) or len(parts) < 2 or not (is_number(parts[0]) and is_number(parts[1])):
        return None
    found = (double(parts[0]), double(parts[1]))
    return found if all(map(math.isfinite, found)) else None


def needed_pair(value: Any) -> Pair:
    found = pair(value)
    if found is None:
        raise bad_value(f"Point must be an array or object with two numbers, found {value!r}")
    return found


def stored(value: Any) -> Shape | None:
    """A stored geometry on the sphere; None for a value that is none."""
    try:
        if isinstance(value, dict) and type(value.get("type")) is str:
            return geojson(value)
        found = pair(value)
        return None if found is None else Shape([position(list(found))])
    except CommandError as error:
        if error.code != 2:
            raise
        return None


def flat(value: Any) -> Pair | None:
    """The pair of a stored point; None for what is no point."""
    if isinstance(value, dict) and value.get("type") == "Point":
        return pair(value.get("coordinates"))
    return None if isinstance(value, dict) and "type" in value else pair(value)


def compile_within(operand: Any) -> Callable[[Any], bool]:
    """BadValue (2) for an area that is none."""
    if not isinstance(operand, dict):
        raise bad_value("$geoWithin needs an object with an area")
    shapes = [name for name in operand if name in AREAS]
    if len(shapes) != 1 or len(operand) != 1:
        raise bad_value(f"unknown geo specifier: {next(iter(operand), '')!r}")
    name, value = shapes[0], operand[shapes[0]]
    if name == "$geometry":
        area = geojson(value)
        if not area.polygons or area.points or area.lines:
            raise bad_value(f"$geoWithin not supported with provided geometry: {operand}")

        def inside(item: Any) -> bool:
            shape = stored(item)
            return shape is not None and within(shape, area)

        return inside
    if not isinstance(value, list):
        raise bad_value(f"{name} needs an array")
    if name == "$centerSphere":
        return _in_cap(value)
    test = _planar(name, value)

    def contains(item: Any) -> bool:
        point = flat(item)
        return point is not None and test(point)

    return contains


def _circle(name: str, value: list[Any]) -> tuple[Pair, float]:
    if len(value) != 2 or not is_number(value[1]) or not double(value[1]) >= 0:
        raise bad_value(f"{name} needs a centre and a radius that is not negative")
    return needed_pair(value[0]), double(value[1])


def _in_cap(value: list[Any]) -> Callable[[Any], bool]:
    centre, radius = _circle("$centerSphere", value)
    middle = position(list(centre))

    def inside(item: Any) -> bool:
        shape = stored(item)
        return shape is not None and all(angle(middle, point) <= radius + 1e-15 for point in shape.vertices())

    return inside


def _planar(name: str, value: list[Any]) -> Callable[[Pair], bool]:
    if name == "$center":
        (x, y), radius = _circle(name, value)
        return lambda point: math.hypot(point[0] - x, point[1] - y) <= radius
    corners = [needed_pair(item) for item in value]
    if name == "$box":
        if len(corners) < 2:
            raise bad_value("$box needs two corners")
        (left, bottom), (right, top) = corners[:2]
        left, right, bottom, top = min(left, right), max(left, right), min(bottom, top), max(bottom, top)
        return lambda point: left <= point[0] <= right and bottom <= point[1] <= top
    if len(corners) < 3:
        raise bad_value("Polygon must have at least 3 points")
    return lambda point: _in_flat_ring(corners, point)


def _in_flat_ring(ring: list[Pair], point: Pair) -> bool:
    """Whether a point is inside; corners and edges along an axis are, others by their side (`Polygon::contains`)."""
    x, y = point
    edges = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    flat_ring = all((bx - ax) * (ring[0][1] - ay) == (by - ay) * (ring[0][0] - ax) for (ax, ay), (bx, by) in edges)
    inside = False
    for (ax, ay), (bx, by) in edges:
        between = min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)
        counts = flat_ring or ax == bx or ay == by or point in ((ax, ay), (bx, by))
        if counts and between and (bx - ax) * (y - ay) == (by - ay) * (x - ax):
            return True
        if min(ay, by) < y <= max(ay, by) and x <= (y - ay) * (bx - ax) / (by - ay) + ax:
            inside = not inside
    return inside


def compile_intersects(operand: Any) -> Callable[[Any], bool]:
    """BadValue (2) for a geometry that is none."""
    if not isinstance(operand, dict) or list(operand) != ["$geometry"]:
        raise bad_value("$geoIntersects needs an object with $geometry")
    wanted = geojson(operand["$geometry"])

    def meets(item: Any) -> bool:
        shape = stored(item)
        return shape is not None and intersects(shape, wanted)

    return meets


@dataclass(frozen=True)
class Near:
    """Documents by their distance: that of a stored value, or None for what is too far or no place."""

    measure: Measure
    kinds: tuple[str, ...]  # which indexes will do


def compile_near(name: str, siblings: Document, *, endless: bool = False) -> Near:
    """`$near` and `$nearSphere`, in metres with GeoJSON; of a pair in radians on the sphere, else in its own units.

    `endless`: limits may be infinite, as `$geoNear` takes them.
    """
    operand = siblings[name]
    options = {option: siblings[option] for option in NEAR_OPTIONS if option in siblings}
    if isinstance(operand, dict) and "$geometry" in operand:
        unknown = set(operand) - {"$geometry", *NEAR_OPTIONS}
        if unknown:
            raise bad_value(f"invalid argument in geo near query: {min(unknown)}")
        options |= {option: operand[option] for option in NEAR_OPTIONS if option in operand}
        point = geojson(operand["$geometry"])
        kind = operand["$geometry"].get("type", "Point") if isinstance(operand["$geometry"], dict) else "Point"
        if kind != "Point":
            raise bad_value(f"invalid point in geo near query $geometry argument: {operand['$geometry']}")
        return Near(_bounded(_on_sphere(point.points[0], EARTH_METRES), options, endless), ("2dsphere",))
    parts = list(operand.values()) if isinstance(operand, dict) else operand
    if isinstance(parts, list) and len(parts) == 3 and "$maxDistance" not in options:
        parts, options["$maxDistance"] = parts[:2], parts[2]
    where = needed_pair(parts)
    # The server's GeoNearExpression::parseLegacyQuery has codes of its own for these.
    for option, no_number, negative in (("$maxDistance", 16895, 2), ("$minDistance", 16893, 16894)):
        value = options.get(option, 0)
        if not is_number(value):
            raise CommandError(no_number, f"{option} must be a number")
        if not double(value) >= 0:
            raise CommandError(negative, f"{option} must be non-negative")
    if name == "$nearSphere":
        return Near(_bounded(_on_sphere(position(list(where)), 1.0), options, endless), ("2dsphere", "2d"))
    return Near(_bounded(on_plane(where), options, endless), ("2d",))


def _on_sphere(point: Vector, unit: float) -> Measure:
    def measure(item: Any) -> float | None:
        shape = stored(item)
        # In metres first, whatever the unit, as the server does it.
        return None if shape is None else distance(point, shape) * EARTH_METRES / (EARTH_METRES / unit)

    return measure


def on_plane(where: Pair) -> Measure:
    def measure(item: Any) -> float | None:
        found = flat(item)
        return None if found is None else math.hypot(found[0] - where[0], found[1] - where[1])

    return measure


def _bounded(measure: Measure, options: Document, endless: bool) -> Measure:
    bounds = {}
    for option, value in options.items():
        if not is_number(value) or not double(value) >= 0 or (double(value) == math.inf and not endless):
            raise bad_value(f"{option} must be a non-negative number")
        bounds[option] = double(value)
    low, high = bounds.get("$minDistance", 0.0), bounds.get("$maxDistance", math.inf)

    def bounded(item: Any) -> float | None:
        found = measure(item)
        return found if found is not None and low <= found <= high else None

    return bounded


def measure_to(near: Any, spherical: bool, options: Document) -> Near:
    """The distances of a `$geoNear` stage, whose `near` is a GeoJSON point or a pair."""
    if isinstance(near, dict) and "type" in near:
        return compile_near("$near", {"$near": {"$geometry": near, **options}}, endless=True)
    name = "$nearSphere" if spherical else "$near"
    return compile_near(name, {name: near, **options}, endless=True)


def nearest(measure: Measure, values: list[Any]) -> tuple[float, Any] | None:
    """(the distance, the place) of the nearest of some stored values or their elements; None where none is a place."""
    found: list[tuple[float, Any]] = []
    for value in values:
        for item in [value, *(value if type(value) is list and pair(value) is None else ())]:
            far = measure(item)
            if far is not None:
                found.append((far, item))
    return min(found, key=lambda one: one[0], default=None)
