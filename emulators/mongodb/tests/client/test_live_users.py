"""Keys that are regenerated while the stand-in runs, as PyMongo meets them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo.errors import OperationFailure

from emulators.base import live
from emulators.mongodb.tests.client.conftest import READ_ONLY, READ_WRITE, Standin

ROLES = {READ_WRITE: "readWrite", READ_ONLY: "read", "regenerated": "readWrite"}


def users(*passwords: str) -> str:
    return json.dumps([{"name": "account", "password": p, "role": ROLES[p]} for p in passwords])


class Rotated(Standin):
    """The stand-in with its users in a file; `takes` writes it, announces it and waits for the word."""

    def __init__(self, home: Path) -> None:
        self.file = home / "users.json"
        live.write({str(self.file): users(READ_WRITE, READ_ONLY)})
        super().__init__(home, users_file=str(self.file))

    def announce(self, text: str) -> None:
        live.write({str(self.file): text})
        os.kill(self.process.pid, signal.SIGHUP)

    def takes(self, text: str) -> None:
        self.announce(text)
        deadline = time.monotonic() + 10
        while not live.is_taken({str(self.file): text}):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def opens(self, password: str) -> bool:
        with self.client(password) as client:
            try:
                client["shop"]["things"].find_one()
            except OperationFailure as error:
                return error.code != 18
        return True


@pytest.fixture
def rotated(tmp_path: Path) -> Iterator[Rotated]:
    process = Rotated(tmp_path)
    yield process
    assert process.stop() == 0


def test_the_new_key_opens_the_old_one_does_not_and_nobody_is_cut_off(rotated: Rotated) -> None:
    """What is connected goes on: on one connection, with the key that is gone and with the one that stays."""
    with rotated.client(READ_WRITE, maxPoolSize=1) as old, rotated.client(READ_ONLY, maxPoolSize=1) as reader:
        for client in (old, reader):
            client["shop"]["things"].find_one()
        rotated.takes(users("regenerated", READ_ONLY))
        assert {p: rotated.opens(p) for p in ROLES} == {READ_WRITE: False, READ_ONLY: True, "regenerated": True}
        old["shop"]["things"].insert_one({"_id": 1})
        assert reader["shop"]["things"].find_one() == {"_id": 1}


def test_nonsense_in_the_file_changes_nothing(rotated: Rotated) -> None:
    """It is said in the log, and not confirmed."""
    rotated.announce("[{]")
    assert rotated.opens(READ_WRITE)
    assert not live.is_taken({str(rotated.file): "[{]"})
    rotated.takes(users("regenerated"))
    assert not rotated.opens(READ_WRITE)
    assert "the users stay as they were" in (rotated.file.parent / "log").read_text(encoding="utf-8")


def test_a_key_that_changed_while_it_was_down_counts_when_it_is_back(rotated: Rotated) -> None:
    """And is confirmed at the start, so nobody waits for a word that never comes."""
    rotated.kill()
    text = users("regenerated")
    live.write({str(rotated.file): text})
    rotated.start()
    assert (rotated.opens("regenerated"), rotated.opens(READ_WRITE)) == (True, False)
    assert live.is_taken({str(rotated.file): text})
