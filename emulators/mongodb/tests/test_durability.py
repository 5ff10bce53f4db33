"""Acknowledged writes survive a process that is killed; a damaged log is not read past in silence."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import resource

import pytest
from bson import Decimal128, Int64, ObjectId, Regex, Timestamp

from emulators.mongodb.dispatch import Server, Session, execute
from emulators.mongodb.errors import MongoError
from emulators.mongodb.scram import Credentials
from emulators.mongodb.storage.store import Store

EVERYTHING = {
    "_id": ObjectId("64b000000000000000000001"),
    "long": Int64(5),
    "int": 5,
    "double": 5.0,
    "decimal": Decimal128("5.00"),
    "date": dt.datetime(2026, 1, 2, 3, 4, 5, 678000),
    "regex": Regex("^a", "i"),
    "time": Timestamp(7, 1),
    "bytes": b"\x00\xff",
    "nested": {"list": [1, {"a": None}], "empty": {}},
}


class Process:
    """A server on a directory; `killed` gives it up the way SIGKILL does."""

    def __init__(self, directory):
        self.store = Store(directory)
        self._server = Server(self.store, Credentials(()))

    def run(self, command, db="shop"):
        reply = execute(self._server, Session(), {**command, "$db": db})
        assert reply["ok"] == 1.0, reply
        return reply

    def find(self, name, db="shop"):
        collection = self.store.find(db, name)
        return collection.documents() if collection else None

    def killed(self):
        """Descriptors are closed, as the kernel does; nothing is flushed, compacted or told."""
        journal = self.store._journal
        journal._file.close()
        os.close(journal._lock)


@pytest.fixture
def restart(tmp_path):
    """Kills the running process, if any, and starts the next one on the same data."""
    running = []

    def start():
        if running:
            running.pop().killed()
        running.append(Process(tmp_path))
        return running[-1]

    yield start
    running.pop().store.close()


def test_every_type_comes_back_as_it_was(restart):
    restart().run({"insert": "things", "documents": [EVERYTHING]})
    (found,) = restart().find("things")
    assert found == EVERYTHING
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in EVERYTHING.items()
    }


def test_every_kind_of_change_comes_back(restart):
    process = restart()
    process.run({"insert": "things", "documents": [{"_id": n, "n": n} for n in range(5)]})
    process.run({"update": "things", "updates": [{"q": {"_id": 1}, "u": {"$set": {"n": 100}}}]})
    process.run({"delete": "things", "deletes": [{"q": {"_id": 2}, "limit": 1}]})
    process.run({"findAndModify": "things", "query": {"_id": 3}, "remove": True})
    process.run({"update": "things", "updates": [{"q": {"_id": 9}, "u": {"$set": {"n": 9}}, "upsert": True}]})
    process.run({"aggregate": "things", "pipeline": [{"$match": {"_id": 0}}, {"$out": "copy"}], "cursor": {}})
    process.run({"insert": "temporary", "documents": [{}]})
    process.run({"drop": "temporary"})
    process.run({"insert": "old", "documents": [{"_id": "kept"}]})
    process.run({"renameCollection": "shop.old", "to": "archive.new"}, db="admin")
    process.run({"insert": "c", "documents": [{}]}, db="gone")
    process.run({"dropDatabase": 1}, db="gone")
    process.run({"create": "checked", "validator": {"a": {"$exists": True}}})
    process.run({"create": "seen", "viewOn": "things", "pipeline": [{"$match": {"n": 9}}]})
    again = restart()
    assert again.find("things") == [{"_id": 0, "n": 0}, {"_id": 1, "n": 100}, {"_id": 4, "n": 4}, {"_id": 9, "n": 9}]
    assert again.find("copy") == [{"_id": 0, "n": 0}]
    assert again.find("temporary") is None
    assert again.find("new", db="archive") == [{"_id": "kept"}]
    assert again.store.database_names() == ["archive", "shop"]
    assert again.store.find("shop", "checked").options == {"validator": {"a": {"$exists": True}}}
    assert [dict(row) for row in again.run({"find": "seen"})["cursor"]["firstBatch"]] == [{"_id": 9, "n": 9}]


def test_unique_indexes_still_hold_after_a_restart(restart):
    process = restart()
    process.run({"createIndexes": "things", "indexes": [{"key": {"a": 1}, "name": "a_1", "unique": True}]})
    process.run({"insert": "things", "documents": [{"_id": 1, "a": 1}]})
    process.run({"update": "things", "updates": [{"q": {"_id": 1}, "u": {"$set": {"a": 2}}}]})
    again = restart()
    assert again.run({"insert": "things", "documents": [{"a": 2}]})["writeErrors"][0]["code"] == 11000
    assert again.run({"insert": "things", "documents": [{"a": 1}]})["n"] == 1


def test_a_second_restart_finds_the_same(restart):
    restart().run({"insert": "things", "documents": [{"_id": 1}]})
    restart().run({"insert": "things", "documents": [{"_id": 2}]})
    assert restart().find("things") == [{"_id": 1}, {"_id": 2}]


def test_a_write_cut_off_in_the_middle_is_dropped_and_earlier_ones_stay(restart, tmp_path):
    process = restart()
    process.run({"insert": "things", "documents": [{"_id": 1}]})
    length = (tmp_path / "changes.log").stat().st_size
    process.run({"insert": "things", "documents": [{"_id": 2}]})
    with (tmp_path / "changes.log").open("r+b") as file:
        file.truncate(length + 11)
    assert restart().find("things") == [{"_id": 1}]


def test_damage_in_the_middle_stops_the_start(tmp_path):
    store = Store(tmp_path)
    server = Server(store, Credentials(()))
    for number in range(3):
        execute(server, Session(), {"insert": "things", "documents": [{"_id": number}], "$db": "shop"})
    store.close()
    data = bytearray((tmp_path / "changes.log").read_bytes())
    data[36] ^= 0xFF
    (tmp_path / "changes.log").write_bytes(data)
    with pytest.raises(MongoError, match="is damaged at byte 16"):
        Store(tmp_path)


@pytest.mark.parametrize("bit", range(12 * 8))
@pytest.mark.parametrize("frame", ["first", "last"])
def test_a_damaged_header_is_not_taken_for_a_cut_off_write(tmp_path, frame, bit):
    """A length that has changed may lead past the end, as a cut-off write does; the log stays as it is."""
    store = Store(tmp_path)
    server = Server(store, Credentials(()))
    sizes = [16]  # behind the mark of the format
    for number in range(2):
        execute(server, Session(), {"insert": "things", "documents": [{"_id": number}], "$db": "shop"})
        sizes.append((tmp_path / "changes.log").stat().st_size)
    store.close()
    start = sizes[0] if frame == "first" else sizes[1]
    data = bytearray((tmp_path / "changes.log").read_bytes())
    data[start + bit // 8] ^= 1 << bit % 8
    (tmp_path / "changes.log").write_bytes(data)
    with pytest.raises(MongoError, match=f"is damaged at byte {start};"):
        Store(tmp_path)
    assert (tmp_path / "changes.log").read_bytes() == data


def test_what_is_dropped_is_said(restart, tmp_path, caplog):
    process = restart()
    process.run({"insert": "things", "documents": [{"_id": 1}]})
    with (tmp_path / "changes.log").open("ab") as file:
        file.write(b"torn")
    assert restart().find("things") == [{"_id": 1}]
    assert "changes.log ends in a write that was cut off: 4 bytes" in caplog.text


def test_a_file_is_no_data_directory(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(MongoError, match=r"data_dir .*x cannot be made \(File exists\); choose another folder"):
        Store(tmp_path / "x")


def test_two_servers_do_not_share_a_directory(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(MongoError, match="in use by another"):
        Store(tmp_path)
    store.close()
    Store(tmp_path).close()


def test_starting_makes_the_log_compact(restart, tmp_path):
    process = restart()
    for number in range(200):
        process.run({"update": "things", "updates": [{"q": {"_id": 1}, "u": {"$set": {"n": number}}, "upsert": True}]})
    before = (tmp_path / "changes.log").stat().st_size
    assert restart().find("things") == [{"_id": 1, "n": 199}]
    assert (tmp_path / "changes.log").stat().st_size < before / 50


def test_data_is_readable_by_its_owner_only(tmp_path):
    store = Store(tmp_path / "data")
    execute(Server(store, Credentials(())), Session(), {"insert": "things", "documents": [{}], "$db": "shop"})
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()} == {0o600}
    store.close()


@contextlib.contextmanager
def full_disk(path, spare):
    """No file may grow beyond what this one has and `spare` bytes: a write takes what fits, and fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def kept(tmp_path):
    """A server with one document, and a way to run commands whose errors are answers."""
    process = Process(tmp_path)
    process.run({"insert": "things", "documents": [{"_id": 1, "n": 1}]})
    yield process
    process.store.close()


