from __future__ import annotations

import io
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker.errors
import pytest
from rich.console import Console

from ops.azure import az
from ops.cli.steps import Runner
from ops.errors import ImageError, ToolError
from ops.images import catalog, docker_images, engine, progress, provenance
from ops.images.catalog import Image
from ops.images.provenance import Origin
from tests.unit.ops.conftest import Make, dry_run

DIGEST = "sha256:" + "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ORIGIN = Origin(COMMIT, 1_700_000_000, dirty=False, repository="https://example.test/repo")
PUSHED = [
    {"status": "Preparing", "id": "l1", "progressDetail": {}},
    {"status": "Pushing", "id": "l1", "progressDetail": {"current": 50, "total": 100}},
    {"status": "Pushed", "id": "l1", "progressDetail": {}},
    {"status": "Layer already exists", "id": "l2", "progressDetail": {}},
    {"aux": {"Tag": "0.1.0", "Digest": DIGEST}},
]


@pytest.fixture
def image(servers: Path) -> Image:
    return Image("mongodb", "mongodb-mcp", "0.1.0", catalog.sources(servers)["mongodb-mcp"])


class Engine:
    """Answers as the docker SDK does, and remembers what was asked of it."""

    def __init__(self, *, said: list[dict[str, Any]] | None = None, refuses: Exception | None = None) -> None:
        self.pushed: list[str] = []
        self.built: dict[str, Any] = {}
        self._said, self._refuses = said or [{"stream": "Step 1/1 : FROM x"}], refuses
        self.api = self.images = self.containers = self.networks = self
        self.id, self.attrs = DIGEST, {"RepoDigests": ["python@sha256:" + "b" * 64]}

    def info(self) -> dict[str, Any]:
        return {"IPv4Forwarding": False}

    def list(self) -> list[Any]:
        return []

    def build(self, **given: Any) -> Iterator[dict[str, Any]]:
        self.built = given
        if self._refuses:
            raise self._refuses
        return iter(self._said)

    def get(self, _: str) -> Engine:
        return self

    def run(self, *_: Any, **__: Any) -> bytes:
        return b"3.12.4\n"

    def tag(self, repository: str, tag: str) -> bool:
        return True

    def push(self, repository: str, tag: str, **_: Any) -> Iterator[dict[str, Any]]:
        self.pushed.append(f"{repository}:{tag}")
        return iter(PUSHED)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(az, "act", lambda *arguments: asked.append(arguments))
    monkeypatch.setattr(provenance, "find_origin", lambda *_: ORIGIN)
    monkeypatch.setattr(engine, "has_buildx", lambda: False)
    return asked


def test_never_a_moving_tag_alone(image: Image) -> None:
    """Beside the configured tag go the project's version and the commit's, which never move."""
    pyproject = image.source.folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text(encoding="utf-8") + '[project]\nversion = "1.2.3"\n', encoding="utf-8")
    assert docker_images.tags(image, ORIGIN) == ("0.1.0", "1.2.3", "sha-0123456789ab")


@pytest.mark.parametrize("tag", ["latest", "main"])
def test_a_moving_tag_is_refused(image: Image, tag: str) -> None:
    """A tag that says nothing about the content cannot be what Terraform names."""
    with pytest.raises(ImageError, match=f"'{tag}', which tells no two images apart; give it a version"):
        docker_images.tags(Image(image.server, image.repository, tag, image.source), ORIGIN)


def test_what_no_commit_holds_gets_no_commits_tag(image: Image) -> None:
    """Uncommitted changes are not passed off as the commit below them."""
    dirty = Origin(COMMIT, 0, dirty=True, repository="")
    assert docker_images.tags(image, dirty) == ("0.1.0",)
    assert dirty.revision == f"{COMMIT}-dirty"


def test_commands(make: Make, image: Image, signed_in: list[tuple[str, ...]], tmp_path: Path) -> None:
    """The documented commands, with this environment's registry, base and the platform that Azure runs."""
    environment = make("dev", BASE_IMAGE="python:3.13-slim")
    lines = dry_run(lambda runner: docker_images.push(image, environment, tmp_path, runner))
    assert lines[0] == "az acr login --name acrmcp"
    assert lines[1].startswith("docker build --platform linux/amd64 -t acrmcp.azurecr.io/mongodb-mcp:0.1.0 ")
    assert "--build-arg BASE_IMAGE=python:3.13-slim" in lines[1]
    assert lines[1].endswith(f"-f {image.source.folder}/Dockerfile {image.source.folder}")
    assert lines[2:] == [
        "docker push acrmcp.azurecr.io/mongodb-mcp:0.1.0",
        "docker tag acrmcp.azurecr.io/mongodb-mcp:0.1.0 acrmcp.azurecr.io/mongodb-mcp:sha-0123456789ab",
        "docker push acrmcp.azurecr.io/mongodb-mcp:sha-0123456789ab",
    ]
    assert signed_in == []
    assert list(tmp_path.glob("images")) == []


