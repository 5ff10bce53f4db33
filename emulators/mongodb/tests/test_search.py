"""Text search, places, vectors and collations: what the manual says of each, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from bson import Decimal128

from emulators.mongodb.query.stem import stem

Run = Callable[..., dict[str, Any]]
Find = Callable[..., list[dict[str, Any]]]


def index(run: Run, key: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run({"createIndexes": "c", "indexes": [{"key": key, "name": "x", **options}]})


def ids(rows: list[dict[str, Any]]) -> list[Any]:
    return [row["_id"] for row in rows]


@pytest.fixture
def articles(run: Run) -> None:
    texts = ["Coffee and cakes", "Running a coffee shop", "Baking a cake: café style", "Indoor plants"]
    run({"insert": "c", "documents": [{"_id": number, "text": text} for number, text in enumerate(texts)]})
    assert index(run, {"text": "text"})["ok"] == 1.0


@pytest.mark.usefixtures("articles")
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("coffee", [0, 1]),
        ("COFFEE cakes", [0, 1, 2]),
        ("run", [1]),
        ('"coffee shop"', [1]),
        ("coffee -shop", [0]),
        ("cafe", [2]),
        ("the and of", []),
        ("-coffee", []),
        ('cake -"and cakes"', [2]),
    ],
)
def test_text_finds(find: Find, search, found):
    assert ids(find("c", {"$text": {"$search": search}})) == found


@pytest.mark.usefixtures("articles")
def test_text_may_tell_case_and_marks_apart(find: Find):
    assert ids(find("c", {"$text": {"$search": "Coffee", "$caseSensitive": True}})) == [0]
    assert ids(find("c", {"$text": {"$search": "cafe", "$diacriticSensitive": True}})) == []


@pytest.mark.usefixtures("articles")
def test_the_best_match_comes_first_and_shows_its_score(run: Run, find: Find):
    score = {"$meta": "textScore"}
    rows = find("c", {"$text": {"$search": "coffee cake"}}, projection={"score": score}, sort={"score": score})
    assert (rows[0]["_id"], rows[0]["score"], rows[0]["text"]) == (0, 1.5, "Coffee and cakes")
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    pipeline = [{"$match": {"$text": {"$search": "coffee"}}}, {"$sort": {"s": score}}, {"$project": {"s": score}}]
    assert run({"aggregate": "c", "pipeline": pipeline, "cursor": {}})["cursor"]["firstBatch"][0] == {
        "_id": 0,
        "s": 0.75,
    }


@pytest.mark.usefixtures("articles")
def test_the_text_index_follows_the_documents(run: Run, find: Find):
    run({"update": "c", "updates": [{"q": {"_id": 3}, "u": {"$set": {"text": "iced coffee"}}}]})
    run({"delete": "c", "deletes": [{"q": {"_id": 0}, "limit": 1}]})
    assert ids(find("c", {"$text": {"$search": "coffee"}})) == [1, 3]
    assert find("c", {"$text": {"$search": "plants"}}) == []


def test_weights_and_every_text(run: Run, find: Find):
    run({"insert": "c", "documents": [{"_id": 1, "a": "tea", "b": {"c": ["milk"]}}, {"_id": 2, "a": "milk"}]})
    index(run, {"$**": "text"}, weights={"a": 5})
    score = {"$meta": "textScore"}
    rows = find("c", {"$text": {"$search": "milk"}}, projection={"score": score}, sort={"score": score})
    assert [(row["_id"], row["score"]) for row in rows] == [(2, 5.5), (1, 1.1)]


@pytest.mark.usefixtures("articles")
def test_a_text_index_is_shown_as_mongodb_shows_it(run: Run):
    spec = run({"listIndexes": "c"})["cursor"]["firstBatch"][1]
    assert spec == {
        "v": 2, "key": {"_fts": "text", "_ftsx": 1}, "name": "x", "weights": {"text": 1}, "default_language": "english",
        "language_override": "language", "textIndexVersion": 3,
    }  # fmt: skip


@pytest.mark.usefixtures("articles")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"find": "c", "filter": {"$text": {"$search": "x", "$language": "french"}}}, 238),
        ({"find": "c", "filter": {"$text": {"$search": 1}}}, 14),
        ({"find": "other", "filter": {"$text": {"$search": "x"}}}, 27),
        ({"find": "c", "sort": {"s": {"$meta": "textScore"}}}, 40218),
        ({"aggregate": "c", "pipeline": [{"$limit": 1}, {"$match": {"$text": {"$search": "x"}}}], "cursor": {}}, 17313),
        ({"createIndexes": "c", "indexes": [{"key": {"b": "text"}, "name": "y"}]}, 67),
    ],
)
def test_text_is_refused(run: Run, command, code):
    run({"insert": "other", "documents": [{}]})
    assert run(command).get("code") == code


@pytest.mark.parametrize(
    ("word", "root"),
    [
        ("running", "run"), ("flies", "fli"), ("happiness", "happi"), ("generously", "generous"), ("hopping", "hop"),
        ("hoping", "hope"), ("relational", "relat"), ("cries", "cri"), ("ties", "tie"), ("agreed", "agre"),
        ("consistency", "consist"), ("knightly", "knight"), ("skies", "sky"), ("controll", "control"),
        ("adjustment", "adjust"), ("formaliti", "formal"), ("yelling", "yell"), ("dyed", "dy"), ("eyyy", "eyyy"),
    ],
)  # fmt: skip
def test_a_word_has_its_stem(word, root):
    assert stem(word) == root


_BERLIN, _PARIS, _LONDON = [13.4, 52.52], [2.35, 48.86], [-0.13, 51.51]
_EUROPE = {"type": "Polygon", "coordinates": [[[-10, 40], [20, 40], [20, 60], [-10, 60], [-10, 40]]]}


def point(coordinates: list[float]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": coordinates}


@pytest.fixture
def cities(run: Run) -> None:
    places = {"Berlin": _BERLIN, "Paris": _PARIS, "London": _LONDON, "New York": [-74, 40.7]}
    run({"insert": "c", "documents": [{"_id": name, "at": point(where)} for name, where in places.items()]})
    assert index(run, {"at": "2dsphere"})["ok"] == 1.0


@pytest.mark.usefixtures("cities")
def test_near_sorts_by_distance_and_has_bounds(find: Find):
    near = {"$geometry": point(_PARIS), "$minDistance": 1, "$maxDistance": 1_000_000}
    assert ids(find("c", {"at": {"$near": near}})) == ["London", "Berlin"]
    assert ids(find("c", {"at": {"$nearSphere": _PARIS, "$maxDistance": 0.1}})) == ["Paris", "London"]


@pytest.mark.usefixtures("cities")
@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"$geoWithin": {"$geometry": _EUROPE}}, ["Berlin", "Paris", "London"]),
        ({"$geoIntersects": {"$geometry": _EUROPE}}, ["Berlin", "Paris", "London"]),
        ({"$geoWithin": {"$centerSphere": [_PARIS, 0.06]}}, ["Paris", "London"]),
        ({"$geoWithin": {"$box": [[-1, 40], [3, 52]]}}, ["Paris", "London"]),
        ({"$geoWithin": {"$center": [_BERLIN, 1]}}, ["Berlin"]),
        ({"$geoWithin": {"$polygon": [[0, 40], [5, 40], [5, 50], [0, 50]]}}, ["Paris"]),
        (
            {"$geoIntersects": {"$geometry": {"type": "LineString", "coordinates": [_PARIS, _BERLIN]}}},
            ["Berlin", "Paris"],
        ),
    ],
)
def test_places_are_found(find: Find, condition, found):
    assert ids(find("c", {"at": condition})) == found


@pytest.mark.usefixtures("cities")
def test_geo_near_adds_the_distance_in_metres(run: Run):
    stage = {"$geoNear": {"near": point(_PARIS), "distanceField": "far.metres", "query": {"_id": {"$ne": "Paris"}}}}
    rows = run({"aggregate": "c", "pipeline": [stage, {"$limit": 2}], "cursor": {}})["cursor"]["firstBatch"]
    assert ids(rows) == ["London", "Berlin"]
    # Great circle on a sphere of 6378.1 km.
    assert rows[0]["far"]["metres"] == pytest.approx(343_700, rel=0.002)


def test_a_hole_is_outside_and_lines_cross(run: Run, find: Find):
    hole = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
    area = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], hole]}
    line = {"type": "LineString", "coordinates": [[-5, 2], [15, 2]]}
    rows = [{"_id": "in", "at": point([2, 2])}, {"_id": "hole", "at": point([5, 5])}, {"_id": "line", "at": line}]
    run({"insert": "c", "documents": rows})
    assert ids(find("c", {"at": {"$geoWithin": {"$geometry": area}}})) == ["in"]
    assert ids(find("c", {"at": {"$geoIntersects": {"$geometry": area}}})) == ["in", "line"]


@pytest.mark.usefixtures("cities")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"insert": "c", "documents": [{"at": point([200, 0])}]}, 16755),
        ({"find": "c", "filter": {"other": {"$near": {"$geometry": point(_PARIS)}}}}, 291),
        ({"find": "c", "filter": {"at": {"$not": {"$near": _PARIS}}}}, 2),
        ({"find": "c", "filter": {"at": {"$geoWithin": {"$geometry": point(_PARIS)}}}}, 2),
        ({"aggregate": "c", "pipeline": [{"$match": {"at": {"$near": _PARIS}}}], "cursor": {}}, 5626500),
        ({"aggregate": "c", "pipeline": [{"$geoNear": {"near": point(_PARIS)}}], "cursor": {}}, 16606),
        ({"find": "c", "filter": {"at": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [
            [[0, 0], [120, 0], [-120, 0], [0, 0]]]}}}}}, 238),
    ],
)  # fmt: skip
def test_places_are_refused(run: Run, command, code):
    reply = run(command)
    error = reply["writeErrors"][0] if "writeErrors" in reply else reply
    assert error.get("code") == code


def test_a_polygon_is_the_smaller_side_of_its_ring(run: Run, find: Find):
    """Written from -170 to 170 degrees it lies about the date line, where its edges are shorter."""
    run(
        {
            "insert": "c",
            "documents": [{"_id": "date line", "at": point([180, 0])}, {"_id": "Paris", "at": point(_PARIS)}],
        }
    )
    ring = [[-170, -60], [170, -60], [170, 60], [-170, 60], [-170, -60]]
    area = {"type": "Polygon", "coordinates": [ring]}
    assert ids(find("c", {"at": {"$geoWithin": {"$geometry": area}}})) == ["date line"]


@pytest.mark.parametrize("place", [[1, math.inf], [math.inf, 1], [math.nan, 1], [1, Decimal128("sNaN")]], ids=str)
@pytest.mark.parametrize("area", ["$center", "$centerSphere"])
def test_a_stored_pair_that_is_not_finite_is_no_place(run: Run, find: Find, place, area):
    """Without an index it can be stored; a search passes it over (the server's `GeoMatchExpression`)."""
    run({"insert": "c", "documents": [{"_id": 1, "at": place}, {"_id": 2, "at": [0, 0.5]}]})
    assert ids(find("c", {"at": {"$geoWithin": {area: [[0, 0], 1]}}})) == [2]


@pytest.fixture
def vectors(run: Run) -> None:
    documents = [{"_id": n, "kind": n % 2, "v": v} for n, v in enumerate([[1, 0], [0.9, 0.1], [0, 1], [-1, 0], [1]])]
    run({"insert": "c", "documents": documents})


def nearest(run: Run, **search: Any) -> dict[str, Any]:
    stages = [
        {"$search": {"cosmosSearch": {"vector": [1, 0], "path": "v", "k": 2, **search}, "returnStoredSource": True}},
        {"$project": {"score": {"$meta": "searchScore"}}},
    ]
    return run({"aggregate": "c", "pipeline": stages, "cursor": {}})


@pytest.mark.usefixtures("vectors")
@pytest.mark.parametrize(
    ("similarity", "found"),
    [("COS", [(0, 1.0), (1, 0.9939)]), ("IP", [(0, 1.0), (1, 0.9)]), ("L2", [(0, 0.0), (1, 0.1414)])],
)
def test_the_nearest_vectors_come_first(run: Run, similarity, found):
    options = {"kind": "vector-hnsw", "similarity": similarity, "dimensions": 2}
    assert index(run, {"v": "cosmosSearch"}, cosmosSearchOptions=options)["ok"] == 1.0
    rows = nearest(run)["cursor"]["firstBatch"]
    assert [(row["_id"], round(row["score"], 4)) for row in rows] == found
    assert ids(nearest(run, filter={"kind": 1})["cursor"]["firstBatch"]) == [1, 3]
    assert nearest(run, vector=[1, 0, 0])["code"] == 2


@pytest.mark.usefixtures("vectors")
def test_a_vector_search_needs_its_index(run: Run):
    assert nearest(run)["code"] == 2
    assert index(run, {"v": "cosmosSearch"})["code"] == 2
    options = {"kind": "vector-flat", "similarity": "COS", "dimensions": 2}
    assert index(run, {"v": "cosmosSearch"}, cosmosSearchOptions=options)["code"] == 2


_NAMES = ["b", "A", "a", "á", "B", "10", "9", "-"]


@pytest.fixture
def names(run: Run) -> None:
    run({"insert": "c", "documents": [{"_id": number, "n": name} for number, name in enumerate(_NAMES)]})


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({}, ["-", "10", "9", "a", "A", "á", "b", "B"]),
        ({"caseFirst": "upper"}, ["-", "10", "9", "A", "a", "á", "B", "b"]),
        ({"numericOrdering": True}, ["-", "9", "10", "a", "A", "á", "b", "B"]),
    ],
)
def test_a_collation_orders(find: Find, options, order):
    assert [row["n"] for row in find("c", sort={"n": 1}, collation={"locale": "en", **options})] == order


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"strength": 1}, ["A", "a", "á"]),
        ({"strength": 2}, ["A", "a"]),
        ({"strength": 1, "caseLevel": True}, ["a", "á"]),
        ({}, ["a"]),
    ],
)
def test_a_collation_says_what_is_equal(run: Run, find: Find, options, found):
    collation = {"locale": "en", **options}
    assert [row["n"] for row in find("c", {"n": "a"}, collation=collation)] == found
    assert run({"count": "c", "query": {"n": {"$in": ["a"]}}, "collation": collation})["n"] == len(found)
    group = [{"$match": {"n": "a"}}, {"$group": {"_id": "$n", "n": {"$sum": 1}}}]
    rows = run({"aggregate": "c", "pipeline": group, "cursor": {}, "collation": collation})["cursor"]["firstBatch"]
    assert [row["n"] for row in rows] == [len(found)]


