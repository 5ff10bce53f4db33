from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.errors import ImageError, SettingError, UsageError
from ops.images import catalog, images_json
from ops.images.catalog import Image, Pushed, Source
from tests.unit.ops.conftest import Make

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def source(servers: Path) -> Source:
    return catalog.sources(servers)["mongodb-mcp"]


@pytest.fixture
def image(source: Source) -> Image:
    return Image("mongodb", "mongodb-mcp", "0.1.0", source)


def test_entry_finds_its_folder(make: Make, servers: Path) -> None:
    """A server's folder is found by the repository that its pyproject names."""
    (image,) = catalog.decide(make(), servers_dir=servers)
    assert (image.server, image.tag, image.source.folder.name) == ("mongodb", "0.1.0", "mongo-db-server")


def test_unknown_server(make: Make, servers: Path) -> None:
    """A server that does not exist is refused with those that do, in mcp_servers and in servers/."""
    with pytest.raises(UsageError) as caught:
        catalog.decide(make(), "nope", servers)
    assert str(caught.value) == (
        "server 'nope' does not exist; mcp_servers of local holds: mongodb; servers/ holds: mongo-db-server"
    )


def test_image_that_nobody_builds(make: Make, tmp_path: Path) -> None:
    """An entry whose image no folder builds is refused by name."""
    with pytest.raises(ImageError, match="wants image 'mongodb-mcp', which no folder in servers/ builds"):
        catalog.decide(make(), servers_dir=tmp_path)


def test_a_pinned_image_is_not_built(make: Make, servers: Path, terraform_dir: Path) -> None:
    """An entry with a digest is passed over, and refused where it is asked for by name; one with neither is refused."""
    tfvars = terraform_dir / "environments/local/terraform.tfvars"
    text = tfvars.read_text(encoding="utf-8")
    tfvars.write_text(text.replace('tag = "0.1.0"', f'digest = "{DIGEST}"'), encoding="utf-8")
    assert catalog.decide(make(), servers_dir=servers) == []
    with pytest.raises(UsageError, match="pins its image by digest; there is nothing to build"):
        catalog.decide(make(), "mongodb", servers)
    tfvars.write_text(text.replace(', tag = "0.1.0"', ""), encoding="utf-8")
    with pytest.raises(ImageError, match="has neither a tag nor a digest; add"):
        catalog.decide(make(), servers_dir=servers)


def test_same_content_same_digest(source: Source) -> None:
    """Compiled files and times do not count; content does."""
    before = catalog.content_digest(source)
    (source.folder / "src" / "server" / "__pycache__").mkdir()
    (source.folder / "src" / "server" / "__pycache__" / "x.pyc").touch()
    (source.folder / "README.md").write_text("words", encoding="utf-8")
    assert catalog.content_digest(source) == before


@pytest.mark.parametrize("name", ["src/server/__init__.py", "src/server/new.py", "requirements.txt", "Dockerfile"])
def test_changed_content_changes_the_digest(source: Source, name: str) -> None:
    """Whatever goes into the image counts."""
    before = catalog.content_digest(source)
    (source.folder / name).write_text("# changed\n", encoding="utf-8")
    assert catalog.content_digest(source) != before


@pytest.fixture
def behind_the_gate(source: Source) -> Source:
    """The same server, which now needs the package beside it."""
    pyproject = source.folder / "pyproject.toml"
    needs = '[tool.uv.sources]\ngateway-auth = { path = "../gateway-auth" }\n'
    pyproject.write_text(pyproject.read_text(encoding="utf-8") + needs, encoding="utf-8")
    return catalog.sources(source.folder.parent)["mongodb-mcp"]


def test_a_server_alone_is_built_from_its_folder(source: Source) -> None:
    assert (source.packages, source.context) == ((), source.folder)


def test_a_server_with_a_package_beside_it_is_built_from_both(behind_the_gate: Source, servers: Path) -> None:
    """Docker is given nothing outside of the folder that it builds from."""
    assert behind_the_gate.packages == (servers / "gateway-auth",)
    assert behind_the_gate.folders == (servers / "mongo-db-server", servers / "gateway-auth")
    assert behind_the_gate.context == servers


def test_a_package_counts_like_the_servers_own_code(behind_the_gate: Source, servers: Path) -> None:
    """Its code goes into the image; its tests and its words do not."""
    before = catalog.content_digest(behind_the_gate)
    package = servers / "gateway-auth"
    (package / "tests").mkdir()
    for unimportant in ("README.md", "tests/test_gate.py"):
        (package / unimportant).write_text("words", encoding="utf-8")
    assert catalog.content_digest(behind_the_gate) == before
    (package / "src/gateway_auth/__init__.py").write_text("GATE = 2\n", encoding="utf-8")
    assert catalog.content_digest(behind_the_gate) != before


