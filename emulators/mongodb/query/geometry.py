"""Points, lines and polygons on a sphere: whether one lies within another, whether two meet, how far a point is.

A position is a unit vector; an edge is the shorter great circle between its ends, as MongoDB's 2dsphere has it. A
polygon is the side of its ring that fits in a hemisphere; one that does not is refused by name. Source: the manual's
"GeoJSON Objects".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from emulators.mongodb.deadline import tick
from emulators.mongodb.errors import bad_value, not_supported
from emulators.mongodb.numeric import double
from emulators.mongodb.values import is_number

EARTH_METRES = 6_378_100.0
_NEAR = 1e-9  # radians: 6 millimetres on the Earth
Vector = tuple[float, float, float]
Ring = list[Vector]


@dataclass
class Shape:
    """What a geometry consists of. Each polygon is its outer ring, then its holes; rings are not closed."""

    points: list[Vector] = field(default_factory=list)
    lines: list[list[Vector]] = field(default_factory=list)
    polygons: list[list[Ring]] = field(default_factory=list)

    def vertices(self) -> Iterator[Vector]:
        yield from self.points
        for line in self.lines:
            yield from line
        for polygon in self.polygons:
            for ring in polygon:
                yield from ring

    def edges(self) -> Iterator[tuple[Vector, Vector]]:
        for line in self.lines:
            yield from pairwise(line)
        for polygon in self.polygons:
            for ring in polygon:
                yield from edges_of(ring)


def edges_of(ring: Ring) -> Iterator[tuple[Vector, Vector]]:
    return pairwise([*ring, ring[0]])


def vector(longitude: float, latitude: float) -> Vector:
    x, y = math.radians(longitude), math.radians(latitude)
    return (math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y))


def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _length(a: Vector) -> float:
    return math.sqrt(dot(a, a))


def angle(a: Vector, b: Vector) -> float:
    """The distance of two positions in radians; exact for near ones too."""
    return math.atan2(_length(cross(a, b)), dot(a, b))


def to_edge(point: Vector, a: Vector, b: Vector) -> float:
    """The distance of a point from an edge in radians."""
    normal = cross(a, b)
    size = _length(normal)
    if size > 1e-15 and dot(cross(normal, a), point) > 0 > dot(cross(normal, b), point):
        height = dot(point, normal) / (size * size)
        foot = (point[0] - height * normal[0], point[1] - height * normal[1], point[2] - height * normal[2])
        return angle(point, foot)
    return min(angle(point, a), angle(point, b))


def _crossing(a: Vector, b: Vector, c: Vector, d: Vector) -> bool:
    """Whether two edges cross between their ends."""
    first, second = cross(a, b), cross(c, d)
    sides = (dot(first, c), dot(first, d), dot(second, a), dot(second, b))
    if min(map(abs, sides)) < 1e-15 or sides[0] * sides[1] > 0 or sides[2] * sides[3] > 0:
        return False
    meeting = cross(first, second)
    if dot(meeting, _centre([a, b, c, d])) < 0:
        meeting = (-meeting[0], -meeting[1], -meeting[2])
    return dot(meeting, _centre([a, b])) > 0 and dot(meeting, _centre([c, d])) > 0


def _centre(ring: Ring) -> Vector:
    """The direction of the middle of some positions; no unit vector."""
    return (sum(p[0] for p in ring), sum(p[1] for p in ring), sum(p[2] for p in ring))


def _on_ring(ring: Ring, point: Vector) -> bool:
    return any(to_edge(point, a, b) < _NEAR for a, b in edges_of(ring))


def _in_ring(ring: Ring, point: Vector) -> bool:
    """Whether a point lies inside of a ring: the directions to the vertices go round it."""
    if dot(point, _centre(ring)) <= 0:
        return False
    turned = 0.0
    for a, b in edges_of(ring):
        tick()
        turned += math.atan2(dot(point, cross(a, b)), dot(a, b) - dot(a, point) * dot(b, point))
    return abs(turned) > math.pi


def in_polygon(polygon: list[Ring], point: Vector) -> bool:
    """Whether a point lies in a polygon; its border belongs to it."""
    if _on_ring(polygon[0], point):
        return True
    return _in_ring(polygon[0], point) and not any(
        _in_ring(hole, point) and not _on_ring(hole, point) for hole in polygon[1:]
    )


def _inside(polygon: list[Ring], point: Vector) -> bool:
    """Whether a point lies in a polygon and not on its border."""
    return in_polygon(polygon, point) and not any(_on_ring(ring, point) for ring in polygon)


def _inner_point(polygon: list[Ring]) -> Vector:
    """A point inside: the middle, or that of two neighbours' neighbours where the ring is bent."""
    ring = polygon[0]
    for place, point in enumerate([_centre(ring), *ring]):
        a, b = ring[place - 2], ring[place % len(ring)]
        near = point if not place else (a[0] + point[0] + b[0], a[1] + point[1] + b[1], a[2] + point[2] + b[2])
        size = _length(near)
        if size > 1e-12:
            found = (near[0] / size, near[1] / size, near[2] / size)
            if _inside(polygon, found):
                return found
    return ring[0]


