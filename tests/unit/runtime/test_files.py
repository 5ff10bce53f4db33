"""Status, ports, locks and logs in the twin's home."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from emulators.base.files import read_json, rotate, shorten, tail, write_json
from twin.errors import RuntimeFailure
from twin.supervise import lock
from twin.supervise.databases import MongoUri
from twin.supervise.health import _decode, _hello
from twin.supervise.settings import RuntimeConfig
from twin.supervise.status import PartStatus, Status


def test_status_survives_the_file(tmp_path: Path) -> None:
    written = Status(1, "2026-11-01T00:00:00+00:00", {"gateway": PartStatus("healthy", "gateway", 8080, 2, "x", 3)})
    written.write(tmp_path)
    assert Status.read(tmp_path) == written
    document = read_json(tmp_path / "run/status.json")
    assert (document["healthy"], document["parts"]["gateway"]["healthy"]) == (True, True)


@pytest.mark.parametrize(
    ("states", "failure", "expected"),
    [(["healthy"], "", True), (["healthy", "restarting"], "", False), ([], "", False), (["healthy"], "no", False)],
)
def test_healthy_means_every_part(states: list[str], failure: str, expected: bool) -> None:
    parts = {str(number): PartStatus(state, "server") for number, state in enumerate(states)}  # type: ignore[arg-type]
    assert Status(1, "", parts, failure=failure).healthy is expected


def test_files_with_secrets_are_private(tmp_path: Path) -> None:
    RuntimeConfig(mongodb_uri="mongodb://u:p@h/").save(tmp_path)
    assert stat.S_IMODE((tmp_path / "run/runtime.json").stat().st_mode) == 0o600
    assert RuntimeConfig.load(tmp_path) == RuntimeConfig(mongodb_uri="mongodb://u:p@h/")


def test_missing_settings_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailure, match="run `invoke deploy`"):
        RuntimeConfig.load(tmp_path)


def test_one_port_for_two_parts_is_refused() -> None:
    with pytest.raises(RuntimeFailure, match="GATEWAY_PORT and ENTRA_PORT are both 8080"):
        RuntimeConfig(gateway_port=8080, entra_port=8080)


def test_a_half_written_file_reads_as_none(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a":')
    assert read_json(tmp_path / "x.json") is None


def test_logs_rotate_above_the_limit_only(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    rotate(log, limit=4)
    log.write_text("1234")
    rotate(log, limit=4)
    assert log.read_text() == "1234"
    log.write_text("12345")
    rotate(log, limit=4)
    assert (log.exists(), log.with_name("a.log.1").read_text()) == (False, "12345")


def test_a_log_in_use_is_shortened_in_place(tmp_path: Path) -> None:
    """The process goes on writing to the same file, from its beginning."""
    log = tmp_path / "a.log"
    with log.open("a") as writer:
        writer.write("12345")
        writer.flush()
        assert (shorten(log, limit=5), shorten(log, limit=4)) == (False, True)
        writer.write("6")
    assert (log.read_text(), log.with_name("a.log.1").read_text()) == ("6", "12345")


def test_a_log_is_shortened_on_a_full_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be kept is let go, so that there is room again."""

    def full(source: Path, target: Path) -> None:
        target.write_text("12")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("shutil.copyfile", full)
    log = tmp_path / "a.log"
    log.write_text("12345")
    assert shorten(log, limit=4)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.log", "")]


def test_tail_begins_at_the_current_run(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old\nnew 1\nnew 2\n")
    assert tail(log, start=4, lines=1) == "new 2"
    assert tail(log, start=4) == "new 1\nnew 2"


def test_a_pid_alone_identifies_nobody() -> None:
    """A recycled pid has another start time."""
    own = lock.identity(os.getpid())
    assert lock.is_same(os.getpid(), own)
    assert not lock.is_same(os.getpid(), f"{own}0")
    assert not lock.is_same(os.getpid(), None)


def test_recycled_pids_are_never_ended() -> None:
    """This test's own process would not survive a mistake here."""
    lock.end_group(os.getpid(), "another start time", grace=0)


def test_leftovers_are_those_that_still_run(tmp_path: Path) -> None:
    own = lock.identity(os.getpid())
    parts = {
        "alive": {"pid": os.getpid(), "identity": own},
        "recycled": {"pid": os.getpid(), "identity": "earlier"},
        "stopped": {"pid": None, "identity": None},
    }
    write_json(tmp_path / "run/status.json", {"parts": parts})
    assert lock.leftovers(tmp_path) == [(os.getpid(), own)]


def test_lock_names_its_holder_and_admits_one(tmp_path: Path) -> None:
    first, second = lock.SupervisorLock(tmp_path), lock.SupervisorLock(tmp_path)
    assert second.holder() is None
    first.acquire()
    assert second.holder() == os.getpid()
    with pytest.raises(RuntimeFailure, match="already has a supervisor"):
        second.acquire(timeout=0)
    first.release()
    assert second.holder() is None


def test_an_unescaped_key_and_its_app_name_are_parsed() -> None:
    """Cosmos DB's appName ends with an at sign, and keys may hold a slash."""
    uri = MongoUri.parse("mongodb://acct:a+b==@acct.mongo.cosmos.azure.com:10255/shop?ssl=true&appName=@acct@")
    assert uri == MongoUri(
        "acct:a+b==", "acct.mongo.cosmos.azure.com", "/shop", (("ssl", "true"), ("appName", "@acct@"))
    )
    assert uri is not None
    assert uri.at(1) == "mongodb://acct:a+b==@127.0.0.1:1/shop?authMechanism=SCRAM-SHA-256"


def test_hello_is_a_wire_message() -> None:
    message = _hello()
    assert int.from_bytes(message[:4], "little") == len(message)
    assert _decode(message[21:]) == {"hello": 1, "$db": "admin"}
