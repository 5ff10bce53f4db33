"""Long commands beside short ones, on one server."""

from __future__ import annotations

import threading
import time

import pymongo
import pytest

_NUMBERS = {"$range": [0, 500]}
_LONG = {
    "expression": [{"$documents": [{}]}, {"$project": {"a": {"$map": {"input": _NUMBERS, "in": {
        "$map": {"input": _NUMBERS, "in": {"$sum": {"$range": [0, 200]}}}}}}}}],
    "stages": [{"$documents": [{}]}, {"$project": {name: {"$range": [0, 100]} for name in "abcd"}},
               *({"$unwind": f"${name}"} for name in "abcd"), {"$count": "n"}],
    "regular expression": [{"$documents": [{"t": "a" * 60 + "!"}] * 20},
                           {"$match": {"t": {"$regex": r"^(?<x>a|aa)+$"}}}],
}  # fmt: skip


@pytest.mark.parametrize("name", list(_LONG))
def test_a_long_command_holds_nobody_up(standin, name):
    """Its own time ends it; meanwhile others are answered, and each of them waits for a slice and not for the end."""
    with standin.client() as slow, standin.client() as quick:
        quick.shop.things.replace_one({"_id": 1}, {}, upsert=True)
        ended = threading.Event()
        codes = []

        def run():
            try:
                slow.shop.command({"aggregate": 1, "pipeline": _LONG[name], "cursor": {}, "maxTimeMS": 3000})
            except pymongo.errors.OperationFailure as error:
                codes.append(error.code)
            ended.set()

        thread = threading.Thread(target=run)
        begun = time.monotonic()
        thread.start()
        waits = []
        while not ended.is_set():
            asked = time.monotonic()
            assert quick.shop.things.find_one({"_id": 1}) == {"_id": 1}
            waits.append(time.monotonic() - asked)
            time.sleep(0.02)
        thread.join(30)
        took = time.monotonic() - begun
    assert codes in ([50], [51156])
    assert len(waits) > 5
    # Ten answers in the time of the long one; on a busy machine each may take long, but not as long as that.
    assert sorted(waits)[len(waits) // 2] < max(took / 10, 0.05)


_TEXT = "a" * 60 + "!"
_EXPLODING = [
    r"^(a|aa)+$", r"^ (?: a | aa )+ b", r"^(?:aa|a){1,60}$", r"^(?<n>a|aa)+\k<n>$", r"(?:a|aa)+$(?<=b)",
    r"^(?=(?:a|aa)+$)", r"^((?:a|aa){2,9}){2,9}$", r"(a{1,40}){1,40}(a{1,40}){1,40}c", r"^(?:(?:a|aa)+|x)+$",
]  # fmt: skip


def _attacks() -> dict[str, dict]:
    """One pattern at each place that takes one; the collection `texts` holds a text that each explodes on."""
    places = {
        "find": lambda p: {"find": "texts", "filter": {"t": {"$regex": p}}},
        "options": lambda p: {"find": "texts", "filter": {"t": {"$regex": p + " # x", "$options": "xi"}}},
        "schema": lambda p: {"find": "texts", "filter": {"$jsonSchema": {"properties": {"t": {"pattern": p}}}}},
        "names": lambda p: {"find": "texts", "filter": {"$jsonSchema": {"patternProperties": {p: {}}}}},
        "lookup": lambda p: [{"$lookup": {"from": "texts", "as": "x", "pipeline": [{"$match": {"t": {"$regex": p}}}]}}],
        "all": lambda p: [{"$set": {"x": {"$regexFindAll": {"input": "$t", "regex": p}}}}],
        "expr": lambda p: [{"$match": {"$expr": {"$regexMatch": {"input": "$t", "regex": p}}}}],
        "merge": lambda p: [{"$merge": {"into": "to", "whenMatched": [
            {"$set": {"x": {"$regexFind": {"input": "$$new.t", "regex": p}}}}]}}],
        "validated": lambda p: {"insert": "validated", "documents": [{"t": _TEXT}]},
    }  # fmt: skip
    made = {name: place(pattern) for (name, place), pattern in zip(places.items(), _EXPLODING, strict=True)}
    return {
        name: command if isinstance(command, dict) else {"aggregate": "texts", "pipeline": command, "cursor": {}}
        for name, command in made.items()
    }


def test_expressions_that_explode_at_every_place_at_once_hold_nobody_up(standin):
    with standin.client() as client:
        shop = client.exploding
        shop.texts.insert_one({"_id": 1, "t": _TEXT, _TEXT: 1})
        shop.to.insert_one({"_id": 1})
        shop.create_collection("validated", validator={"t": {"$regex": _EXPLODING[-1]}})
        codes: dict[str, int] = {}

        def attack(name, command):
            try:
                answer = shop.command({**command, "maxTimeMS": 2000})
                codes[name] = answer["writeErrors"][0]["code"]
            except pymongo.errors.OperationFailure as error:
                codes[name] = error.code

        attacks = _attacks()
        threads = [threading.Thread(target=attack, args=item) for item in attacks.items()]
        for thread in threads:
            thread.start()
        waits = []
        while any(thread.is_alive() for thread in threads):
            asked = time.monotonic()
            assert shop.to.find_one({}, {"_id": 1}) == {"_id": 1}
            waits.append(time.monotonic() - asked)
            time.sleep(0.01)
        for thread in threads:
            thread.join()
        client.drop_database("exploding")
    assert (set(codes), set(codes.values()) - {50, 51156}) == (set(attacks), set())
    assert sorted(waits)[len(waits) // 2] < 0.2


def test_writes_beside_a_long_read_are_not_lost(standin):
    with standin.client() as client, standin.client() as other:
        things = client.shop.counted
        things.drop()
        things.insert_many([{"_id": number, "n": 0} for number in range(300)])
        done = threading.Event()

        def read():
            list(other.shop.counted.aggregate([{"$set": {"x": {"$sum": {"$range": [0, 20_000]}}}}, {"$unset": "x"}]))
            done.set()

        thread = threading.Thread(target=read)
        thread.start()
        rounds = 0
        while not done.is_set() or rounds < 3:
            assert things.update_many({}, {"$inc": {"n": 1}}).modified_count == 300
            rounds += 1
        thread.join(60)
        assert things.distinct("n") == [rounds]


def test_stopping_does_not_wait_for_a_long_command(own_standin):
    with own_standin.client() as client:
        pipeline = [{"$documents": [{}]}, *({"$set": {name: {"$range": [0, 1000]}}} for name in "abc")]
        pipeline += [*({"$unwind": f"${name}"} for name in "abc"), {"$count": "n"}]
        failed = []

        def run():
            try:
                client.shop.command({"aggregate": 1, "pipeline": pipeline, "cursor": {}})
            except pymongo.errors.PyMongoError as error:
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(1)
        begun = time.monotonic()
        assert own_standin.stop() == 0
        assert time.monotonic() - begun < 20
        thread.join(30)
    assert len(failed) == 1
