from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.cli.steps import Runner, Step
from ops.images import catalog, docker_images, engine, push
from ops.images.catalog import Image, Pushed
from ops.images.engine import Built
from ops.images.provenance import Origin
from tests.unit.ops.conftest import Make, dry_run

DIGEST = "sha256:" + "a" * 64
ORIGIN = Origin("b" * 40, 0, dirty=False, repository="")


@pytest.fixture
def image(servers: Path) -> Image:
    return Image("mongodb", "mongodb-mcp", "0.1.0", catalog.sources(servers)["mongodb-mcp"])


def _noted(home: Path) -> dict[str, Any]:
    path = home / "images/mongodb-mcp" / DIGEST.removeprefix("sha256:") / "image.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_without_a_registry_the_engines_id_is_the_digest(
    make: Make, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image stays in the engine; an unchanged one is told apart from a new one."""
    built = Built(SimpleNamespace(id=DIGEST), ORIGIN, "3.12.4", {})
    monkeypatch.setattr(engine, "build", lambda *_: Step(lambda: built, built))
    first = docker_images.keep(image, make(RUNTIME="docker"), tmp_path, Runner())
    again = docker_images.keep(image, make(RUNTIME="docker"), tmp_path, Runner())
    assert (first.digest, first.built, again.built) == (DIGEST, True, False)
    assert (_noted(tmp_path)["reference"], _noted(tmp_path)["python"]) == (DIGEST, "")
    tags = json.loads((tmp_path / "images/mongodb-mcp/tags.json").read_text(encoding="utf-8"))
    assert tags == {"0.1.0": DIGEST}


def test_with_a_registry_it_goes_the_way_to_azure(
    make: Make, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REGISTRY=acr pushes as on Azure, and the container is made from the registry's digest."""
    monkeypatch.setattr(docker_images, "push", lambda *_: Pushed(image, DIGEST, built=True))
    docker_images.keep(image, make(RUNTIME="docker", REGISTRY="acr"), tmp_path, Runner())
    assert _noted(tmp_path)["reference"] == f"acrmcp.azurecr.io/mongodb-mcp@{DIGEST}"


def test_commands_follow_the_runtime(make: Make, servers: Path) -> None:
    """A dry run shows what would run: uv, Docker alone, or Docker and the registry."""

    def lines(**settings: str) -> list[str]:
        return dry_run(lambda runner: push.push(make(SERVERS_DIR=str(servers), **settings), runner))

    assert lines()[0].startswith("uv venv")
    (build, pin) = lines(RUNTIME="docker")
    assert "docker build" in build
    assert pin.startswith("# images.json of local: mongodb runs mongodb-mcp@")
    assert lines(RUNTIME="docker", REGISTRY="acr")[0] == "az acr login --name acrmcp"