@pytest.mark.usefixtures("names")
def test_statements_have_collations_of_their_own(run: Run):
    collation = {"locale": "en", "strength": 2}
    update = {"q": {"n": "a"}, "u": {"$set": {"seen": 1}}, "multi": True}
    assert run({"update": "c", "updates": [{**update, "collation": collation}, update]})["n"] == 3
    assert run({"delete": "c", "deletes": [{"q": {"n": "B"}, "limit": 0, "collation": collation}]})["n"] == 2


def test_a_collections_collation_is_the_default_of_its_commands_and_indexes(run: Run, find: Find):
    run({"create": "c", "collation": {"locale": "en", "strength": 2}})
    assert index(run, {"n": 1}, unique=True)["ok"] == 1.0
    run({"insert": "c", "documents": [{"_id": "x", "n": "a"}]})
    assert run({"insert": "c", "documents": [{"n": "A"}]})["writeErrors"][0]["code"] == 11000
    assert ids(find("c", {"n": "A"})) == ["x"]
    assert ids(find("c", {"_id": "X"})) == ["x"]
    assert find("c", {"n": "A"}, collation={"locale": "simple"}) == []


def stage_of(run: Run, **options: Any) -> str:
    plan = run({"explain": {"find": "c", "filter": {"n": "a"}, **options}, "verbosity": "queryPlanner"})
    stage: dict[str, Any] = plan["queryPlanner"]["winningPlan"]
    return str(stage.get("inputStage", stage)["stage"])