def _covers(polygon: list[Ring], part: list[Vector], edges: list[tuple[Vector, Vector]]) -> bool:
    if not all(in_polygon(polygon, point) for point in part):
        return False
    return not any(_crossing(*edge, *border) for edge in edges for ring in polygon for border in edges_of(ring))


def within(shape: Shape, area: Shape) -> bool:
    """Whether every part of a shape lies in one of the polygons of an area."""
    for point in shape.points:
        if not any(in_polygon(polygon, point) for polygon in area.polygons):
            return False
    for line in shape.lines:
        if not any(_covers(polygon, line, list(pairwise(line))) for polygon in area.polygons):
            return False
    for inner in shape.polygons:
        edges = list(edges_of(inner[0]))
        if not any(
            _covers(polygon, inner[0], edges)
            and not any(in_polygon(inner, hole[0]) and not _on_ring(inner[0], hole[0]) for hole in polygon[1:])
            for polygon in area.polygons
        ):
            return False
    return True


def intersects(left: Shape, right: Shape) -> bool:
    """Whether two shapes have a point in common."""
    for one, other in ((left, right), (right, left)):
        for polygon in one.polygons:
            # Polygons that share a border only do not meet.
            inner = [_inner_point(polygon), *polygon[0]]
            if any(_inside(area, point) for area in other.polygons for point in inner):
                return True
        for point in (*one.points, *(point for line in one.lines for point in line)):
            if any(in_polygon(polygon, point) for polygon in other.polygons):
                return True
            if any(to_edge(point, a, b) < _NEAR for a, b in other.edges()):
                return True
            if any(angle(point, end) < _NEAR for end in other.points):
                return True
    return any(_crossing(*edge, *border) for edge in left.edges() for border in right.edges())


def distance(point: Vector, shape: Shape) -> float:
    """The distance of a point from the nearest part of a shape, in radians."""
    if any(in_polygon(polygon, point) for polygon in shape.polygons):
        return 0.0
    found = [angle(point, other) for other in shape.points]
    found += [to_edge(point, a, b) for a, b in shape.edges()]
    return min(found, default=math.inf)


def number(value: Any) -> float:
    """A coordinate as a double; BadValue (2) for what is none."""
    if not is_number(value):
        raise bad_value(f"Point must only contain numeric elements, found {value!r}")
    found = double(value)
    if not math.isfinite(found):
        raise bad_value(f"Point coordinates must be finite numbers, found {value!r}")
    return found


def position(value: Any) -> Vector:
    """A position `[longitude, latitude]`; BadValue (2) for one that is not on the Earth."""
    if not isinstance(value, list) or len(value) < 2:
        raise bad_value(f"GeoJSON coordinates must be an array of two numbers, found {value!r}")
    longitude, latitude = number(value[0]), number(value[1])
    if not -180 <= longitude <= 180 or not -90 <= latitude <= 90:
        raise bad_value(f"longitude/latitude is out of bounds, lng: {longitude} lat: {latitude}")
    return vector(longitude, latitude)


def _positions(value: Any, least: int, kind: str) -> list[Vector]:
    if not isinstance(value, list) or len(value) < least:
        raise bad_value(f"{kind} must have at least {least} positions, found {value!r}")
    return [position(item) for item in value]


