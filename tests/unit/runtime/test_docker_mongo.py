"""The database as a container, at the boundary of the Docker SDK and of PyMongo."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from emulators.base import live
from emulators.mongodb import seed
from tests.unit.runtime.docker_fake import FakeEngine
from twin import control
from twin.errors import RuntimeFailure
from twin.supervise import docker_container, docker_engine, docker_mongo, docker_prepare
from twin.supervise.docker_container import ADMINISTRATOR, Containers
from twin.supervise.docker_mongo import Config
from twin.supervise.docker_volume import Volume, holds_data

IMAGE = "mongo:7.0"
USER = {"name": "cosmos-mcp.primary_key", "password": "k", "role": "readWrite"}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine(IMAGE)
    monkeypatch.setattr(docker_engine, "connect", lambda where, timeout=0.0: fake)
    return fake


def config(home: Path) -> Config:
    users = home / "mongo.users.json"
    users.write_text(json.dumps([USER]), encoding="utf-8")
    return Config(home, IMAGE, 21000, users, seed=True, ready=home / "mongo.ready", engine={"DOCKER_HOST": "x"})


def test_the_container_is_private_and_found_again_by_its_label(tmp_path: Path, engine: FakeEngine) -> None:
    """On the loopback address only, with sign-in required, the data in a volume, and the home in its label."""
    created = Containers(engine, tmp_path).create(IMAGE, 21000, "password").created
    name = created["name"]
    assert created == {
        "image": IMAGE,
        "command": ["mongod", "--auth", "--quiet"],
        "name": name,
        "labels": {"mcp-twin.home": str(tmp_path)},
        "ports": {"27017/tcp": ("127.0.0.1", 21000)},
        "volumes": {name: {"bind": "/data/db", "mode": "rw"}},
        "environment": {
            "MONGO_INITDB_ROOT_USERNAME": ADMINISTRATOR,
            "MONGO_INITDB_ROOT_PASSWORD_FILE": "/mongo-administrator",
        },
    }


def test_the_password_is_in_a_file_and_in_no_variable(tmp_path: Path, engine: FakeEngine) -> None:
    """`docker inspect` shows variables."""
    container = Containers(engine, tmp_path).create(IMAGE, 21000, "s3cret")
    assert container.files == {"/mongo-administrator": b"s3cret"}
    assert "s3cret" not in json.dumps(container.created)


def test_only_the_homes_own_containers_and_volumes_are_removed(tmp_path: Path, engine: FakeEngine) -> None:
    """Two checkouts share an engine."""
    mine, other = Containers(engine, tmp_path / "a"), Containers(engine, tmp_path / "b")
    for containers in (mine, other):
        containers.create(IMAGE, 21000, "x")
    assert mine.remove()
    mine.remove_volumes()
    assert [found.created["name"] for found in engine.present] == list(engine.held) == [other.name]
    assert not mine.remove()


def test_serving_prepares_once_and_leaves_nothing_running(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the container ends by itself, that is a failure with its exit code, and the container is removed."""
    ready: list[bool] = []

    def prepare(config: Config, volume: Volume, container: Any) -> None:
        ready.append(config.ready.exists())
        volume.is_prepared(config.home)

    monkeypatch.setattr("signal.signal", lambda *_: None)
    config(tmp_path).ready.touch()
    with pytest.raises(RuntimeFailure, match="ended with exit code 14"):
        docker_mongo.serve(config(tmp_path), engine, Event(), prepare)
    assert engine.did == ["create", "start", "stop", "remove"]
    assert (ready, config(tmp_path).ready.exists(), holds_data(tmp_path)) == ([False], False, True)