def test_push_keeps_digest_and_sbom(
    make: Make, image: Image, signed_in: list[tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed in, built for linux/amd64, every tag pushed; the registry's digest, and the SBOM in its folder."""
    docker = Engine()
    monkeypatch.setattr(engine, "connect", lambda: docker)
    done = docker_images.push(image, make("dev"), tmp_path, Runner())
    assert signed_in == [("acr", "login", "--name", "acrmcp")]
    assert (docker.built["platform"], docker.built["network_mode"]) == ("linux/amd64", "host")
    assert (docker.built["path"], docker.built["dockerfile"]) == (str(image.source.folder), "Dockerfile")
    assert docker.pushed == [f"acrmcp.azurecr.io/mongodb-mcp:{tag}" for tag in ("0.1.0", "sha-0123456789ab")]
    assert done.entry() == {"repository": "mongodb-mcp", "digest": DIGEST, "tag": "0.1.0"}
    folder = tmp_path / "images" / "mongodb-mcp" / ("a" * 64)
    facts = json.loads((folder / "sbom.cdx.json").read_text(encoding="utf-8"))["metadata"]["properties"]
    assert {"name": "python:version", "value": "3.12.4"} in facts
    assert {"name": "build:argument:SOURCE_DATE_EPOCH", "value": "1700000000"} in facts
    assert not (folder / "provenance.json").exists()


BUILDX = """#!{python}
import json, os, sys
if sys.argv[2] == "version":
    sys.exit(0)
with open({log!r}, "w") as log:
    json.dump([sys.argv[1:], os.environ["BUILDX_METADATA_PROVENANCE"]], log)
sys.stderr.write("#5 [1/2] FROM docker.io/library/python\\n#5 CACHED\\n#6 [2/2] RUN pip install\\n#6 DONE 1.0s\\n")
if {fails!r}:
    sys.stderr.write("ERROR: failed to solve: no space left on device\\n")
    sys.exit(1)
materials = [{{"uri": "git+x"}}, {{"uri": "pkg:docker/python@3.12-slim", "digest": {{"sha256": "{base}"}}}}]
with open(sys.argv[sys.argv.index("--metadata-file") + 1], "w") as file:
    json.dump({{"buildx.build.provenance": {{"buildType": "buildkit", "materials": materials}}}}, file)
"""


@pytest.fixture
def buildx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A docker program with buildx on PATH; the file in which it notes how it was called."""

    def make(*, fails: bool = False) -> Path:
        log = tmp_path / "called.json"
        program = tmp_path / "bin" / "docker"
        program.parent.mkdir()
        text = BUILDX.format(python=sys.executable, log=str(log), fails=fails, base="b" * 64)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        monkeypatch.setattr(provenance, "find_origin", lambda _: ORIGIN)
        docker = Engine()
        monkeypatch.setattr(engine, "connect", lambda: docker)
        return log

    return make


def test_buildx_builds_where_docker_has_it(buildx: Callable[..., Path], image: Image, tmp_path: Path) -> None:
    """It runs what the dry run prints, pushes no attestation with the image, and its provenance is kept."""
    log = buildx()
    step = engine.build(image, "r:1", tmp_path / "buildx.json", "python:3.12-slim")
    built = step.act()
    called, provenance_mode = json.loads(log.read_text(encoding="utf-8"))
    assert shlex.split(step.lines[0]) == [f"BUILDX_METADATA_PROVENANCE={provenance_mode}", "docker", *_bridged(called)]
    assert {"--load", "--provenance=false"} <= set(called)
    assert built.origin.base_digest == "sha256:" + "b" * 64
    assert built.predicate["buildType"] == "buildkit"


def _bridged(called: list[str]) -> list[str]:
    """Without --network, which only an engine without a bridge gets."""
    return [word for word in called if word not in ("--network", "host")]


def test_what_buildx_refuses_is_explained(buildx: Callable[..., Path], image: Image, tmp_path: Path) -> None:
    """With what helps, and BuildKit's own words."""
    buildx(fails=True)
    with pytest.raises(ImageError, match=r"was not built: the disk is full.*ERROR: failed to solve"):
        engine.build(image, "r:1", tmp_path / "buildx.json").act()


def test_a_server_with_a_package_beside_it_is_built_from_above(
    image: Image, make: Make, signed_in: list[tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the engine and by the command that a dry run shows."""
    source = replace(image.source, packages=(image.source.folder.parent / "gateway-auth",))
    docker, image = Engine(), replace(image, source=source)
    monkeypatch.setattr(engine, "connect", lambda: docker)
    Runner().run(engine.build(image, "r:1", tmp_path / "buildx.json"))
    assert docker.built["path"] == str(source.folder.parent)
    assert docker.built["dockerfile"] == "mongo-db-server/Dockerfile"
    build = dry_run(lambda runner: docker_images.push(image, make("dev"), tmp_path, runner))[1]
    assert build.endswith(f"-f {source.folder}/Dockerfile {source.folder.parent}")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("write /var/lib/x: no space left on device", "the disk is full; `docker system prune`"),
        ("unauthorized: authentication required", "check `az acr login` and the AcrPush role"),
        ("denied: requested access to the resource is denied", "check `az acr login` and the AcrPush role"),
        ("dial tcp: lookup x on y: no such host", "the registry cannot be reached"),
        ("something new", "something new; `docker build` or `docker push` by hand"),
    ],
)
def test_what_docker_says_is_explained(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, remedy: str
) -> None:
    """Each known refusal comes with what helps, and Docker's own words; whether it was sent or raised."""
    monkeypatch.setattr(engine, "has_buildx", lambda: False)
    monkeypatch.setattr(engine, "connect", lambda: Engine(said=[{"error": said}]))
    with pytest.raises(ImageError, match="mongo-db-server was not built") as sent:
        engine.build(image, "r:1", tmp_path / "x").act()
    monkeypatch.setattr(engine, "connect", lambda: Engine(refuses=docker.errors.APIError(said)))
    with pytest.raises(ImageError) as raised:
        engine.build(image, "r:1", tmp_path / "x").act()
    for caught in (sent, raised):
        assert remedy in str(caught.value)
        assert said in str(caught.value)


def test_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine nothing is built, and the sentence says what to start."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(ToolError, match=r"no Docker engine answers .* start Docker Desktop or the docker service"):
        engine.connect()


def test_pushed_digest() -> None:
    """The digest is the registry's own answer."""
    assert engine.pushed_digest(PUSHED, "r:1") == DIGEST


@pytest.mark.parametrize(
    ("messages", "why"), [([{"error": "denied"}], "denied"), ([{"status": "Pushed"}], "told no digest")]
)
def test_refused_push(messages: list[dict[str, str]], why: str) -> None:
    """A registry's refusal, or its silence, is an error."""
    with pytest.raises(ImageError, match=why):
        engine.pushed_digest(messages, "r:1")


def test_the_default_base_is_the_dockerfiles() -> None:
    """Provenance names the base also where nobody chose one."""
    assert engine.default_base("# x\nARG BASE_IMAGE=python:3.12-slim\nFROM ${BASE_IMAGE}\n") == "python:3.12-slim"
    assert engine.default_base("FROM python\n") == "unknown"


def test_a_log_gets_one_line_per_layer() -> None:
    """Without a terminal a layer is one line, when it is there; every message goes on."""
    said: list[str] = []
    console = Console(file=io.StringIO(), force_terminal=False)
    assert list(progress.push(PUSHED, "r:1", console, said.append)) == PUSHED
    assert said == ["  r:1: layer l1: pushed", "  r:1: layer l2: layer already exists"]


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal each layer is a bar, also inside a step that already shows a spinner."""
    monkeypatch.delenv("CI", raising=False)
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120)
    with console.status("image"):
        assert list(progress.push(PUSHED, "r:1", console)) == PUSHED
    assert "l1 r:1" in shown.getvalue()


def test_a_build_says_its_steps() -> None:
    """The Dockerfile's steps are told; their output is not."""
    said: list[str] = []
    messages = [{"stream": "Step 1/2 : FROM x\n"}, {"stream": " ---> abc\n"}, {"stream": "Step 2/2 : USER 1\n"}]
    assert list(progress.build(messages, said.append)) == messages
    assert said == ["  Step 1/2 : FROM x", "  Step 2/2 : USER 1"]


def test_buildkits_steps_are_said_once() -> None:
    """Neither their output nor their end."""
    said: list[str] = []
    lines = ["#5 [1/2] FROM x\n", "#5 CACHED\n", "#6 [build 2/2] RUN y\n", "#6 0.1 words\n", "#6 [build 2/2] RUN y\n"]
    assert list(progress.buildx(lines, said.append)) == [line.rstrip() for line in lines]
    assert said == ["  [1/2] FROM x", "  [build 2/2] RUN y"]
