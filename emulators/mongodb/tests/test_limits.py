"""`maxTimeMS`, sizes and names."""

from __future__ import annotations

import pytest

from emulators.mongodb import deadline as clock


@pytest.fixture
def hours_pass(monkeypatch):
    """Every look at the clock finds it an hour later."""
    ticks = iter(range(0, 10**9, 3600))
    monkeypatch.setattr(clock.time, "monotonic", lambda: float(next(ticks)))


@pytest.mark.usefixtures("hours_pass")
@pytest.mark.parametrize(
    "command",
    [
        {"find": "things"},
        {"count": "things"},
        {"distinct": "things", "key": "a"},
        {"aggregate": "things", "pipeline": [], "cursor": {}},
        {"update": "things", "updates": [{"q": {}, "u": {"$set": {"a": 1}}}]},
        {"insert": "things", "documents": [{}]},
        {"listCollections": 1},
        {"ping": 1},
    ],
    ids=lambda command: next(iter(command)),
)
def test_every_command_stops_when_its_time_is_up(run, command):
    reply = run({**command, "maxTimeMS": 1000})
    assert (reply["code"], reply["codeName"]) == (50, "MaxTimeMSExpired")


@pytest.mark.usefixtures("hours_pass")
def test_without_a_limit_time_does_not_matter(run):
    assert run({"find": "things", "maxTimeMS": 0})["ok"] == 1.0


def test_a_scan_stops_between_documents(run, monkeypatch):
    run({"insert": "things", "documents": [{"a": n} for n in range(500)]})
    looks = 0

    def later():
        nonlocal looks
        looks += 1
        return looks * 0.1

    monkeypatch.setattr(clock.time, "monotonic", later)
    assert run({"find": "things", "filter": {"a": -1}, "maxTimeMS": 1000})["code"] == 50
    assert looks < 20


@pytest.mark.parametrize("limit", [-1, 2**31, "soon", 1.5])
def test_a_limit_that_is_no_limit_is_refused(run, limit):
    assert run({"find": "things", "maxTimeMS": limit})["code"] == 2


def test_documents_are_at_most_16_mebibytes(run):
    reply = run({"insert": "things", "documents": [{"blob": "x" * (16 * 1024 * 1024)}]})
    assert reply["writeErrors"][0]["code"] == 10334


@pytest.mark.parametrize("name", ["", "a$b", ".a", "a.", "system.users", "x" * 300])
def test_collection_names_follow_the_manual(run, name):
    assert run({"create": name})["code"] == 73


@pytest.mark.parametrize("name", ["a b", "a.b", "a/b", "x" * 64])
def test_database_names_follow_the_manual(run, name):
    assert run({"create": "c"}, db=name)["code"] == 73


def test_a_deeply_nested_filter_is_an_error_and_not_a_crash(run):
    query: dict[str, object] = {"a": 1}
    for _ in range(90):
        query = {"$and": [query]}
    assert run({"find": "things", "filter": query})["ok"] == 1.0