@pytest.mark.parametrize("spare", [0, 1, 40])
@pytest.mark.parametrize(
    "command",
    [
        {"update": "things", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}}]},
        {"delete": "things", "deletes": [{"q": {"_id": 1}, "limit": 1}]},
        {"insert": "things", "documents": [{"_id": 2}]},
        {"insert": "others", "documents": [{"_id": 2}]},
        {"drop": "things"},
        {"dropDatabase": 1},
        {"createIndexes": "things", "indexes": [{"key": {"n": 1}, "name": "n"}]},
        {"findAndModify": "things", "query": {"_id": 1}, "update": {"$set": {"n": 9}}},
        {"aggregate": "things", "pipeline": [{"$set": {"n": 5}}, {"$out": "things"}], "cursor": {}},
    ],
    ids=lambda command: next(iter(command)) if isinstance(command, dict) else str(command),
)
def test_a_write_that_the_disk_does_not_take_has_not_happened(kept, tmp_path, command, spare):
    """It is refused (14031), nobody reads it, and what is written when there is room again is there after a restart."""
    server = Server(kept.store, Credentials(()))
    with full_disk(tmp_path / "changes.log", spare):
        reply = execute(server, Session(), {**command, "$db": "shop"})
        assert (reply["code"], reply["codeName"]) == (14031, "OutOfDiskSpace")
        assert kept.find("things") == [{"_id": 1, "n": 1}]
        assert kept.store.find("shop", "others") is None
        assert list(kept.store.find("shop", "things").indexes) == ["_id_"]
    kept.run({"update": "things", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 10}}}]})
    kept.killed()
    again = Process(tmp_path)
    assert again.find("things") == [{"_id": 1, "n": 11}]
    again.store.close()
    kept.store._journal = None


