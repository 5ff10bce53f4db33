"""Which MongoDB a platform gets, and that looking for one is brief and pulls nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from requests.exceptions import ReadTimeout

from tests.unit.runtime.docker_fake import FakeEngine
from twin.errors import RuntimeFailure
from twin.supervise import docker_engine
from twin.supervise.database_choice import Choice, choose
from twin.supervise.docker_volume import Volume
from twin.supervise.settings import RuntimeConfig

HERE = {"DOCKER_HOST": "unix:///somewhere.sock"}


def auto(**changes: Any) -> RuntimeConfig:
    return RuntimeConfig(**{"mongo": "auto", **changes})


@pytest.fixture
def has(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine that has mongo:7.0."""
    monkeypatch.setenv("DOCKER_HOST", HERE["DOCKER_HOST"])
    engine = FakeEngine("mongo:7.0")
    monkeypatch.setattr(docker, "from_env", lambda **_: engine)
    return engine


def test_a_container_where_the_image_is_here(tmp_path: Path, has: FakeEngine) -> None:
    assert choose(auto(), tmp_path) == Choice("docker", "a container of mongo:7.0")


def test_nothing_is_pulled(tmp_path: Path, has: FakeEngine) -> None:
    """Without the image it is the stand-in, and the line says which command brings the image."""
    choice = choose(auto(mongo_image="mongo:8.0"), tmp_path)
    assert choice.kind == "twin"
    assert "Docker has no image mongo:8.0 (`docker pull mongo:8.0`" in choice.text
    assert has.did == ["close"]


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (RuntimeConfig(), "twin"),
        (auto(mongo="twin"), "twin"),
        (auto(mongodb_uri="mongodb://h/"), "uri"),
        (auto(mongo="docker", mongodb_uri="mongodb://h/"), "uri"),
    ],
)
def test_settings_that_need_no_engine_ask_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: RuntimeConfig, kind: str
) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(docker_engine, "missing", unwanted)
    assert choose(config, tmp_path).kind == kind


def test_a_home_keeps_the_stand_in_that_has_its_data(tmp_path: Path, has: FakeEngine) -> None:
    """Until a setting says otherwise: data must not vanish because an image was pulled."""
    (tmp_path / "mongo").mkdir()
    assert choose(auto(), tmp_path).kind == "twin"
    assert choose(auto(mongo="docker"), tmp_path).kind == "docker"


def test_a_home_whose_data_is_in_docker_does_not_go_on_without(tmp_path: Path, has: FakeEngine) -> None:
    Volume("x", HERE, prepared=True).save(tmp_path)
    assert choose(auto(), tmp_path).kind == "docker"
    with pytest.raises(RuntimeFailure, match=r"Docker has no image mongo:8\.0 .*--setting MONGO=twin"):
        choose(auto(mongo_image="mongo:8.0"), tmp_path)


def test_insisting_on_docker_fails_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(docker_engine, "SOCKET", tmp_path / "no.sock")
    with pytest.raises(RuntimeFailure, match=r"no Docker engine is here .*--setting MONGO=twin"):
        choose(auto(mongo="docker"), tmp_path)


@pytest.mark.parametrize("error", [DockerException("refused"), ReadTimeout("2 s")])
def test_an_engine_that_does_not_answer_is_asked_briefly(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A socket whose engine hangs costs two seconds, not sixty."""
    asked: list[dict[str, Any]] = []

    def silent(**options: Any) -> None:
        asked.append(options)
        raise error

    monkeypatch.setattr(docker, "from_env", silent)
    assert docker_engine.missing("mongo:7.0", HERE).startswith("the Docker engine was asked, and that failed: ")
    assert asked == [{"timeout": 2.0, "environment": HERE}]


@pytest.mark.parametrize("host", ["tcp://builder.example:2376", "ssh://me@builder.example"])
def test_an_engine_elsewhere_is_of_no_use(host: str) -> None:
    """It publishes ports on its own machine."""
    assert "names another machine" in docker_engine.missing("mongo:7.0", {"DOCKER_HOST": host})


def test_a_database_without_keys_is_the_stand_in(tmp_path: Path, has: FakeEngine) -> None:
    """Also where a container could be had: MongoDB's community edition checks no tokens."""
    said = "emulators.mongodb: a container of MongoDB cannot check tokens of Entra ID"
    assert choose(auto(), tmp_path, keyless=True) == Choice("twin", said)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"mongodb_uri": "mongodb://somewhere.example/"}, "unset MONGODB_URI"),
        ({"mongo": "docker"}, "choose the stand-in with `--setting MONGO=twin`"),
    ],
)
def test_another_database_cannot_do_without_keys(
    tmp_path: Path, has: FakeEngine, given: dict[str, str], remedy: str
) -> None:
    """Refused before anything starts, with what to do."""
    with pytest.raises(RuntimeFailure, match=f"cannot check tokens of Entra ID; {remedy}"):
        choose(auto(**given), tmp_path, keyless=True)