@pytest.mark.usefixtures("names")
def test_an_index_is_used_by_those_who_compare_as_it_does(run: Run, find: Find):
    collation = {"locale": "en", "strength": 2}
    index(run, {"n": 1}, collation=collation)
    assert stage_of(run, collation=collation) == "IXSCAN"
    assert (stage_of(run), stage_of(run, collation={"locale": "en"})) == ("COLLSCAN", "COLLSCAN")
    assert [row["n"] for row in find("c", {"n": "a"}, collation=collation)] == ["A", "a"]


@pytest.mark.parametrize(
    ("collation", "code"),
    [
        ({"locale": "sv"}, 238),
        ({"strength": 2}, 40414),
        ({"locale": "en", "strength": 6}, 2),
        ({"locale": "en", "odd": 1}, 40415),
        ({"locale": "en", "caseLevel": 1}, 14),
        ({"locale": "???"}, 2),
    ],
)
def test_a_collation_is_refused(run: Run, collation, code):
    assert run({"find": "c", "collation": collation})["code"] == code


def test_percentiles_are_values_at_their_ranks(run: Run):
    run({"insert": "c", "documents": [{"v": value} for value in (5, 1, 4, 2, 3, "x")]})
    group = {
        "_id": None,
        "m": {"$median": {"input": "$v", "method": "approximate"}},
        "p": {"$percentile": {"input": "$v", "p": [0, 0.9], "method": "approximate"}},
    }
    (row,) = run({"aggregate": "c", "pipeline": [{"$group": group}], "cursor": {}})["cursor"]["firstBatch"]
    assert (row["m"], row["p"]) == (3.0, [1.0, 5.0])


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("2d", {"bits": 0}, 72),
        ("2d", {"bits": 33}, 72),
        ("2d", {"bits": "26"}, 14),
        ("2d", {"min": None}, 14),
        ("2d", {"min": 5, "max": 5}, 72),
        ("2dsphere", {"2dsphereIndexVersion": 4}, 67),
        ("2dsphere", {"2dsphereIndexVersion": "3"}, 14),
        ("text", {"textIndexVersion": True}, 14),
        ("text", {"default_language": 5}, 14),
        ("text", {"weights": []}, 67),
        ("text", {"weights": 5}, 14),
    ],
)
def test_options_of_special_indexes_that_make_no_sense(run, kind, options, code):
    index = {"key": {"a": kind}, "name": "n", **options}
    assert run({"createIndexes": "c", "indexes": [index]})["code"] == code


