"""The stand-in as a process, and real PyMongo as its client.

What compares answers with the manual (`collection`, `exactly`) runs unchanged on another MongoDB: set MONGODB_URI. What
tests the stand-in itself (`standin`) always starts one.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.collection import Collection

ROOT = Path(__file__).parents[4]
READ_WRITE, READ_ONLY = "read/write=key,+", "read-only key"


class Standin:
    """A `python -m emulators.mongodb` process on a directory; it can be killed and started again."""

    root = ROOT

    def __init__(self, home: Path, **settings: Any) -> None:
        self._home = home
        users = [
            {"name": "account", "password": READ_WRITE, "role": "readWrite"},
            {"name": "account", "password": READ_ONLY, "role": "read"},
        ]
        config = {
            "host": "127.0.0.1",
            "port": 0,
            "data_dir": str(home / "data"),
            **({} if "users_file" in settings else {"users": users}),
            "seed": False,
            **settings,
        }
        (home / "mongo.json").touch(mode=0o600)
        (home / "mongo.json").write_text(json.dumps(config))
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "emulators.mongodb", "--config", str(self._home / "mongo.json")]
        with (self._home / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], 60)
        words = self.process.stdout.readline().split() if readable else []
        assert words[:2] == ["ready", "mongo"], (self._home / "log").read_text()
        self.port = int(words[2])

    def client(self, password: str = READ_WRITE, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(**self.options(password), **options)

    def options(self, password: str = READ_WRITE) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "username": "account",
            "password": password,
            "serverSelectionTimeoutMS": 5000,
            "retryWrites": False,
        }

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    process = Standin(tmp_path_factory.mktemp("mongo"))
    yield process
    process.stop()


@pytest.fixture
def own_standin(tmp_path: Path) -> Iterator[Standin]:
    """A process of the test's own, to be killed and restarted."""
    process = Standin(tmp_path)
    yield process
    if process.process.poll() is None:
        process.stop()


@pytest.fixture(scope="module")
def client(request: pytest.FixtureRequest) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
    """The MongoDB that answers are compared on: MONGODB_URI's, or the stand-in."""
    uri = os.environ.get("MONGODB_URI")
    found = pymongo.MongoClient(uri) if uri else request.getfixturevalue("standin").client()
    with found:
        yield found


@pytest.fixture
def collection(client: pymongo.MongoClient[dict[str, Any]]) -> Iterator[Collection[dict[str, Any]]]:
    """An empty collection in a database of the test's own."""
    options: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
    database = client.get_database(f"twin_test_{uuid.uuid4().hex[:12]}", codec_options=options)
    yield database["things"]
    client.drop_database(database.name)


@pytest.fixture
def exactly() -> Callable[[Any, Any], None]:
    """Asserts equality in BSON: 1 is not 1.0, true is not 1, an int is not a long, and fields have an order."""

    def compare(expected: Any, actual: Any) -> None:
        assert _text(expected) == _text(actual)

    return compare


def _text(value: Any) -> str:
    return json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS)