@pytest.mark.parametrize("path", ["../nowhere", "../../elsewhere", "src", "/elsewhere"])
def test_a_package_must_lie_beside_the_server(path: str, source: Source) -> None:
    """A package elsewhere is refused by name, before Docker looks for it in vain."""
    (source.folder.parent.parent / "elsewhere" / "src").mkdir(parents=True)
    pyproject = source.folder / "pyproject.toml"
    needs = f'[tool.uv.sources]\ngateway-auth = {{ path = "{path}" }}\n'
    pyproject.write_text(pyproject.read_text(encoding="utf-8") + needs, encoding="utf-8")
    with pytest.raises(ImageError, match=f"takes gateway-auth from '{path}', which must be a folder beside it"):
        catalog.sources(source.folder.parent)


def test_docker_is_given_what_the_images_of_this_project_copy() -> None:
    """By the patterns of servers/.dockerignore: every source of a COPY, and neither tests nor environments."""
    found = catalog.sources(environments.ROOT / "servers")
    assert found
    for source in found.values():
        context = source.context
        patterns = [line for line in (context / ".dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"]
        given = exclude_paths(str(context), patterns, source.dockerfile.relative_to(context).as_posix())
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", source.dockerfile.read_text("utf-8"), re.MULTILINE)
        for name in " ".join(copied).split():
            inside = {path.relative_to(context).as_posix() for path in (context / name).rglob("*.py")} or {name}
            assert inside <= set(given)
        allowed = {"Dockerfile", "requirements.txt", "package.json", "package-lock.json", "src"}
        assert {path.parts[1] for path in map(Path, given) if len(path.parts) > 1} <= allowed
        assert not [path for path in given if path.endswith(".pyc")]


def test_moved_bytes_change_the_digest(source: Source) -> None:
    """Bytes that move from one file into the next are another content."""
    folder = source.folder / "src"
    (folder / "a").write_text("xy", encoding="utf-8")
    (folder / "b").write_text("", encoding="utf-8")
    before = catalog.content_digest(source)
    (folder / "a").write_text("x", encoding="utf-8")
    (folder / "b").write_text("y", encoding="utf-8")
    assert catalog.content_digest(source) != before


@pytest.mark.parametrize(
    ("dockerfile", "command"),
    [
        ('ENTRYPOINT ["python", "-m", "s"]', ("python", "-m", "s")),
        ('ENTRYPOINT ["python"]\nCMD ["-m", "s"]', ("python", "-m", "s")),
        ('ENTRYPOINT ["a"]\nENTRYPOINT ["python", \\\n "-m", "s"]', ("python", "-m", "s")),
        ('# ENTRYPOINT ["no"]\nHEALTHCHECK --interval=30s \\\n    CMD ["no"]\nENTRYPOINT ["yes"]', ("yes",)),
    ],
)
def test_entrypoint(dockerfile: str, command: tuple[str, ...]) -> None:
    """The last exec-form ENTRYPOINT and CMD, as Docker joins them; a health check's CMD is not the container's."""
    assert catalog.entrypoint(dockerfile) == command


@pytest.mark.parametrize("dockerfile", ["FROM x", "ENTRYPOINT python -m s"])
def test_entrypoint_must_be_in_exec_form(dockerfile: str) -> None:
    """Without an exec-form command there is nothing to start without a shell."""
    with pytest.raises(ImageError, match="exec form"):
        catalog.entrypoint(dockerfile)


def test_tag_for_commit() -> None:
    """An image carries its commit."""
    assert catalog.tag_for("0123456789abcdef0123456789abcdef01234567") == "sha-0123456789ab"
    with pytest.raises(ImageError, match="hexadecimal"):
        catalog.tag_for("main")


def test_record_keeps_other_servers(image: Image, tmp_path: Path) -> None:
    """Pushing one server leaves the digests of the others alone, and repeating it leaves the file alone."""
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps({"other": {"repository": "o", "digest": DIGEST, "tag": "1"}}), encoding="utf-8")
    assert images_json.update(path, {"mongodb": Pushed(image, DIGEST, built=True).entry()}, Runner())
    assert not images_json.update(path, {"mongodb": Pushed(image, DIGEST, built=False).entry()}, Runner())
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "mongodb": {"repository": "mongodb-mcp", "digest": DIGEST, "tag": "0.1.0"},
        "other": {"repository": "o", "digest": DIGEST, "tag": "1"},
    }


def test_corrupt_record(tmp_path: Path) -> None:
    """A broken catalog.json is named, with the way out."""
    path = tmp_path / "catalog.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SettingError, match="delete it and run `invoke push`"):
        images_json.read(path)
