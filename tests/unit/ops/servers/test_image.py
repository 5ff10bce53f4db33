"""`--image`: an image that somebody else publishes, as a second container behind the front."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.azure import az
from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.errors import ToolError, UsageError
from ops.images import catalog, push, upstream
from ops.rollout import deploy
from ops.servers import add_server, remove_server
from ops.terraform import workspace
from tests.unit.ops.conftest import Make, dry_run
from twin.errors import RuntimeFailure
from twin.supervise import docker_engine

DIGEST = "sha256:" + "c" * 64
IMAGE = f"ghcr.io/owner/charts@{DIGEST}"


def added(make: Make, servers: Path, name: str = "local", **settings: str) -> Environment:
    """An environment with one server of its own and that image."""
    given = {"SERVERS_DIR": str(servers), **settings}
    add_server.add(make(name, **given), Runner(yes=True), "charts", add_server.parse(image=IMAGE, port="9001"))
    return environments.load(name, given)


def test_the_folder_is_the_front_and_the_entry_names_the_image(make: Make, servers: Path) -> None:
    """So that push, rolling updates and rollback treat the front as any other image."""
    environment = added(make, servers)
    source = catalog.sources(servers)["charts"]
    assert source.entrypoint == ("python", "-m", "gateway_auth.front")
    assert (source.behind_front, source.python_behind, source.node_behind) == (True, None, None)
    assert environment.servers["charts"]["front"] == {"upstream": {"image": IMAGE, "port": 9001}}
    assert upstream.wanted(environment) == [upstream.Upstream("charts", IMAGE, "owner/charts", DIGEST)]
    assert "`ghcr.io/owner/charts`" in (source.folder / "README.md").read_text(encoding="utf-8")


def test_another_image_under_the_same_name_is_refused(make: Make, servers: Path) -> None:
    environment = added(make, servers)
    before = (environment.folder / "terraform.tfvars").read_text(encoding="utf-8")
    add_server.add(environment, Runner(), "charts", add_server.parse(image=IMAGE))
    with pytest.raises(UsageError, match=r"charts is there already, as ghcr\.io/owner/charts@sha256:c.* nothing was"):
        add_server.add(environment, Runner(), "charts", add_server.parse(image=IMAGE.replace("c" * 64, "d" * 64)))
    assert (environment.folder / "terraform.tfvars").read_text(encoding="utf-8") == before


def test_it_is_taken_away_to_the_letter(make: Make, servers: Path) -> None:
    before = (make("local", SERVERS_DIR=str(servers)).folder / "terraform.tfvars").read_text(encoding="utf-8")
    environment = added(make, servers)
    remove_server.remove(environment, Runner(yes=True), "charts")
    assert (environment.folder / "terraform.tfvars").read_text(encoding="utf-8") == before
    assert not (servers / "charts").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"image": "ghcr.io/owner/charts:1.0"}, "must be REGISTRY/REPOSITORY@sha256:<64 hexadecimal digits>"),
        ({"image": f"owner/charts@{DIGEST}"}, "must be REGISTRY/REPOSITORY@sha256"),
        ({"image": IMAGE, "port": "http"}, "--port 'http' must be from 1 to 65535"),
        ({"image": IMAGE, "port": "70000"}, "--port '70000' must be from 1 to 65535"),
        ({"image": IMAGE, "path": "mcp"}, "--path 'mcp' must be a path that starts with a slash"),
        ({"image": IMAGE, "pypi": "a==1"}, "--pypi and --image are two sources"),
        ({"image": IMAGE, "sessions": "caller"}, "--sessions says how a server of --pypi or --npm runs"),
        ({"port": "9001"}, "--port says how a server of --image runs"),
    ],
)
def test_what_is_no_image_is_refused(options: dict[str, Any], sentence: str) -> None:
    """Before anything is written."""
    with pytest.raises(UsageError, match=sentence):
        add_server.parse(**options)


def test_without_an_engine_nothing_is_begun(make: Make, servers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that would end with a server that does not start changes nothing, and says what it needs."""
    with pytest.raises(ToolError, match=r"charts is the image ghcr\.io/owner/charts, and the local .* RUNTIME=docker"):
        deploy.deploy(added(make, servers), Runner())

    def absent(where: object) -> Any:
        raise RuntimeFailure("no Docker engine is here")

    monkeypatch.setattr(docker_engine, "connect", absent)
    in_docker = environments.load("local", {"SERVERS_DIR": str(servers), "RUNTIME": "docker"})
    for task in (deploy.deploy, push.push):
        with pytest.raises(ToolError, match="needs a container engine: no Docker engine is here; start Docker, or"):
            task(in_docker, Runner())


def test_the_registry_imports_it_by_digest(make: Make, servers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure's registry fetches it itself, once; this machine needs no Docker for it."""
    environment = added(make, servers, "dev")
    copied = f"az acr import --name acrmcp --source {IMAGE} --repository owner/charts"
    lines = dry_run(lambda runner: upstream.import_all(workspace.locate(environment, {}, runner=runner)))
    assert lines == [copied]
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(az, "run", lambda *words: asked.append(words))
    for found in (None, {"digest": DIGEST}):
        monkeypatch.setattr(az, "find", lambda *words, found=found: found)
        upstream.import_all(workspace.locate(environment, {}, runner=Runner()))
    assert [az.command(*words) for words in asked] == [copied]


def test_a_local_engine_pulls_it(make: Make, servers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the local registry knows it by the same digest."""
    pulled: list[str] = []
    engine = SimpleNamespace(images=SimpleNamespace(pull=pulled.append), close=lambda: None)
    monkeypatch.setattr(docker_engine, "connect", lambda where, timeout=0: engine)
    environment = added(make, servers, RUNTIME="docker")
    upstream.require_engine(environment)
    upstream.import_all(workspace.locate(environment, {}, runner=Runner()))
    stored = environment.home / "images/owner/charts" / DIGEST.removeprefix("sha256:") / "image.json"
    noted = json.loads(stored.read_text(encoding="utf-8"))
    assert (pulled, noted["reference"], noted["foreign"]) == ([IMAGE], IMAGE, True)
