"""A server without sockets: commands go through BSON on their way in and out, as they do on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bson import decode, encode

import emulators.mongodb.commands  # noqa: F401 - registers the commands
from emulators.mongodb.config import User
from emulators.mongodb.dispatch import Server, Session, execute
from emulators.mongodb.scram import Credentials
from emulators.mongodb.storage.store import Store
from emulators.mongodb.wire import CODEC

Run = Callable[..., dict[str, Any]]


def over_the_wire(server: Server, session: Session, command: dict[str, Any]) -> dict[str, Any]:
    request = decode(encode(command, codec_options=CODEC), CODEC)
    return decode(encode(execute(server, session, request), codec_options=CODEC), CODEC)


@pytest.fixture
def server() -> Server:
    """A server without users: everybody may do everything."""
    return Server(Store(), Credentials(()))


@pytest.fixture
def run(server: Server) -> Run:
    """Runs one command on the database `test`; `session` makes it another connection's."""
    usual = Session()

    def call(command: dict[str, Any], *, db: str = "test", session: Session | None = None) -> dict[str, Any]:
        return over_the_wire(server, session or usual, {**command, "$db": db})

    return call


@pytest.fixture
def find(run: Run) -> Callable[..., list[dict[str, Any]]]:
    """All documents of a collection that match."""

    def call(name: str, query: dict[str, Any] | None = None, **options: Any) -> list[dict[str, Any]]:
        reply = run({"find": name, "filter": query or {}, "batchSize": 10_000, **options})
        assert reply["ok"] == 1.0, reply
        batch: list[dict[str, Any]] = reply["cursor"]["firstBatch"]
        return batch

    return call


@pytest.fixture
def reader() -> Session:
    """A connection signed in with the read-only key."""
    return Session(user=User("account", "read-only", "read"))


@pytest.fixture
def writer() -> Session:
    """A connection signed in with the read-write key."""
    return Session(user=User("account", "read-write", "readWrite"))
