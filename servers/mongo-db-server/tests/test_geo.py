"""Text and geo conditions are explained before the database is asked."""

from __future__ import annotations

from typing import Any

import pytest
from mongo_db_server.errors import InvalidCallError
from mongo_db_server.filters import check_fields

POINT = {"type": "Point", "coordinates": [13.4, 52.5]}
RING = [[0, 0], [1, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    "condition",
    [
        {"$text": {"$search": "coffee", "$language": "en", "$caseSensitive": True}},
        {"at": {"$near": {"$geometry": POINT, "$maxDistance": 500}}},
        {"at": {"$nearSphere": [13.4, 52.5]}},
        {"at": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [RING]}}}},
        {"at": {"$geoWithin": {"$centerSphere": [[0, 0], 0.1]}}},
        {"at": {"$geoWithin": {"$box": [[0, 0], [1, 1]]}}},
        {"at": {"$not": {"$geoIntersects": {"$geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}}}},
        {"at": {"$geoWithin": {"$geometry": {"type": "GeometryCollection", "geometries": [POINT]}}}},
    ],
)
def test_well_formed_conditions_pass(condition: dict[str, Any]) -> None:
    """Every form of the manual is accepted."""
    assert check_fields(condition) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ({"$text": "coffee"}, "needs an object with `\\$search`"),
        ({"$text": {"$search": "x", "$lang": "en"}}, "does not know `\\$lang`"),
        ({"$text": {"$search": "x", "$caseSensitive": "no"}}, "must be a boolean"),
        ({"$or": [{"$text": {"$search": 3}}]}, "needs an object with `\\$search`"),
        ({"at": {"$near": {"$geometry": {"type": "Point", "coordinates": [52.5, 130]}}}}, "are they swapped"),
        ({"at": {"$near": {"lat": 1, "lon": 2}}}, "longitude, latitude"),
        ({"at": {"$near": {"$geometry": POINT, "$maxDistance": -1}}}, "0 or more"),
        ({"at": {"$near": {"$geometry": {"type": "Polygon", "coordinates": [RING]}}}}, "measures from a Point"),
        ({"at": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [RING[:3]]}}}}, "four positions"),
        ({"at": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": RING}}}}, "array of two numbers"),
        ({"at": {"$geoWithin": {"$geometry": {"type": "Circle", "coordinates": [0, 0]}}}}, "GeoJSON geometry needs"),
        ({"at": {"$geoWithin": {"$centerSphere": [[0, 0], -1]}}}, "radius"),
        ({"at": {"$geoIntersects": {"$box": [[0, 0], [1, 1]]}}}, "needs `\\$geometry`"),
        ({"at": {"$geoWithin": {}}}, "one shape"),
        ({"a": {"$elemMatch": {"at": {"$near": ["x", 1]}}}}, "array of two numbers"),
    ],
)
def test_malformed_conditions_are_explained(condition: dict[str, Any], sentence: str) -> None:
    """The sentence says what is wrong and what the form is."""
    with pytest.raises(InvalidCallError, match=sentence):
        check_fields(condition)
