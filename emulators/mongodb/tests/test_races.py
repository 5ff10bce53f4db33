"""What a command finds when somebody else had the turn in the middle of it: at every point where it gives way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators.mongodb.dispatch import Server, Session, execute
from emulators.mongodb.scram import Credentials
from emulators.mongodb.storage.store import Store

Command = dict[str, Any]


def ask(server: Server, command: Command) -> dict[str, Any]:
    return execute(server, Session(), {**command, "$db": "test"})


def documents(server: Server, name: str) -> list[dict[str, Any]]:
    return [dict(document.items()) for document in ask(server, {"find": name})["cursor"]["firstBatch"]]


class Beside:
    """A fresh server for each turn that a command gives away; the other command has it then."""

    def __init__(self, home: Path, before: list[Command], command: Command, other: Command) -> None:
        self._home, self._before, self._command, self._other = home, before, command, other
        self.server = Server(Store(), Credentials(()))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The replies to the command, one for each of the first 40 turns that it gives away."""
        for turn in range(40):
            reply = self._at(turn)
            if reply is None:
                assert turn, "the command never gave way"
                return
            yield reply

    def _at(self, turn: int) -> dict[str, Any] | None:
        server = self.server = Server(Store(self._home / str(turn)), Credentials(()))
        for command in self._before:
            assert ask(server, command)["ok"] == 1.0
        given = 0

        def give_way() -> None:
            nonlocal given
            given += 1
            if given == turn + 1:
                assert ask(server, self._other)["ok"] == 1.0

        reply = execute(server, Session(), {**self._command, "$db": "test"}, give_way=give_way, slice_seconds=0)
        self._turn = turn
        return reply if given > turn else None

    def restarted(self) -> Server:
        """A server on what this one has written."""
        self.server.store.close()
        return Server(Store(self._home / str(self._turn)), Credentials(()))


_SUM = {"$sum": {"$map": {"input": {"$range": [0, 600]}, "in": 1}}}  # enough steps for the clock to be looked at
_SLOWLY = {"$expr": {"$gte": [_SUM, 0]}}
_FIVE = {"insert": "c", "documents": [{"_id": number, "state": "free"} for number in range(5)]}


def test_an_insert_beside_a_drop_leaves_nothing_in_a_collection_that_is_gone(tmp_path):
    race = Beside(tmp_path, [{"create": "c", "validator": _SLOWLY}], {**_FIVE, "ordered": False}, {"drop": "c"})
    for reply in race:
        left = documents(race.server, "c")
        assert [error["code"] for error in reply.get("writeErrors", [])] == [175] * (5 - reply["n"])
        assert len(left) <= reply["n"]
        assert documents(race.restarted(), "c") == left


@pytest.mark.parametrize(
    "other", [{"drop": "c"}, {"dropDatabase": 1}, {"delete": "c", "deletes": [{"q": {}, "limit": 0}]}]
)
def test_an_update_brings_nothing_back_that_is_gone(tmp_path, other):
    update = {"update": "c", "updates": [{"q": _SLOWLY, "u": [{"$set": {"x": _SUM}}], "multi": True}]}
    race = Beside(tmp_path, [_FIVE], update, other)
    for _ in race:
        assert documents(race.server, "c") == []
        assert documents(race.restarted(), "c") == []


@pytest.mark.parametrize("change", [{"remove": True}, {"update": [{"$set": {"state": "mine", "x": _SUM}}]}])
def test_nobody_takes_what_somebody_else_took_meanwhile(tmp_path, change):
    take = {"findAndModify": "c", "query": {"state": "free", **_SLOWLY}, "sort": {"_id": 1}, **change}
    other = {"findAndModify": "c", "query": {"_id": 0, "state": "free"}, "update": {"$set": {"state": "theirs"}}}
    race = Beside(tmp_path, [_FIVE], take, other)
    for reply in race:
        theirs = [document["_id"] for document in documents(race.server, "c") if document["state"] == "theirs"]
        assert reply["value"]["_id"] == (1 if theirs else 0)


def test_an_update_looks_again_whether_what_has_changed_still_matches(tmp_path):
    update = {"update": "c", "updates": [{"q": {"state": "free"}, "u": [{"$set": {"state": "mine", "x": _SUM}}]}]}
    other = {"update": "c", "updates": [{"q": {"_id": 0, "state": "free"}, "u": {"$set": {"state": "theirs"}}}]}
    race = Beside(tmp_path, [{"insert": "c", "documents": [{"_id": 0, "state": "free"}]}], update, other)
    for reply in race:
        assert documents(race.server, "c")[0]["state"] == ("mine" if reply["n"] else "theirs")


def test_two_outs_into_one_collection_do_not_meet(tmp_path):
    out = {"aggregate": "c", "pipeline": [{"$out": "to"}], "cursor": {}}
    race = Beside(tmp_path, [{"create": "to", "validator": _SLOWLY}, _FIVE], out, out)
    for reply in race:
        assert reply["ok"] == 1.0
        names = ask(race.restarted(), {"listCollections": 1})["cursor"]["firstBatch"]
        assert sorted(document["name"] for document in names) == ["c", "to"]


def test_what_an_out_left_behind_that_was_killed_is_gone_at_the_next_start(tmp_path):
    store = Store(tmp_path)
    store.create("test", "tmp.agg_out.1234", {})
    store.close()
    assert Store(tmp_path).collections("test") == []


def test_a_merge_computes_again_what_somebody_has_changed(tmp_path):
    merge = {"$merge": {"into": "to", "whenMatched": [{"$set": {"n": {"$add": ["$n", _SUM]}}}]}}
    before = [{"insert": "to", "documents": [{"_id": 1, "n": 1}]}, {"insert": "c", "documents": [{"_id": 1}]}]
    other = {"update": "to", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 100_000}}}]}
    race = Beside(tmp_path, before, {"aggregate": "c", "pipeline": [merge], "cursor": {}}, other)
    for _ in race:
        assert documents(race.server, "to")[0]["n"] == 100_601
