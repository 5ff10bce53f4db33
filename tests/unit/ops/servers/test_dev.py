from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ops.cli.steps import Runner
from ops.clients import outputs
from ops.clients.outputs import Platform
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.errors import NotDeployedError, UsageError
from ops.images import installed
from ops.servers import add_server, dev
from tests.unit.ops.conftest import Make
from twin import control
from twin.errors import RuntimeFailure

URL = "http://127.0.0.1:8080/words/mcp"


@pytest.fixture
def added(make: Make, servers: Path) -> Environment:
    """An environment with a server of one's own."""
    add_server.add(make("local", SERVERS_DIR=str(servers)), Runner(), "words")
    return environments.load("local", {"SERVERS_DIR": str(servers)})


@pytest.fixture
def reloads(added: Environment, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """A deployed platform that runs: what it is told to run at each reload; empty for the image."""
    outputs.save(Platform("http://127.0.0.1:8080", {"words": URL}, "", "", "", {}), added.home)
    made: list[dict[str, object]] = []
    told = added.home / "images/words/dev.json"

    def reload(home: Path) -> None:
        made.append(json.loads(told.read_text(encoding="utf-8")) if told.exists() else {})

    monkeypatch.setattr(control, "status", lambda home: SimpleNamespace(parts={}))
    monkeypatch.setattr(control, "reload", reload)
    monkeypatch.setattr(installed, "python_packages", lambda *_, **__: Path("/venv/bin/python"))
    return made


def test_a_change_starts_the_server_anew_from_its_folder(
    added: Environment, reloads: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for what changed together, not for a test of it; Ctrl-C brings the image back."""
    folder = added.servers_dir / "words"
    tools = folder / "src/words_server/tools.py"

    def changes(_: object) -> Iterator[list[Path]]:
        yield []
        tools.write_text("changed = True\n", encoding="utf-8")
        yield [tools]
        yield [folder / "tests/test_server.py"]
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "_changes", changes)
    dev.develop(added, "words")
    first, second, last = reloads
    assert first["path"] == [str(folder / "src"), str(added.servers_dir / "gateway-auth/src")]
    assert first["digest"] != second["digest"]
    assert last == {}


def test_a_change_before_the_watch_began_is_not_lost(
    added: Environment, reloads: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first start takes seconds, in which somebody goes on writing."""
    tools = added.servers_dir / "words/src/words_server/tools.py"

    def changes(_: object) -> Iterator[list[Path]]:
        tools.write_text("changed = True\n", encoding="utf-8")
        yield []
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "_changes", changes)
    dev.develop(added, "words")
    first, second, _ = reloads
    assert first["digest"] != second["digest"]


def test_what_does_not_start_is_said_and_watched_on(
    added: Environment,
    reloads: list[dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mistake in the code is what one develops with."""
    tools = added.servers_dir / "words/src/words_server/tools.py"

    def broken(home: Path) -> None:
        raise RuntimeFailure("words did not start: it ended with exit code 1")

    works = control.reload

    def changes(_: object) -> Iterator[list[Path]]:
        monkeypatch.setattr(control, "reload", broken)
        tools.write_text("not Python", encoding="utf-8")
        yield [tools]
        monkeypatch.setattr(control, "reload", works)
        tools.write_text("mended = True\n", encoding="utf-8")
        yield [tools]
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "_changes", changes)
    dev.develop(added, "words")
    said = " ".join(capsys.readouterr().err.split())
    assert "words/src/words_server/tools.py changed, and words does not serve: words did not start" in said
    assert "words runs from words/src/words_server/tools.py" in said
    assert f"endpoint {URL}" in said
    assert "curl -sS" in said


def test_logs_are_shown_as_they_grow(
    added: Environment,
    reloads: list[dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of this server's slots, and only what is written from now on."""
    logs = added.home / "logs"
    logs.mkdir(parents=True)
    own, other = logs / "aci-words-reader-a.log", logs / "aci-mongodb-reader-a.log"
    own.write_text("of yesterday\n", encoding="utf-8")

    def changes(_: object) -> Iterator[list[Path]]:
        for path in (own, other):
            with path.open("a", encoding="utf-8") as file:
                file.write(f"new in {path.stem}\n")
        yield []
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "_changes", changes)
    dev.develop(added, "words")
    assert capsys.readouterr().out.split() == ["aci-words-reader-a", "new", "in", "aci-words-reader-a"]


def test_what_cannot_be_developed_is_refused(added: Environment, make: Make) -> None:
    """With what to do instead."""
    with pytest.raises(UsageError, match="there is no server 'clock' in local; mcp_servers holds: mongodb, words"):
        dev.develop(added, "clock")
    with pytest.raises(NotDeployedError, match="invoke deploy"):
        dev.develop(added, "words")
    in_docker = environments.load("local", {"SERVERS_DIR": str(added.servers_dir), "RUNTIME": "docker"})
    with pytest.raises(UsageError, match="dev runs a server's folder, and RUNTIME is docker"):
        dev.develop(in_docker, "words")


def test_a_platform_that_does_not_run_is_named(
    added: Environment, reloads: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deployed before, and stopped since; or deployed before the server was added."""
    monkeypatch.setattr(control, "status", lambda home: None)
    with pytest.raises(NotDeployedError, match="the local platform is not running; start it with `invoke deploy`"):
        dev.develop(added, "words")
    outputs.save(Platform("", {}, "", "", "", {}), added.home)
    with pytest.raises(NotDeployedError, match="words is not deployed yet; run `invoke deploy`"):
        dev.develop(added, "words")


def test_a_package_has_nothing_to_watch(added: Environment) -> None:
    """Its code is somebody else's, by hash."""
    (added.servers_dir / "words/src").rename(added.servers_dir / "words/elsewhere")
    with pytest.raises(UsageError, match="words is a package that somebody else publishes"):
        dev.develop(added, "words")