def test_the_bounds_of_a_flat_index_are_shown_as_doubles(run):
    run({"createIndexes": "c", "indexes": [{"key": {"a": "2d"}, "name": "n", "bits": 20, "min": -100, "max": 100}]})
    shown = run({"listIndexes": "c"})["cursor"]["firstBatch"][1]
    assert [(type(shown[name]), shown[name]) for name in ("bits", "min", "max")] == [
        (int, 20),
        (float, -100.0),
        (float, 100.0),
    ]


@pytest.mark.parametrize(
    ("filter", "code"),
    [
        ({"$near": [0, 0], "$maxDistance": "1"}, 16895),
        ({"$near": [0, 0], "$minDistance": "1"}, 16893),
        ({"$near": [0, 0], "$minDistance": -1}, 16894),
        ({"$near": [0, 0], "$maxDistance": float("inf")}, 2),
    ],
)
def test_limits_of_a_search_for_places_that_make_no_sense(run, filter, code):
    run({"createIndexes": "c", "indexes": [{"key": {"a": "2d"}, "name": "n"}]})
    assert run({"find": "c", "filter": {"a": filter}})["code"] == code


@pytest.mark.parametrize(
    ("options", "code"),
    [({"near": 5}, 5860401), ({"query": []}, 14), ({"maxDistance": None}, 14), ({"distanceMultiplier": "2"}, 14)],
)
def test_options_of_a_stage_for_places_of_a_wrong_type(run, options, code):
    run({"createIndexes": "c", "indexes": [{"key": {"a": "2d"}, "name": "n"}]})
    stage = {"$geoNear": {"near": [0, 0], "distanceField": "d", **options}}
    assert run({"aggregate": "c", "pipeline": [stage], "cursor": {}})["code"] == code


def test_an_array_filter_has_no_order(run):
    filters = [{"x.at": {"$near": [0, 0]}}]
    update = {"q": {}, "u": {"$set": {"a.$[x].b": 1}}, "arrayFilters": filters}
    assert run({"update": "c", "updates": [update]})["writeErrors"][0]["code"] == 5626500
