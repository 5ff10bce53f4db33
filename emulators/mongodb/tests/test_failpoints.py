"""Failures on demand."""

from __future__ import annotations

import pytest

from emulators.mongodb.errors import CommandError
from emulators.mongodb.failpoints import FailPoints

THROTTLED = {"failCommands": ["find"], "errorCode": 16500, "RetryAfterMs": 25}


def test_it_fails_as_often_as_it_was_told():
    points = FailPoints()
    points.configure("failCommand", {"times": 2}, {"failCommands": ["find"], "errorCode": 1})
    assert [points.strike("find") is not None for _ in range(3)] == [True, True, False]


def test_it_leaves_other_commands_alone():
    points = FailPoints()
    points.configure("failCommand", "alwaysOn", {"failCommands": ["find"], "errorCode": 1})
    assert points.strike("insert") is None


def test_it_can_let_some_pass_first():
    points = FailPoints()
    points.configure("failCommand", {"skip": 2}, {"failCommands": ["find"], "errorCode": 1})
    assert [points.strike("find") is not None for _ in range(4)] == [False, False, True, True]


def test_it_can_be_switched_off():
    points = FailPoints()
    points.configure("failCommand", "alwaysOn", THROTTLED)
    points.configure("failCommand", "off", {})
    assert points.strike("find") is None


def test_throttling_reads_as_cosmos_db_writes_it():
    points = FailPoints()
    points.configure("failCommand", {"times": 1}, THROTTLED)
    reply = points.strike("find").error.reply()
    assert (reply["code"], reply["codeName"], reply["RetryAfterMs"]) == (16500, "RequestRateTooLarge", 25)
    assert reply["errmsg"].startswith("Error=16500, RetryAfterMs=25, Details='")


def test_it_can_close_the_connection_or_block_it():
    points = FailPoints()
    data = {"failCommands": ["find"], "closeConnection": True, "blockConnection": True, "blockTimeMS": 40}
    points.configure("failCommand", "alwaysOn", data)
    failure = points.strike("find")
    assert (failure.error, failure.close, failure.block_ms) == (None, True, 40)


def test_it_can_pick_the_client_by_its_name():
    points = FailPoints()
    points.configure("failCommand", "alwaysOn", {**THROTTLED, "appName": "victim"})
    assert [points.strike("find", name) is not None for name in ("victim", "other", None)] == [True, False, False]


@pytest.mark.parametrize(
    ("name", "mode", "data", "code"),
    [
        ("failInsert", "alwaysOn", {}, 238),
        ("failCommand", "sometimes", {}, 2),
        ("failCommand", {"activationProbability": 0.5}, {}, 2),
        ("failCommand", "alwaysOn", {"writeConcernError": {}}, 238),
        ("failCommand", "alwaysOn", {"failCommands": "find"}, 2),
    ],
)
def test_what_it_does_not_know_is_refused(name, mode, data, code):
    with pytest.raises(CommandError) as caught:
        FailPoints().configure(name, mode, data)
    assert caught.value.code == code


def test_the_clock_can_be_made_to_run_out(run):
    run({"configureFailPoint": "maxTimeAlwaysTimeOut", "mode": "alwaysOn"}, db="admin")
    assert run({"find": "things", "maxTimeMS": 60_000})["code"] == 50
    assert run({"find": "things"})["ok"] == 1.0
