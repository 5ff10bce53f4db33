"""Cursors: batches, reading on, killing, idling, and what they return when the data changes meanwhile."""

from __future__ import annotations

import pytest

from emulators.mongodb.cursors import IDLE_SECONDS, Cursors


@pytest.fixture
def numbers(run):
    run({"insert": "numbers", "documents": [{"_id": number} for number in range(250)]})


def ids(batch):
    return [document["_id"] for document in batch]


@pytest.mark.usefixtures("numbers")
def test_the_first_batch_is_101_documents_and_the_next_is_the_rest(run):
    first = run({"find": "numbers"})["cursor"]
    rest = run({"getMore": first["id"], "collection": "numbers"})["cursor"]
    assert (len(first["firstBatch"]), len(rest["nextBatch"]), rest["id"]) == (101, 149, 0)
    assert ids(first["firstBatch"] + rest["nextBatch"]) == list(range(250))


@pytest.mark.usefixtures("numbers")
def test_batch_sizes_are_kept(run):
    cursor = run({"find": "numbers", "batchSize": 3})["cursor"]
    following = run({"getMore": cursor["id"], "collection": "numbers", "batchSize": 2})["cursor"]
    assert (ids(cursor["firstBatch"]), ids(following["nextBatch"])) == ([0, 1, 2], [3, 4])


@pytest.mark.usefixtures("numbers")
def test_a_batch_size_of_zero_opens_a_cursor_without_documents(run):
    cursor = run({"find": "numbers", "batchSize": 0})["cursor"]
    assert (cursor["firstBatch"], cursor["id"] != 0) == ([], True)


@pytest.mark.usefixtures("numbers")
def test_a_single_batch_leaves_no_cursor(run):
    assert run({"find": "numbers", "batchSize": 5, "singleBatch": True})["cursor"]["id"] == 0


@pytest.mark.usefixtures("numbers")
def test_an_exact_fit_leaves_no_cursor(run):
    assert run({"find": "numbers", "batchSize": 250})["cursor"]["id"] == 0


@pytest.mark.usefixtures("numbers")
def test_killed_cursors_are_gone(run):
    identity = run({"find": "numbers"})["cursor"]["id"]
    assert run({"killCursors": "numbers", "cursors": [identity]})["cursorsKilled"] == [identity]
    assert run({"killCursors": "numbers", "cursors": [identity]})["cursorsNotFound"] == [identity]
    reply = run({"getMore": identity, "collection": "numbers"})
    assert (reply["code"], reply["codeName"]) == (43, "CursorNotFound")


@pytest.mark.usefixtures("numbers")
def test_a_cursor_answers_for_its_own_collection_only(run):
    identity = run({"find": "numbers"})["cursor"]["id"]
    assert run({"getMore": identity, "collection": "others"})["code"] == 13


@pytest.mark.usefixtures("numbers")
def test_a_cursor_shows_the_data_of_the_moment_it_was_opened(run):
    identity = run({"find": "numbers", "batchSize": 1})["cursor"]["id"]
    run({"update": "numbers", "updates": [{"q": {}, "u": {"$set": {"changed": True}}, "multi": True}]})
    batch = run({"getMore": identity, "collection": "numbers"})["cursor"]["nextBatch"]
    assert not any("changed" in document for document in batch)


@pytest.mark.usefixtures("numbers")
def test_dropping_a_collection_ends_its_cursors(run):
    identity = run({"find": "numbers"})["cursor"]["id"]
    run({"drop": "numbers"})
    assert run({"getMore": identity, "collection": "numbers"})["code"] == 175


def test_idle_cursors_expire_and_used_ones_do_not():
    now = 0.0
    cursors = Cursors(clock=lambda: now)
    used = cursors.start("db.c", ({"n": n} for n in range(9)), "me", batch=1)["cursor"]["id"]
    idle = cursors.start("db.c", ({"n": n} for n in range(9)), "me", batch=1)["cursor"]["id"]
    kept = cursors.start("db.c", ({"n": n} for n in range(9)), "me", batch=1, expires=False)["cursor"]["id"]
    now = IDLE_SECONDS - 1
    cursors.more(used, "db.c", "me", 1)
    now = IDLE_SECONDS + 1
    cursors.expire()
    assert [cursors.kill(identity, "me") for identity in (used, idle, kept)] == [True, False, True]


def test_a_batch_stays_within_16_mebibytes(run):
    run({"insert": "big", "documents": [{"_id": n, "blob": "x" * 6_000_000} for n in range(4)]})
    cursor = run({"find": "big"})["cursor"]
    assert (len(cursor["firstBatch"]), cursor["id"] != 0) == (2, True)
