from __future__ import annotations

import errno
import json
import logging

import pytest
from gateway_auth import CALLER, Caller
from mongo_db_server.audit import JsonLogHandler, write_line


def test_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """One line per record on standard error, whatever the text holds; standard output stays silent."""
    write_line({"event": "call", "tool": "a\nb"})
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert json.loads(captured.err) | {"time": ""} == {"time": "", "event": "call", "tool": "a\nb"}


def test_lines_of_a_request_carry_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    """The gateway's log and the server's join on the id that the caller was given too."""
    token = CALLER.set(Caller("caller-1", correlation_id="5f1d"))
    try:
        write_line({"event": "call"})
    finally:
        CALLER.reset(token)
    assert json.loads(capsys.readouterr().err)["correlation_id"] == "5f1d"


class FullDisk:
    """Takes nothing while `full`."""

    def __init__(self) -> None:
        self.full = True
        self.text = ""

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.text += text
        return len(text)


def test_a_line_that_cannot_be_written_fails_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is done and is answered; the first line that can be written again says how many were not."""
    disk = FullDisk()
    monkeypatch.setattr("sys.stderr", disk)
    write_line({"event": "call", "tool": "insert-many"})
    JsonLogHandler().emit(logging.LogRecord("other", logging.WARNING, "", 1, "spoken", (), None))
    disk.full = False
    write_line({"event": "call", "tool": "find"})
    write_line({"event": "call", "tool": "count"})
    said, *rest = [json.loads(line) for line in disk.text.splitlines()]
    assert said["message"] == "2 lines could not be written when they were due; they may be missing"
    assert [line["tool"] for line in rest] == ["find", "count"]


def test_exceptions_show_type_and_place_only(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception's text may hold values or the connection string; its type and place do not."""
    logger = logging.getLogger("test-audit")
    logger.addHandler(JsonLogHandler())
    logger.propagate = False
    try:
        raise ValueError("mongodb://account:s3cret@host")
    except ValueError:
        logger.exception("failed")
    line = json.loads(capsys.readouterr().err)
    assert "s3cret" not in str(line)
    assert (line["exception"], line["message"], line["at"].split(":")[0]) == ("ValueError", "failed", "test_audit.py")
