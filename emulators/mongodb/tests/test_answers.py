"""What whole commands answer at their corners: each as MongoDB 8.2 does, says the suite of `nox -s judge`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from bson import Code, Decimal128, MaxKey, MinKey, Timestamp

from emulators.mongodb.dispatch import Server
from emulators.mongodb.storage.store import Store

Run = Callable[..., dict[str, Any]]


def rows(run: Run, pipeline: list[dict[str, Any]], documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    run({"drop": "c"})
    run({"insert": "c", "documents": documents})
    reply = run({"aggregate": "c", "pipeline": pipeline, "cursor": {}})
    assert reply["ok"] == 1.0, reply
    found: list[dict[str, Any]] = reply["cursor"]["firstBatch"]
    return found


@pytest.mark.parametrize(
    ("accumulator", "value"),
    [
        ({"$first": MinKey()}, {"": MinKey()}),
        ({"$max": MaxKey()}, {"": MaxKey()}),
        ({"$last": "$k"}, {"": MaxKey()}),
        ({"$addToSet": "$k"}, [{"": MaxKey()}]),
        ({"$push": "$k"}, [MaxKey(), MaxKey()]),
        ({"$avg": "$long"}, -0.5),
    ],
)
def test_a_group_ends_with(run, accumulator, value):
    documents = [{"k": MaxKey(), "long": 2**63 - 1}, {"k": MaxKey(), "long": -(2**63)}]
    assert rows(run, [{"$group": {"_id": None, "x": accumulator}}], documents)[0]["x"] == value


def test_code_becomes_text_as_a_groups_value_but_not_as_its_constant(run):
    by_value = rows(run, [{"$group": {"_id": "$k"}}], [{"k": Code("f")}])
    by_constant = rows(run, [{"$group": {"_id": Code("f")}}], [{}])
    assert (type(by_value[0]["_id"]), type(by_constant[0]["_id"])) == (str, Code)


def window(run: Run, function: dict[str, Any], values: list[Any], frame: list[Any]) -> list[Any]:
    output = {"r": {**function, "window": {"documents": frame}}}
    stage = {"$setWindowFields": {"sortBy": {"_id": 1}, "output": output}}
    documents = [{"_id": number, "v": value} for number, value in enumerate(values)]
    return [row["r"] for row in rows(run, [stage], documents)]


def test_a_sliding_deviation_is_null_while_an_infinity_is_in_its_frame(run):
    found = window(run, {"$stdDevPop": "$v"}, [math.inf, 10, 20, 30], [-1, 0])
    assert found == [None, None, 5.0, 5.0]


def test_a_sliding_deviation_of_one_value_is_the_integer_zero(run):
    (found,) = window(run, {"$stdDevPop": "$v"}, [10.0], [-1, 0])
    assert (found, type(found)) == (0, int)


def test_a_growing_frame_keeps_nan(run):
    found = window(run, {"$stdDevPop": "$v"}, [math.inf, 10], ["unbounded", 0])
    assert all(math.isnan(value) for value in found)


def test_a_covariance_of_decimals_has_the_exponent_of_a_division_by_a_double(run):
    values = [Decimal128("-0"), Decimal128("10"), Decimal128("20")]
    found = window(run, {"$covarianceSamp": ["$v", "$v"]}, values, ["unbounded", "unbounded"])
    assert str(found[0]) == "1E+2"


def test_what_a_projection_matches_by_element_comes_last(find, run):
    run({"insert": "c", "documents": [{"_id": 1, "a": 1, "list": [1, 2], "b": 2}]})
    (found,) = find("c", projection={"a": 1, "list": {"$elemMatch": {"$gte": 2}}, "b": 1})
    assert list(found) == ["_id", "a", "b", "list"]


@pytest.mark.parametrize(
    ("update", "stored"),
    [
        ({"$inc": {"n": Decimal128("0")}}, Decimal128("-0")),
        ({"$mul": {"n": -1}}, Decimal128("-0")),
    ],
)
def test_a_zero_that_stays_zero_keeps_its_sign(run, find, update, stored):
    run({"insert": "c", "documents": [{"_id": 1, "n": Decimal128("-0")}]})
    reply = run({"update": "c", "updates": [{"q": {}, "u": update}]})
    assert (reply["nModified"], str(find("c")[0]["n"])) == (0, str(stored))


def test_a_replacement_by_the_same_document_counts_as_a_change(run):
    run({"insert": "c", "documents": [{"_id": 1, "x": 1}]})
    assert run({"update": "c", "updates": [{"q": {}, "u": {"x": 1}}]})["nModified"] == 1


def test_names_with_a_dollar_may_be_set_on_insert_and_renamed_away(run, find):
    upsert = {"q": {"_id": 1}, "u": {"$setOnInsert": {"$a": 1}}, "upsert": True}
    assert "writeErrors" not in run({"update": "c", "updates": [upsert]})
    assert run({"update": "c", "updates": [{"q": {}, "u": {"$rename": {"$gone": "b"}}}]})["n"] == 1
    assert find("c") == [{"_id": 1, "$a": 1}]


def test_an_unacknowledged_write_hears_of_no_error_of_a_statement(run):
    wrong = {"update": "c", "updates": [{"q": {}, "u": {"a": 2}, "multi": True}]}
    assert "writeErrors" in run(wrong)
    assert "writeErrors" not in run({**wrong, "writeConcern": {"w": 0}})


def test_the_servers_time_differs_from_insert_to_insert(run):
    run({"insert": "c", "documents": [{"t": Timestamp(0, 0)}, {"t": Timestamp(0, 0)}]})
    assert len(run({"distinct": "c", "key": "t"})["values"]) == 2


def test_an_update_may_write_the_time_of_the_cluster(run):
    run({"insert": "c", "documents": [{"_id": 1}]})
    run({"update": "c", "updates": [{"q": {}, "u": [{"$set": {"t": "$$CLUSTER_TIME"}}]}]})
    assert len(run({"distinct": "c", "key": "t"})["values"]) == 1


def test_a_date_that_is_constant_needs_no_week(run):
    spec = {"$dateTrunc": {"date": {"$literal": None}, "unit": "day", "startOfWeek": None}}
    assert rows(run, [{"$project": {"x": spec}}], [{}])[0]["x"] is None


def test_a_dotted_capital_i_is_another_letter_without_case(run, find):
    run({"insert": "c", "documents": [{"_id": 1, "a": "Istanbul"}, {"_id": 2, "a": "\u0130stanbul"}]})
    assert [row["_id"] for row in find("c", {"a": {"$regex": "istanbul", "$options": "i"}})] == [1]


def test_merge_stores_null_for_a_field_of_its_own_that_is_not_there(run, find):
    run({"createIndexes": "t", "indexes": [{"key": {"k": 1}, "name": "k", "unique": True}]})
    rows(run, [{"$merge": {"into": "t", "on": "k", "whenMatched": "merge"}}], [{"_id": 1, "v": 1}])
    assert find("t") == [{"_id": 1, "k": None, "v": 1}]


def test_an_explained_pipeline_without_stages_is_a_plan(run):
    run({"insert": "c", "documents": [{"a": 1}]})
    plain = run({"aggregate": "c", "pipeline": [], "explain": True})
    other = run({"aggregate": "c", "pipeline": [{"$match": {"a": 1}}], "explain": True})
    third = run({"aggregate": "c", "pipeline": [{"$match": {"a": 2}}], "explain": True})
    assert "queryPlanner" in plain
    assert other["queryShapeHash"] == third["queryShapeHash"] != plain["queryShapeHash"]


def test_a_cursor_of_what_was_dropped_can_be_killed_and_not_read(run):
    run({"insert": "c", "documents": [{} for _ in range(5)]})
    first, second = (run({"find": "c", "batchSize": 1})["cursor"]["id"] for _ in range(2))
    run({"drop": "c"})
    assert run({"killCursors": "c", "cursors": [first]})["cursorsKilled"] == [first]
    assert run({"getMore": second, "collection": "c"})["code"] == 175


def test_an_index_is_hidden_and_shown_again(run):
    run({"createIndexes": "c", "indexes": [{"key": {"a": 1}, "name": "a_1"}]})
    plan = {"explain": {"find": "c", "filter": {"a": 1}}, "verbosity": "queryPlanner"}

    def stage() -> str:
        winner: dict[str, Any] = run(plan)["queryPlanner"]["winningPlan"]
        return str(winner["stage"])

    hidden = run({"collMod": "c", "index": {"name": "a_1", "hidden": True}})
    assert (hidden["hidden_old"], hidden["hidden_new"], stage()) == (False, True, "COLLSCAN")
    run({"collMod": "c", "index": {"keyPattern": {"a": 1}, "hidden": False}})
    assert stage() == "FETCH"


def test_a_changed_index_is_read_back_from_the_log(run, server: Server, tmp_path):
    server.store = Store(tmp_path)
    run({"createIndexes": "c", "indexes": [{"key": {"at": 1}, "name": "at", "expireAfterSeconds": 100}]})
    changed = run({"collMod": "c", "index": {"name": "at", "expireAfterSeconds": 200}})
    assert (changed["expireAfterSeconds_old"], changed["expireAfterSeconds_new"]) == (100, 200)
    server.store.close()
    server.store = Store(tmp_path)
    specs = run({"listIndexes": "c"})["cursor"]["firstBatch"]
    assert specs[1]["expireAfterSeconds"] == 200
    server.store.close()


@pytest.mark.parametrize(
    ("index", "code"),
    [
        ({"name": "a_1"}, 72),
        ({"name": "a_1", "keyPattern": {"a": 1}, "hidden": True}, 72),
        ({"name": "gone", "hidden": True}, 27),
        ({"name": "_id_", "hidden": True}, 2),
        ({"name": "a_1", "hidden": 1}, 14),
        ({"name": "a_1", "odd": True}, 40415),
        ({"name": "a_1", "unique": True}, 238),
    ],
)
def test_a_change_of_an_index_is_refused(run, index, code):
    run({"createIndexes": "c", "indexes": [{"key": {"a": 1}, "name": "a_1"}]})
    assert run({"collMod": "c", "index": index})["code"] == code
