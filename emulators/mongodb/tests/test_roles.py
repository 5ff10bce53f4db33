"""Who may do what: nobody without signing in, no writes with the read-only key."""

from __future__ import annotations

import pytest
from bson import Binary, Decimal128

from emulators.mongodb.config import Oidc, User
from emulators.mongodb.dispatch import Server, Session
from emulators.mongodb.oidc import Tokens
from emulators.mongodb.scram import Credentials
from emulators.mongodb.storage.store import Store
from emulators.mongodb.tests.conftest import over_the_wire

WRITES = [
    {"insert": "things", "documents": [{}]},
    {"update": "things", "updates": [{"q": {}, "u": {"$set": {"a": 1}}}]},
    {"delete": "things", "deletes": [{"q": {}, "limit": 0}]},
    {"create": "others"},
    {"collMod": "things"},
    {"drop": "things"},
    {"dropDatabase": 1},
    {"createIndexes": "things", "indexes": [{"key": {"a": 1}, "name": "a_1"}]},
    {"dropIndexes": "things", "index": "*"},
    {"findAndModify": "things", "remove": True},
    {"findandmodify": "things", "remove": True},
    {"aggregate": "things", "pipeline": [{"$out": "copy"}], "cursor": {}},
    {"aggregate": "things", "pipeline": [{"$match": {}}, {"$merge": "copy"}], "cursor": {}},
    {"configureFailPoint": "failCommand", "mode": "off"},
]


@pytest.fixture
def server():
    return Server(Store(), Credentials([User("account", "x", "readWrite")]))


@pytest.mark.parametrize("command", WRITES, ids=lambda command: next(iter(command)))
def test_the_read_only_key_cannot_write(run, reader, command):
    reply = run(command, session=reader)
    assert (reply["code"], reply["codeName"]) == (13, "Unauthorized")
    assert reply["errmsg"] == f"not authorized on test to execute command {next(iter(command))}"


def test_the_read_only_key_cannot_rename(run, reader):
    assert run({"renameCollection": "test.a", "to": "test.b"}, db="admin", session=reader)["code"] == 13


def test_the_read_only_key_reads(run, reader, writer):
    assert run({"insert": "things", "documents": [{"_id": 1}]}, session=writer)["ok"] == 1.0
    assert run({"find": "things"}, session=reader)["cursor"]["firstBatch"] == [{"_id": 1}]


@pytest.mark.parametrize(
    "command", [*WRITES, {"find": "things"}, {"listDatabases": 1}], ids=lambda item: next(iter(item))
)
def test_nobody_does_anything_before_signing_in(run, command):
    assert run(command)["code"] == 13


@pytest.mark.parametrize("name", ["hello", "ismaster", "ping", "buildInfo", "connectionStatus", "endSessions"])
def test_greetings_need_no_user(run, name):
    assert run({name: 1})["ok"] == 1.0


def test_a_cursor_belongs_to_the_key_that_opened_it(run, reader, writer):
    run({"insert": "things", "documents": [{} for _ in range(5)]}, session=writer)
    identity = run({"find": "things", "batchSize": 1}, session=writer)["cursor"]["id"]
    assert run({"getMore": identity, "collection": "things"}, session=reader)["code"] == 13
    assert run({"killCursors": "things", "cursors": [identity]}, session=reader)["cursorsNotFound"] == [identity]
    assert len(run({"getMore": identity, "collection": "things"}, session=writer)["cursor"]["nextBatch"]) == 4


def test_connection_status_names_the_user(run):
    session = Session(user=User("account", "x", "read"))
    reply = run({"connectionStatus": 1}, session=session)
    assert reply["authInfo"]["authenticatedUsers"] == [{"user": "account", "db": "admin"}]


_ODD = [None, True, -1, 2**31 - 1, 1.5, "x", [1, 2], {"a": 1}, Decimal128("1"), Binary(b"x", 4)]


@pytest.mark.parametrize("odd", _ODD, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "MONGODB-OIDC"])
def test_no_message_of_a_stranger_is_taken_for_something_else(mechanism, odd):
    """Nothing fails unforeseen, and a number is not made into as many bytes: who asks has not signed in yet."""
    oidc = Oidc("https://issuer", "https://audience", "https://keys")
    server, session = Server(Store(), Credentials([User("account", "key", "read")]), Tokens(oidc)), Session()
    start = {"saslStart": 1, "mechanism": mechanism, "payload": odd, "options": odd}
    for command in (
        start,
        {"saslStart": 1, "mechanism": odd, "payload": b""},
        {"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": b"n,,n=account,r=nonce", "options": odd},
        {"saslContinue": 1, "conversationId": odd, "payload": odd},
        {"hello": 1, "client": odd},
        {"hello": 1, "client": {"application": odd}},
        {"hello": 1, "speculativeAuthenticate": {**start, "db": "admin"}},
        {"find": "c"},
    ):
        reply = over_the_wire(server, session, {**command, "$db": "admin"})
        assert reply["ok"] == 1.0 or reply["code"] in (13, 14, 18, 334), (command, reply)
    assert session.user is None
