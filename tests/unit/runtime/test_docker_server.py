from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulators.base.files import write_json
from tests.unit.runtime.docker_fake import FakeEngine
from tests.unit.runtime.platform_state import DIGEST, build, fill_image_store
from twin.errors import RuntimeFailure
from twin.supervise import docker_box, docker_server
from twin.supervise.docker_box import Box, Boxes
from twin.supervise.plan import make_plan
from twin.supervise.settings import RuntimeConfig

PORTS = {"mongo": 21000, "aci-mongodb-admin-a": 21001, "aci-mongodb-reader-a": 21002}
CONFIG = RuntimeConfig(runtime="docker")
REFERENCE = f"acrmcp.azurecr.io/mongodb-mcp@{DIGEST}"
URI = "mongodb://name:password@127.0.0.1:21000/"
BOX = Box("aci-one", REFERENCE, ("python", "-m", "server"), 21001, {"MCP_TIER": "reader"}, {"MONGODB_URI": URI}, 1)


class Engine(FakeEngine):
    """Also knows what an image's user is, and where it runs."""

    def __init__(self, user: str = "10001:10001", system: str = "Debian GNU/Linux 12") -> None:
        super().__init__(REFERENCE)
        image = SimpleNamespace(attrs={"Config": {"User": user}})
        self.images = SimpleNamespace(get=lambda _: image)
        self.info = lambda: {"OperatingSystem": system}


def test_a_container_group_becomes_a_container(tmp_path: Path) -> None:
    """Its process is the one that holds the container; secure variables are told apart from plain ones."""
    fill_image_store(tmp_path, python="", reference=REFERENCE)
    process = make_plan(build(None), CONFIG, tmp_path, PORTS.__getitem__).process("aci-mongodb-reader-a")
    assert process.argv[1:3] == ("-m", "twin.supervise.docker_server")
    box = json.loads(process.files[process.argv[-1]])["box"]
    assert (box["reference"], box["command"], box["port"]) == (REFERENCE, ["python", "-m", "mongo_db_server"], 21002)
    assert list(box["secrets"]) == ["MONGODB_URI"]
    assert box["environment"]["MCP_TIER"] == "reader"
    assert process.version == DIGEST


@pytest.mark.parametrize(
    ("stored", "config", "why"),
    [
        ({}, CONFIG, "was not built for Docker; run `invoke deploy --setting RUNTIME=docker`"),
        ({"python": "", "reference": REFERENCE}, RuntimeConfig(), "was built for Docker; run `invoke push`"),
    ],
)
def test_an_image_of_the_other_kind_is_refused(
    tmp_path: Path, stored: dict[str, Any], config: RuntimeConfig, why: str
) -> None:
    """What was pushed for processes is no container image, and the other way round."""
    fill_image_store(tmp_path, **stored)
    refused = make_plan(build(None), config, tmp_path, PORTS.__getitem__).refused
    assert why in refused["aci-mongodb-reader-a"]


def test_a_container_is_closed(tmp_path: Path) -> None:
    """No root, nothing to write to, no capability, no way to one; secrets in a file, not where inspect shows them."""
    engine = Engine()
    created = Boxes(engine, tmp_path).create(BOX).created
    assert (created["user"], created["read_only"], created["cap_drop"]) == ("10001:10001", True, ["ALL"])
    assert created["security_opt"] == ["no-new-privileges"]
    assert created["environment"] == {"MCP_TIER": "reader", "HOST": "127.0.0.1", "PORT": "21001"}
    assert created["command"] == ["python", "-m", "server"]
    assert URI not in repr(created)
    (path,) = created["volumes"]
    assert json.loads(Path(path).read_text(encoding="utf-8")) == {"MONGODB_URI": URI}
    assert (tmp_path / "run/secrets").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "app", "10001:0"])
def test_an_image_that_runs_as_root_is_refused(tmp_path: Path, user: str) -> None:
    """Only a number above 0 is certainly not root."""
    with pytest.raises(RuntimeFailure, match="give it a user by number"):
        Boxes(Engine(user), tmp_path).create(BOX)


def test_an_engine_with_a_loopback_of_its_own_is_refused(tmp_path: Path) -> None:
    """There the servers could not meet the database, and would look broken."""
    with pytest.raises(RuntimeFailure, match="Docker Desktop runs containers in a machine of its own"):
        Boxes(Engine(system="Docker Desktop"), tmp_path).create(BOX)