def _line(value: Any) -> list[Vector]:
    found = _positions(value, 2, "GeoJSON LineString coordinates")
    found = [point for number_, point in enumerate(found) if not number_ or angle(point, found[number_ - 1]) > _NEAR]
    if len(found) < 2:
        raise bad_value("GeoJSON LineString must have at least 2 vertices that differ")
    return found


def _polygon(value: Any) -> list[Ring]:
    if not isinstance(value, list) or not value:
        raise bad_value("Polygon coordinates must be an array of rings")
    rings = []
    for item in value:
        closed = _positions(item, 4, "Loop of a polygon")
        if angle(closed[0], closed[-1]) > _NEAR:
            raise bad_value(f"Loop is not closed: {item!r}")
        ring = [
            point for place, point in enumerate(closed[:-1]) if not place or angle(point, closed[place - 1]) > _NEAR
        ]
        if len(ring) < 3:
            raise bad_value(f"Loop must have at least 3 different vertices: {item!r}")
        edges = list(edges_of(ring))
        if any(_crossing(*edge, *other) for place, edge in enumerate(edges) for other in edges[place + 2 :]):
            raise bad_value(f"Loop is not valid: edges cross in {item!r}")
        rings.append(ring)
    middle = _centre(rings[0])
    if any(dot(middle, point) <= 0 for point in rings[0]):
        raise not_supported("a polygon that does not fit in a hemisphere")
    for hole in rings[1:]:
        if not all(_in_ring(rings[0], point) or _on_ring(rings[0], point) for point in hole):
            raise bad_value("Secondary loops not contained by first exterior loop - secondary loops must be holes")
    return rings


def _check_system(system: Any) -> None:
    """The coordinates must be longitude and latitude of WGS84."""
    if system is None:
        return
    name = system.get("properties", {}).get("name") if isinstance(system, dict) else None
    if name == "urn:x-mongodb:crs:strictwinding:EPSG:4326":
        raise not_supported("the coordinate system with strict winding order")
    if name not in ("EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84"):
        raise bad_value(f"Unknown CRS name: {name!r}")


def _collection(geometries: Any) -> Shape:
    if not isinstance(geometries, list) or not geometries:
        raise bad_value("GeometryCollection geometries must be a non-empty array")
    shape = Shape()
    for item in geometries:
        part = geojson(item)
        shape.points += part.points
        shape.lines += part.lines
        shape.polygons += part.polygons
    return shape


def _with_type(value: Any) -> Any:
    """The geometry with its type, where an old pair or bare coordinates stand for a point."""
    if isinstance(value, list):
        return {"type": "Point", "coordinates": value}
    if not isinstance(value, dict) or "type" in value:
        return value
    if "coordinates" in value:
        return {"type": "Point", **value}
    return {"type": "Point", "coordinates": list(value.values())} if len(value) >= 2 else value


def geojson(value: Any) -> Shape:
    """A GeoJSON geometry, or an old pair; BadValue (2) for what is none."""
    value = _with_type(value)
    if not isinstance(value, dict) or type(value.get("type")) is not str:
        raise bad_value(f"unknown GeoJSON type: {value!r}")
    kind, coordinates = value["type"], value.get("coordinates")
    _check_system(value.get("crs"))
    if kind == "GeometryCollection":
        return _collection(value.get("geometries"))
    if kind == "Point" and isinstance(coordinates, dict):
        coordinates = list(coordinates.values())
    if not isinstance(coordinates, list):
        raise bad_value(f"GeoJSON {kind} needs an array of coordinates, found {coordinates!r}")
    match kind:
        case "Point":
            return Shape([position(coordinates)])
        case "MultiPoint":
            return Shape(_positions(coordinates, 1, "MultiPoint coordinates"))
        case "LineString":
            return Shape(lines=[_line(coordinates)])
        case "Polygon":
            return Shape(polygons=[_polygon(coordinates)])
        case "MultiLineString" | "MultiPolygon":
            if not coordinates:
                raise bad_value(f"{kind} coordinates must have at least 1 element")
            if kind == "MultiPolygon":
                return Shape(polygons=[_polygon(item) for item in coordinates])
            return Shape(lines=[_line(item) for item in coordinates])
    raise bad_value(f"unknown GeoJSON type: {kind}")
