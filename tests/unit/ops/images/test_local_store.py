from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ops.cli.steps import Runner
from ops.errors import ImageError
from ops.images import catalog, installed, local_store
from ops.images.catalog import Image


@pytest.fixture
def image(servers: Path) -> Image:
    return Image("mongodb", "mongodb-mcp", "0.1.0", catalog.sources(servers)["mongodb-mcp"])


@pytest.fixture
def venvs(tmp_path: Path, image: Image) -> Path:
    """A complete environment for the image's lock, so that nothing is installed."""
    folder = tmp_path / "venvs" / installed.venv_name(image.source.requirements)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / "complete").touch()
    return folder.parent


def test_push_fills_the_store(image: Image, venvs: Path, tmp_path: Path) -> None:
    """The tag leads to a digest, and the digest to a command, an interpreter and the code."""
    pushed = local_store.push(image, tmp_path, Runner(), venvs=venvs)
    folder = tmp_path / "images" / "mongodb-mcp"
    assert json.loads((folder / "tags.json").read_text(encoding="utf-8")) == {"0.1.0": pushed.digest}
    stored = folder / pushed.digest.removeprefix("sha256:")
    assert json.loads((stored / "image.json").read_text(encoding="utf-8")) == {
        "entrypoint": ["python", "-m", "server"],
        "python": str(venvs / installed.venv_name(image.source.requirements) / "bin" / "python"),
        "path": [str(stored / "src")],
        "digest": pushed.digest,
    }
    assert (stored / "src" / "server" / "__init__.py").exists()


def test_the_packages_beside_the_server_are_stored_with_it(
    image: Image, venvs: Path, servers: Path, tmp_path: Path
) -> None:
    """One folder holds all that the process imports, as the image does; the server's first image is another."""
    first = local_store.push(image, tmp_path, Runner(), venvs=venvs)
    behind = replace(image, source=replace(image.source, packages=(servers / "gateway-auth",)))
    pushed = local_store.push(behind, tmp_path, Runner(), venvs=venvs)
    stored = tmp_path / "images" / "mongodb-mcp" / pushed.digest.removeprefix("sha256:")
    assert {path.name for path in (stored / "src").iterdir()} == {"server", "gateway_auth"}
    assert json.loads((stored / "image.json").read_text(encoding="utf-8"))["path"] == [str(stored / "src")]
    assert pushed.digest != first.digest


def test_second_push_changes_nothing(image: Image, venvs: Path, tmp_path: Path) -> None:
    """The same content is not built again."""
    assert local_store.push(image, tmp_path, Runner(), venvs=venvs).built
    assert not local_store.push(image, tmp_path, Runner(), venvs=venvs).built


def test_an_image_does_not_change(image: Image, venvs: Path, tmp_path: Path) -> None:
    """Editing the source after a push makes another image; the pushed one stays what it was."""
    first = local_store.push(image, tmp_path, Runner(), venvs=venvs)
    (image.source.folder / "src" / "server" / "__init__.py").write_text("X = 2\n", encoding="utf-8")
    second = local_store.push(image, tmp_path, Runner(), venvs=venvs)
    folder = tmp_path / "images" / "mongodb-mcp"
    code = [
        (folder / pushed.digest.removeprefix("sha256:") / "src" / "server" / "__init__.py").read_text(encoding="utf-8")
        for pushed in (first, second)
    ]
    assert code == ["X = 1\n", "X = 2\n"]


def test_half_stored_image_is_stored_again(image: Image, venvs: Path, tmp_path: Path) -> None:
    """A push that was interrupted is finished by the next."""
    digest = catalog.content_digest(image.source).removeprefix("sha256:")
    (tmp_path / "images" / "mongodb-mcp" / digest).mkdir(parents=True)
    assert local_store.push(image, tmp_path, Runner(), venvs=venvs).built


def test_another_lock_is_another_environment(image: Image) -> None:
    """Environments are shared by lock, never between locks."""
    before = installed.venv_name(image.source.requirements)
    image.source.requirements.write_text("x==1\n", encoding="utf-8")
    assert installed.venv_name(image.source.requirements) != before


def test_two_platforms_build_one_environment_once(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Homes share environments: whoever comes second waits for the first, and takes what it built."""
    commands: list[str] = []
    place = tmp_path / "venvs" / installed.venv_name(image.source.requirements)

    def build(arguments: tuple[str, ...]) -> None:
        commands.append(arguments[0])
        time.sleep(0.05)
        if arguments[0] == "venv":
            (place / "bin").mkdir(parents=True)
            (place / "bin" / "python").touch()
        assert (place / "bin" / "python").exists(), "taken away by another one"

    monkeypatch.setattr(installed, "run_uv", build)
    with ThreadPoolExecutor(2) as pool:
        homes = [tmp_path / "one", tmp_path / "two"]
        pushed = pool.map(lambda home: local_store.push(image, home, Runner(), venvs=place.parent), homes)
        assert len({one.digest for one in pushed}) == 1
    assert commands == ["venv", "pip", "pip"]


def test_missing_lock(image: Image) -> None:
    """A server without a lock is refused with the command that makes one."""
    image.source.requirements.unlink()
    with pytest.raises(ImageError, match="nox -s lock"):
        installed.venv_name(image.source.requirements)


def test_nobody_writes_where_a_server_behind_the_front_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a server kept there would outlive `destroy`; an environment in which one could have is made anew."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("one==1\n", encoding="utf-8")
    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    (tmp_path / "package.json").write_text("{}", encoding="utf-8")
    made: list[Path] = []

    def uv(arguments: tuple[str, ...]) -> None:
        if arguments[0] == "venv":
            fill(Path(arguments[-1]), "bin/python")

    def npm(_arguments: tuple[str, ...], place: Path) -> None:
        fill(place, "node_modules/one/index.js")

    def fill(place: Path, file: str) -> None:
        made.append(place)
        (place / file).parent.mkdir(parents=True)
        (place / file).touch()

    monkeypatch.setattr(installed, "run_uv", uv)
    monkeypatch.setattr(installed, "run_npm", npm)
    monkeypatch.setattr(installed, "node_folder", lambda _runner: Path("/usr/bin"))

    def install() -> list[Path]:
        python = installed.python_packages(lock, tmp_path / "venvs", Runner(), closed=True)
        return [
            python.parents[1],
            installed.node_packages(tmp_path / "package-lock.json", tmp_path / "venvs", Runner()),
        ]

    places = install()
    assert places == install() == made
    for place in places:
        assert not [path for path in (place, *place.rglob("*")) if path.stat().st_mode & 0o222]
        place.chmod(0o755)
        (place / "memory.jsonl").touch()
    assert install() == places
    assert made == places * 2
    assert not [path for place in places for path in place.rglob("memory.jsonl")]