def test_starting_needs_no_room(tmp_path, caplog):
    """The log is read as it is where there is no room for a compact one, and grows on when there is."""
    process = Process(tmp_path)
    process.run({"insert": "things", "documents": [{"_id": n, "text": "x" * 100} for n in range(50)]})
    process.run({"update": "things", "updates": [{"q": {}, "u": {"$set": {"n": 1}}, "multi": True}]})
    process.killed()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        again = Process(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(again.find("things")) == 50
    assert "stays as it is" in caplog.text
    again.run({"insert": "things", "documents": [{"_id": "new"}]})
    again.store.close()
    last = Process(tmp_path)
    assert len(last.find("things")) == 51
    last.store.close()


def _cut(data):
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: b"", "is damaged at byte 0"),
        (lambda data: data[:10], "is damaged at byte 0"),
        (lambda data: data[3:], "is damaged at byte 0"),
        (lambda data: os.urandom(200) + data[200:], "is damaged at byte 0"),
        (lambda data: os.urandom(len(data)), "is damaged at byte 0"),
        (_cut, "its end is lost"),
        (lambda data: data[:-1], "its end is lost"),
        (lambda data: data[:16], "its end is lost"),
        (lambda data: data[:60] + bytes(40) + data[100:], "is damaged at byte 16"),
    ],
    ids=["emptied", "beginning", "shifted", "overwritten", "noise", "cut", "one byte", "nothing left", "zeros"],
)
def test_a_damaged_log_is_noticed_and_said(tmp_path, damage, said):
    process = Process(tmp_path)
    for number in range(20):
        process.run({"insert": "things", "documents": [{"_id": number}]})
    process.store.close()
    log = tmp_path / "changes.log"
    log.write_bytes(damage(log.read_bytes()))
    before = log.read_bytes()
    with pytest.raises(MongoError, match=said):
        Store(tmp_path)
    assert log.read_bytes() == before


def test_a_log_that_is_gone_is_noticed(tmp_path):
    Process(tmp_path).store.close()
    (tmp_path / "changes.log").unlink()
    with pytest.raises(MongoError, match="is gone"):
        Store(tmp_path)


def test_what_was_dropped_is_kept_beside_the_log(tmp_path):
    process = Process(tmp_path)
    process.run({"insert": "things", "documents": [{"_id": 1}]})
    process.killed()
    with (tmp_path / "changes.log").open("ab") as log:
        log.write(b"torn")
    whole = (tmp_path / "changes.log").read_bytes()
    again = Process(tmp_path)
    assert again.find("things") == [{"_id": 1}]
    assert (tmp_path / "changes.torn").read_bytes() == whole
    again.store.close()
