"""Stages that collect have MongoDB's limit of memory, and what it would spill has a limit too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulators.mongodb import memory

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def small(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection of 40 kB, where the limits are 10 and 100 kB."""
    monkeypatch.setattr(memory, "STAGE_BYTES", 10_000)
    monkeypatch.setattr(memory, "SPILLED_BYTES", 100_000)
    run({"insert": "c", "documents": [{"_id": n, "a": n, "next": n + 1, "text": "x" * 380} for n in range(100)]})


def code(run: Run, *stages: dict[str, Any], **options: Any) -> int:
    reply = run({"aggregate": "c", "pipeline": list(stages), "cursor": {"batchSize": 1}, **options})
    return int(reply.get("code", 0))


_DOUBLED = {"$unwind": {"path": "$twice"}}
_SET = {"$set": {"twice": [1, 2, 3]}}
_PUSH = {"$group": {"_id": None, "all": {"$push": "$text"}}}
_SORTED = {"$sort": {"a": -1}}
_WINDOW = {"$setWindowFields": {"sortBy": {"a": 1}, "output": {"n": {"$sum": "$a"}}}}
_AUTO = {"$bucketAuto": {"groupBy": "$a", "buckets": 2}}
_GROUPS = {"$group": {"_id": "$$ROOT"}}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("stage", [_SORTED, _WINDOW, _AUTO, _GROUPS], ids=lambda stage: next(iter(stage)))
def test_what_may_be_spilled_is_refused_without_disk_use_and_far_beyond(run: Run, stage):
    assert code(run, stage) == 0
    assert code(run, stage, allowDiskUse=False) == 292
    assert code(run, _SET, _DOUBLED, {"$unset": "_id"}, {"$set": {"a": {"$rand": {}}}}, stage) == 146


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("stage", "number"),
    [
        (_PUSH, 146),
        ({"$group": {"_id": None, "all": {"$addToSet": "$$ROOT"}}}, 146),
        ({"$facet": {"all": [{"$match": {}}]}}, 4031700),
        ({"$lookup": {"from": "c", "pipeline": [], "as": "all"}}, 4568),
        ({"$graphLookup": {"from": "c", "startWith": 0, "connectFromField": "next", "connectToField": "a", "as": "g"}},
         40099),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_spilled_has_100_mb(run: Run, stage, number):
    assert code(run, stage) == number


@pytest.mark.usefixtures("small")
def test_small_groups_each_have_a_limit_of_their_own(run: Run):
    stage = {"$group": {"_id": {"$mod": ["$a", 10]}, "all": {"$push": "$text"}}}
    assert code(run, stage) == 0


@pytest.mark.usefixtures("small")
def test_find_sorts_within_the_limit_where_it_may_not_spill(run: Run):
    assert run({"find": "c", "sort": {"a": -1}, "allowDiskUse": False})["code"] == 292
    assert run({"find": "c", "sort": {"a": -1}})["ok"] == 1.0


@pytest.mark.usefixtures("small")
def test_a_cursor_holds_stored_documents_for_nothing_and_made_ones_within_the_limit(run: Run):
    assert run({"find": "c", "batchSize": 1})["ok"] == 1.0
    assert code(run, _SET, _DOUBLED) == 146