def test_the_container_goes_with_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit code is the process's, and nothing of it stays at the engine."""
    monkeypatch.setattr(docker_server.signal, "signal", lambda *_: None)
    engine = Engine()
    assert docker_server.serve(tmp_path, BOX, {"DOCKER_HOST": "unix:///x"}, engine) == 14
    assert engine.did[-3:] == ["start", "stop", "remove"]
    assert engine.present == []


def test_leftovers_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers that outlived their supervisor are removed where the engine was then; a home without any is left."""
    assert not docker_box.stop_leftovers(tmp_path)
    engine = Engine()
    monkeypatch.setattr(docker_box.docker_engine, "connect", lambda where: engine if where == {"A": "b"} else None)
    docker_box.remember(tmp_path, {"A": "b"})
    Boxes(engine, tmp_path).create(BOX)
    assert docker_box.stop_leftovers(tmp_path)
    assert engine.present == []
    assert not docker_box.stop_leftovers(tmp_path)


FOREIGN = f"ghcr.io/owner/charts@{DIGEST}"


def with_upstream(resources: dict[str, dict[str, Any]]) -> None:
    """The reader's server is a front, and the image of somebody else is behind it."""
    group = resources["azurerm_container_group.reader"]
    group["container"][0]["environment_variables"]["MCP_FRONT_URL"] = "http://127.0.0.1:9001/mcp"
    group["container"].append(
        {
            "name": "upstream",
            "image": f"acrmcp.azurecr.io/owner/charts@{DIGEST}",
            "memory": 1,
            "environment_variables": {"PORT": "9001", "REGION": "eu"},
        }
    )


def noted(home: Path) -> None:
    image = {"digest": DIGEST, "entrypoint": [], "path": [], "python": "", "reference": FOREIGN, "foreign": True}
    write_json(home / "images/owner/charts" / DIGEST.removeprefix("sha256:") / "image.json", image)


def test_what_stands_behind_a_front_is_a_container_of_its_own(tmp_path: Path) -> None:
    """Each knows its own variables alone; the front is told the port that this machine gave the other."""
    fill_image_store(tmp_path, python="", reference=REFERENCE)
    noted(tmp_path)
    ports = {**PORTS, "aci-mongodb-reader-a.upstream": 21003}
    plan = make_plan(build(with_upstream), CONFIG, tmp_path, ports.__getitem__)
    boxes = {
        name: json.loads(plan.process(name).files[plan.process(name).argv[-1]])["box"]
        for name in ("aci-mongodb-reader-a", "aci-mongodb-reader-a.upstream")
    }
    front, behind = boxes.values()
    assert front["environment"]["MCP_FRONT_URL"] == "http://127.0.0.1:21003/mcp"
    assert "REGION" not in front["environment"]
    assert (behind["reference"], behind["port"], behind["foreign"]) == (FOREIGN, 21003, 9001)
    assert (behind["environment"], behind["secrets"]) == ({"PORT": "9001", "REGION": "eu"}, {})


def test_without_containers_it_is_refused_by_name(tmp_path: Path) -> None:
    """The other groups run."""
    fill_image_store(tmp_path)
    noted(tmp_path)
    plan = make_plan(build(with_upstream), RuntimeConfig(), tmp_path, {**PORTS, "aci-mongodb-reader-a.upstream": 1}.get)  # type: ignore[arg-type]
    assert "ghcr.io/owner/charts" in plan.refused["aci-mongodb-reader-a"]
    assert "runs in a container only; deploy with `--setting RUNTIME=docker`" in plan.refused["aci-mongodb-reader-a"]
    assert plan.process("aci-mongodb-admin-a")


@pytest.mark.parametrize(("user", "runs_as"), [("1000", "1000"), ("", "65534:65534"), ("node", "65534:65534")])
def test_somebody_elses_image_is_closed_too(tmp_path: Path, user: str, runs_as: str) -> None:
    """Started as it is, never as root, and reached from this machine alone."""
    box = Box("aci-one.upstream", FOREIGN, (), 21003, {"PORT": "9001"}, {}, 1, foreign=9001)
    created = Boxes(Engine(user), tmp_path).create(box).created
    assert (created["user"], created["read_only"], created["cap_drop"]) == (runs_as, True, ["ALL"])
    assert (created["ports"], created["command"]) == ({"9001/tcp": ("127.0.0.1", 21003)}, None)
    assert {"network_mode", "entrypoint", "volumes"} & set(created) == set()
    secret = Box("aci-one.upstream", FOREIGN, (), 21003, {}, {"TOKEN": "t"}, 1, foreign=9001)
    with pytest.raises(
        RuntimeFailure, match=r"gets TOKEN from the vault.* which `docker inspect` shows; leave `secrets`"
    ):
        Boxes(Engine(user), tmp_path).create(secret)