def test_a_leftover_is_removed_first_and_its_data_kept(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a supervisor that was killed, the next start has the same data and the same password."""
    volume = Volume("known", {}, prepared=True)
    volume.save(tmp_path)
    Containers(engine, tmp_path).create(IMAGE, 20000, "known")
    seen: list[Volume] = []
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(RuntimeFailure):
        docker_mongo.serve(config(tmp_path), engine, Event(), lambda config, volume, container: seen.append(volume))
    assert engine.did == ["create", "stop", "remove", "create", "start", "stop", "remove"]
    assert (seen, len(engine.held)) == ([volume], 1)


def test_an_interrupted_first_preparation_starts_over(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the sample data, or no administrator, must not stay for ever."""

    def interrupted(*_: object) -> None:
        raise SystemExit(0)

    monkeypatch.setattr("signal.signal", lambda *_: None)
    for _ in range(2):
        with pytest.raises(SystemExit):
            docker_mongo.serve(config(tmp_path), engine, Event(), interrupted)
    assert engine.did == ["create", "start", "stop", "remove", "remove volume", "create", "start", "stop", "remove"]
    assert not holds_data(tmp_path)


def test_stop_finds_what_a_killed_supervisor_left(tmp_path: Path, engine: FakeEngine) -> None:
    """The volume stays: the next start wants its data."""
    Volume.fresh(tmp_path, {}).is_prepared(tmp_path)
    Containers(engine, tmp_path).create(IMAGE, 21000, "x")
    assert control.stop(tmp_path)
    assert (engine.present, len(engine.held)) == ([], 1)
    assert not control.stop(tmp_path)


def test_discard_leaves_neither_container_nor_volume(tmp_path: Path, engine: FakeEngine) -> None:
    Volume.fresh(tmp_path, {}).is_prepared(tmp_path)
    Containers(engine, tmp_path).create(IMAGE, 21000, "x")
    control.discard(tmp_path)
    assert (engine.present, engine.held, holds_data(tmp_path)) == ([], {}, False)


def test_a_home_that_never_had_a_container_asks_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(docker_engine, "connect", unwanted)
    assert not docker_container.stop_leftovers(tmp_path)
    docker_container.discard(tmp_path)


class FakeMongo:
    """Remembers commands and what was inserted; `answers` come first, one per command."""

    def __init__(self, *answers: Any, users: tuple[str, ...] = ()) -> None:
        self.admin = self
        self.commands: list[tuple[Any, ...]] = []
        self.inserted: dict[str, int] = {}
        self.indexed: dict[str, Any] = {}
        self._answers = list(answers)
        self._users = users

    def __getitem__(self, name: str) -> Any:
        self._name = name
        return self

    def insert_many(self, documents: list[Any]) -> None:
        self.inserted[self._name] = len(documents)

    def command(self, verb: str, value: Any = 1, **options: Any) -> Any:
        if self._answers and isinstance(answer := self._answers.pop(0), Exception):
            raise answer
        if verb == "usersInfo":
            return {"users": [{"user": name} for name in self._users]}
        self.commands.append((verb, value, *options.get("roles", ())))
        if verb == "createIndexes":
            self.indexed[value] = options["indexes"]
        return {}


def test_each_key_has_a_user_with_its_role() -> None:
    """New keys are created, known ones get their new password, users of accounts that are gone are dropped."""
    mongo: Any = FakeMongo(users=(ADMINISTRATOR, "old.primary_key", "cosmos-mcp.primary_key"))
    reader = {"name": "cosmos-mcp.primary_readonly_key", "password": "r", "role": "read"}
    docker_prepare.set_users(mongo, [USER, reader], ADMINISTRATOR)
    assert mongo.commands == [
        ("dropUser", "old.primary_key"),
        (
            "updateUser",
            "cosmos-mcp.primary_key",
            {"role": "readWriteAnyDatabase", "db": "admin"},
            {"role": "dbAdminAnyDatabase", "db": "admin"},
        ),
        ("createUser", "cosmos-mcp.primary_readonly_key", {"role": "readAnyDatabase", "db": "admin"}),
    ]


def test_a_key_that_was_regenerated_is_taken_over_and_confirmed(tmp_path: Path) -> None:
    """Whoever changed the file knows when it counts; the container goes on."""
    mongo: Any = FakeMongo(users=(ADMINISTRATOR, USER["name"]))
    given = config(tmp_path)
    file = {str(given.users_file): given.users_file.read_text(encoding="utf-8")}
    assert not live.is_taken(file)
    docker_mongo.take_users(given, mongo)
    assert [command[:2] for command in mongo.commands] == [("updateUser", USER["name"])]
    assert live.is_taken(file)


def test_the_sample_data_is_the_stand_ins() -> None:
    mongo: Any = FakeMongo()
    docker_prepare.plant(mongo)
    assert mongo.inserted == {name: len(documents) for name, documents in seed.collections().items()}
    assert mongo.indexed["costs"] == [
        {"v": 2, "key": {"service": 1, "month": 1}, "name": "service_1_month_1", "unique": True}
    ]


def test_waiting_goes_on_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The image's first start resets connections for a while."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    mongo: Any = FakeMongo(AutoReconnect("reset"), AutoReconnect("reset"))
    docker_prepare.await_answer(mongo, lambda: True)
    assert mongo.commands == [("ping", 1)]


@pytest.mark.parametrize(
    ("error", "alive", "sentence"),
    [
        (AutoReconnect("reset"), False, "ended before it answered"),
        (OperationFailure("no", 18), True, "another password; remove it with `invoke destroy`"),
        (OperationFailure("no", 13), True, "refuses its administrator"),
    ],
)
def test_waiting_ends_where_there_is_no_hope(error: Exception, alive: bool, sentence: str) -> None:
    mongo: Any = FakeMongo(error)
    with pytest.raises(RuntimeFailure, match=sentence):
        docker_prepare.await_answer(mongo, lambda: alive)
