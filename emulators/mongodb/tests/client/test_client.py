"""Real PyMongo, both of them, against the process: signing in, cursors, time limits, failures, restarts."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time

import pymongo
import pymongo.errors
import pytest
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

READ_ONLY = "read-only key"


@pytest.fixture
def things(standin):
    with standin.client() as client:
        yield client["shop"]["things"]
        client.drop_database("shop")


def test_both_keys_of_one_user_sign_in_with_their_own_role(standin, things):
    things.insert_one({"_id": 1})
    with standin.client(READ_ONLY) as reader:
        assert reader["shop"]["things"].find_one() == {"_id": 1}
        with pytest.raises(pymongo.errors.OperationFailure) as caught:
            reader["shop"]["things"].insert_one({"_id": 2})
        assert (caught.value.code, caught.value.details["codeName"]) == (13, "Unauthorized")
        for stage in ({"$out": "copy"}, {"$merge": "copy"}):
            with pytest.raises(pymongo.errors.OperationFailure) as caught:
                list(reader["shop"]["things"].aggregate([stage]))
            assert caught.value.code == 13
    assert things.database.list_collection_names() == ["things"]


@pytest.mark.parametrize(("name", "password"), [("account", "wrong"), ("nobody", READ_ONLY)])
def test_a_wrong_password_is_refused(standin, name, password):
    options = {**standin.options(password), "username": name}
    with pymongo.MongoClient(**options) as client, pytest.raises(pymongo.errors.OperationFailure) as caught:
        client["shop"]["things"].find_one()
    assert caught.value.code == 18


def test_no_password_is_refused(standin):
    with pymongo.MongoClient("127.0.0.1", standin.port) as client:
        assert client.admin.command("ping")["ok"] == 1.0
        with pytest.raises(pymongo.errors.OperationFailure) as caught:
            client["shop"]["things"].find_one()
    assert caught.value.code == 13


def test_a_connection_string_of_cosmos_dbs_form_works_without_its_tls_and_replica_set(standin):
    uri = f"mongodb://account:read%2Fwrite%3Dkey%2C%2B@127.0.0.1:{standin.port}/?retrywrites=false&maxIdleTimeMS=120000&appName=@account@"
    with pymongo.MongoClient(uri) as client:
        assert client.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"][0]["user"] == "account"


def test_reading_and_writing_concerns(things):
    careful = things.with_options(
        write_concern=WriteConcern(w="majority", j=True), read_concern=ReadConcern("majority")
    )
    careful.insert_one({"_id": 1})
    assert careful.find_one() == {"_id": 1}
    unacknowledged = things.with_options(write_concern=WriteConcern(w=0))
    assert unacknowledged.insert_one({"_id": 2}).acknowledged is False
    until(lambda: things.count_documents({}) == 2)


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def test_sessions_are_not_offered(standin):
    with (
        standin.client() as client,
        pytest.raises(pymongo.errors.ConfigurationError),
        client.start_session() as session,
    ):
        client["shop"]["things"].insert_one({}, session=session)


def test_retryable_writes_switched_on_do_no_harm(standin, things):
    with pymongo.MongoClient(**{**standin.options(), "retryWrites": True}) as client:
        client["shop"]["things"].insert_one({"_id": "retried"})
    assert things.find_one() == {"_id": "retried"}


def test_thousands_of_documents_in_batches(things):
    things.insert_many([{"_id": n, "text": "x" * 200} for n in range(5000)])
    assert [row["_id"] for row in things.find(batch_size=333)] == list(range(5000))
    with things.find(batch_size=10) as cursor:
        next(cursor)
        identity = cursor.cursor_id
    until(lambda: things.database.command("killCursors", "things", cursors=[identity])["cursorsNotFound"] == [identity])


def test_documents_up_to_their_limit(things):
    things.insert_one({"_id": 1, "blob": b"x" * 16_000_000})
    assert len(things.find_one()["blob"]) == 16_000_000
    with pytest.raises((pymongo.errors.DocumentTooLarge, pymongo.errors.WriteError)):
        things.insert_one({"blob": b"x" * 17_000_000})


def test_an_expression_that_takes_too_long_is_stopped(things):
    things.insert_many([{"_id": n} for n in range(300)])
    slow = {"$reduce": {"input": {"$range": [0, 20000]}, "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}}
    with pytest.raises(pymongo.errors.ExecutionTimeout) as caught:
        list(things.aggregate([{"$set": {"x": slow}}], maxTimeMS=200))
    assert caught.value.code == 50


def fail(client, mode, **data):
    client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})


def test_throttling_on_demand(things):
    fail(things.database.client, {"times": 1}, failCommands=["find"], errorCode=16500, RetryAfterMs=20)
    with pytest.raises(pymongo.errors.OperationFailure) as caught:
        things.find_one()
    assert (caught.value.code, caught.value.details["RetryAfterMs"]) == (16500, 20)
    assert "RetryAfterMs=20" in str(caught.value)
    assert things.find_one() is None


def test_a_blocked_command_runs_out_of_time(things):
    fail(things.database.client, {"times": 1}, failCommands=["count"], blockConnection=True, blockTimeMS=300)
    begun = time.monotonic()
    with pytest.raises(pymongo.errors.ExecutionTimeout):
        things.estimated_document_count(maxTimeMS=100)
    assert 0.25 < time.monotonic() - begun < 3


def test_a_closed_connection_is_retried_by_the_driver(things):
    things.insert_one({"_id": 1})
    fail(things.database.client, {"times": 1}, failCommands=["find"], closeConnection=True)
    assert things.find_one() == {"_id": 1}


def test_one_blocked_connection_does_not_block_another(standin, things):
    fail(
        things.database.client,
        {"times": 1},
        failCommands=["find"],
        blockConnection=True,
        blockTimeMS=1500,
        appName="slow",
    )

    async def race():
        options = standin.options()
        async with (
            pymongo.AsyncMongoClient(**options, appname="slow") as slow,
            pymongo.AsyncMongoClient(**options) as quick,
        ):
            waiting = asyncio.create_task(slow["shop"]["things"].find_one())
            await asyncio.sleep(0.3)
            begun = time.monotonic()
            await quick["shop"]["things"].find_one()
            took = time.monotonic() - begun
            assert not waiting.done()
            await waiting
            return took

    assert asyncio.run(race()) < 0.5


async def test_the_async_client(standin):
    async with pymongo.AsyncMongoClient(**standin.options()) as client:
        things = client["async_shop"]["things"]
        await things.insert_many([{"_id": n} for n in range(300)])
        assert [row["_id"] async for row in things.find(batch_size=50, max_time_ms=5000)] == list(range(300))
        assert await things.count_documents({"_id": {"$lt": 10}}, maxTimeMS=5000) == 10
        found = await asyncio.gather(*(things.find_one({"_id": n}) for n in range(64)))
        assert [row["_id"] for row in found] == list(range(64))
        cursor = await things.aggregate([{"$group": {"_id": None, "n": {"$sum": "$_id"}}}])
        assert await cursor.to_list() == [{"_id": None, "n": 44850}]
        await client.drop_database("async_shop")


def test_listing(standin, things):
    things.create_index([("a", 1), ("b", -1)], name="by a", unique=True)
    things.insert_one({"a": 1})
    client = things.database.client
    assert "shop" in client.list_database_names()
    (entry,) = client.list_databases(filter={"name": "shop"})
    assert (entry["name"], entry["sizeOnDisk"] > 0, entry["empty"]) == ("shop", True, False)
    assert things.database.list_collection_names(filter={"name": {"$regex": "^th"}}) == ["things"]
    assert list(things.list_indexes())[1] == {"v": 2, "key": {"a": 1, "b": -1}, "name": "by a", "unique": True}
    stats = things.database.command("collStats", "things")
    assert (stats["count"], stats["nindexes"]) == (1, 2)
    assert things.database.command("dbStats")["objects"] == 1
    (row,) = things.aggregate([{"$collStats": {"storageStats": {}, "count": {}}}])
    assert (row["count"], row["storageStats"]["size"]) == (1, stats["size"])


def test_explaining_says_what_is_read(things):
    things.create_index("a")
    things.insert_many([{"_id": n, "a": n} for n in range(20)])
    plan = things.find({"a": {"$gt": 10}}).sort("a", 1).limit(3).explain()
    stages = []
    stage = plan["queryPlanner"]["winningPlan"]
    while stage:
        stages.append(stage["stage"])
        stage = stage.get("inputStage")
    assert stages == ["LIMIT", "SORT", "FETCH", "IXSCAN"]
    assert (plan["executionStats"]["nReturned"], plan["executionStats"]["totalDocsExamined"]) == (3, 10)
    scan = things.find({"b": 1}).explain()
    assert scan["queryPlanner"]["winningPlan"]["stage"] == "COLLSCAN"
    assert scan["executionStats"]["totalDocsExamined"] == 20
    identity = things.find({"_id": 1}).explain()
    assert identity["queryPlanner"]["winningPlan"]["stage"] == "IDHACK"
    command = {"explain": {"update": "things", "updates": [{"q": {}, "u": {"$set": {"a": 0}}, "multi": True}]}}
    assert things.database.command(command)["executionStats"]["nReturned"] == 20
    assert things.count_documents({"a": 0}) == 1


def test_renaming_and_dropping(things):
    things.insert_one({"_id": 1})
    things.rename("renamed")
    database = things.database
    assert database.list_collection_names() == ["renamed"]
    database["other"].insert_one({})
    with pytest.raises(pymongo.errors.OperationFailure) as caught:
        database["renamed"].rename("other")
    assert caught.value.code == 48
    database["renamed"].rename("other", dropTarget=True)
    assert database["other"].find_one() == {"_id": 1}
    database.drop_collection("other")
    database.drop_collection("never was")
    assert database.list_collection_names() == []


def test_acknowledged_writes_survive_being_killed(own_standin):
    acknowledged = []
    for round_ in range(3):
        with own_standin.client() as client:
            things = client["shop"]["things"]
            for number in range(200):
                things.insert_one({"_id": f"{round_}-{number}"})
                acknowledged.append(f"{round_}-{number}")
        own_standin.kill()
        own_standin.start()
    with own_standin.client() as client:
        assert [row["_id"] for row in client["shop"]["things"].find()] == acknowledged


def test_stopping_is_prompt_and_keeps_everything(own_standin):
    with own_standin.client() as client:
        client["shop"]["things"].insert_one({"_id": 1})
        assert own_standin.stop() == 0
    own_standin.start()
    with own_standin.client() as client:
        assert client["shop"]["things"].find_one() == {"_id": 1}


def test_the_driver_recovers_when_the_server_comes_back_on_its_port(own_standin, tmp_path):
    config = json.loads((tmp_path / "mongo.json").read_text())
    (tmp_path / "mongo.json").write_text(json.dumps({**config, "port": own_standin.port}))
    with own_standin.client() as client:
        client["shop"]["things"].insert_one({"_id": 1})
        own_standin.kill()
        own_standin.start()
        assert client["shop"]["things"].find_one() == {"_id": 1}


def test_garbage_ends_the_connection_and_not_the_server(standin, things):
    for garbage in (b"GET / HTTP/1.1\r\n\r\n" + b"x" * 64, b"\xff" * 64, b"\x15\0\0\0" + b"\0" * 60, os.urandom(4096)):
        with socket.create_connection(("127.0.0.1", standin.port), timeout=5) as connection:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1024) == b""
    assert things.find_one() is None


def refused(home, root, config):
    (home / "refused.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "emulators.mongodb", "--config", str(home / "refused.json")]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=20, check=False)


def test_a_taken_port_is_one_sentence_and_exit_code_1(standin, tmp_path):
    result = refused(tmp_path, standin.root, {"users": [], "port": standin.port})
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.strip().startswith(f"cannot listen on 127.0.0.1:{standin.port}")
    assert "Traceback" not in result.stderr
