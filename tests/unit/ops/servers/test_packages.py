"""Servers that somebody else publishes: what is asked for, locked and started. Neither registry is asked here."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.config import tfvars
from ops.config.environment import Environment
from ops.errors import ImageError, SettingError, UsageError
from ops.images import catalog, installed, sbom
from ops.servers import add_server, packages, remove_server
from ops.servers.packages import Package
from tests.unit.ops.conftest import Make

HASH = "--hash=sha256:" + "0" * 64
LOCK = {
    "packages": {
        "": {"name": "notes"},
        "node_modules/@scope/notes": {
            "version": "1.2.3",
            "resolved": "https://registry.example/notes.tgz",
            "integrity": "sha512-AA==",
        },
        "node_modules/a/node_modules/b": {"version": "2.0.0", "integrity": "sha512-BB=="},
        "node_modules/tests-only": {"version": "3.0.0", "integrity": "sha512-CC==", "dev": True},
    }
}


@pytest.fixture
def local(make: Make, servers: Path) -> Environment:
    (servers / "gateway-auth" / "requirements.txt").write_text(f"fastmcp==1 {HASH}\n", encoding="utf-8")
    return make("local", SERVERS_DIR=str(servers))


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Stands for uv and npm: writes what they write, and remembers what they were asked."""
    asked: list[tuple[str, ...]] = []

    def uv(arguments: tuple[str, ...], folder: Path | None = None) -> None:
        asked.append(("uv", *arguments))
        assert folder is not None
        wanted = (folder / "pyproject.toml").read_text(encoding="utf-8")
        pinned = wanted.partition('dependencies = ["')[2].partition('"')[0]
        (folder / "requirements.txt").write_text(f"{pinned} \\\n    {HASH}\n", encoding="utf-8")

    def npm(arguments: tuple[str, ...], folder: Path) -> None:
        asked.append(("npm", *arguments))
        (folder / "package-lock.json").write_text(json.dumps(LOCK), encoding="utf-8")

    def python_packages(_lock: Path, places: Path, _runner: Runner, *, closed: bool) -> Path:
        assert closed
        info = places / "lib" / "python3.11" / "site-packages" / "mcp_server_clock-1.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Name: mcp-server-clock\nVersion: 1\n", encoding="utf-8")
        (info / "entry_points.txt").write_text("[console_scripts]\nclock-mcp = a:b\n", encoding="utf-8")
        return places / "bin" / "python"

    def node_packages(_lock: Path, places: Path, _runner: Runner) -> Path:
        package = places / "node_modules" / "@scope" / "notes"
        package.mkdir(parents=True, exist_ok=True)
        document = {"name": "@scope/notes", "bin": {"notes": "a.js", "notes-tool": "b.js"}}
        (package / "package.json").write_text(json.dumps(document), encoding="utf-8")
        return places

    monkeypatch.setattr(installed, "run_uv", uv)
    monkeypatch.setattr(installed, "run_npm", npm)
    monkeypatch.setattr(installed, "python_packages", python_packages)
    monkeypatch.setattr(installed, "node_packages", node_packages)
    monkeypatch.setattr(installed, "node_folder", lambda _runner: Path("/usr/bin"))
    monkeypatch.setattr(packages, "start_once", lambda *_: packages.Started(2, 1))
    return asked


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installed, "VENVS", tmp_path / "installed")


def add(environment: Environment, name: str, runner: Runner | None = None, **options: Any) -> None:
    add_server.add(environment, runner or Runner(), name, add_server.parse(**options))


def again(environment: Environment) -> Environment:
    return environments.load(environment.name, {"SERVERS_DIR": str(environment.servers_dir)})


def test_one_from_pypi(local: Environment, registries: list[tuple[str, ...]]) -> None:
    """A lock of its own, the front's lock for what runs, and an entry that says so."""
    add(local, "clock", pypi="MCP_server.clock==1.0", arguments="--zone 'Europe/Kyiv'", beside=["mcp <2"])
    source = catalog.sources(local.servers_dir)["clock"]
    assert source.entrypoint == ("python", "-m", "gateway_auth.front", "--", "clock-mcp", "--zone", "Europe/Kyiv")
    assert source.requirements == local.servers_dir / "gateway-auth" / "requirements.txt"
    assert source.python_behind == source.folder / "requirements.txt"
    assert source.python_behind.read_text(encoding="utf-8").startswith("mcp-server-clock==1.0")
    assert source.node_behind is None
    assert again(local).servers["clock"]["front"] == {}
    assert "--only-binary" in registries[0]
    project = tomllib.loads((source.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dependencies"] == ["mcp-server-clock==1.0", "mcp<2"]


def test_one_from_npm(local: Environment, registries: list[tuple[str, ...]]) -> None:
    """Hashes are kept, and addresses are not: another machine has another mirror."""
    add(local, "notes", npm="@scope/notes@1.2.3", sessions="caller")
    source = catalog.sources(local.servers_dir)["notes"]
    assert source.entrypoint[-1] == "notes"
    assert source.node_behind is not None
    text = source.node_behind.read_text(encoding="utf-8")
    assert "sha512-AA==" in text
    assert "resolved" not in text
    manifest = json.loads((source.folder / "package.json").read_text(encoding="utf-8"))
    assert manifest["dependencies"] == {"@scope/notes": "1.2.3"}
    assert again(local).servers["notes"]["front"] == {"sessions": "caller"}
    assert "--ignore-scripts" in registries[0]


def test_a_change_of_the_lock_or_of_the_front_is_another_image(
    local: Environment, registries: list[tuple[str, ...]]
) -> None:
    """Both are in the image, so both are in its digest."""
    add(local, "notes", npm="@scope/notes@1.2.3")
    source = catalog.sources(local.servers_dir)["notes"]
    digests = {catalog.content_digest(source)}
    for changed in (source.folder / "package-lock.json", source.requirements):
        changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        digests.add(catalog.content_digest(source))
    assert len(digests) == 3


def test_a_dry_run_asks_no_registry(
    local: Environment, registries: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints what would be asked, and what would be written."""
    add(local, "clock", Runner(dry_run=True), pypi="mcp-server-clock==1.0")
    assert registries == []
    assert not (local.servers_dir / "clock").exists()
    printed = capsys.readouterr().out
    assert "uv pip compile" in printed
    assert f"create {local.servers_dir}/clock/requirements.txt" in printed


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"pypi": "mcp-server-clock"}, "must name one exact version"),
        ({"pypi": "mcp-server-clock>=1"}, "must name one exact version"),
        ({"pypi": "mcp-server-clock==1.*"}, "must name one exact version"),
        ({"pypi": "clock @ https://example.test/clock.whl"}, "must name one exact version"),
        ({"pypi": "not a name"}, "is no requirement"),
        ({"npm": "@scope/notes"}, "must name one exact version"),
        ({"npm": "@scope/notes@latest"}, "must name one exact version"),
        ({"npm": "@scope/notes@^1.2.3"}, "must name one exact version"),
        ({"npm": "../notes@1.2.3"}, "must name one exact version"),
        ({"npm": "notes@1.2.3", "pypi": "notes==1"}, "are two sources"),
        ({"pypi": "notes==1", "sessions": "mine"}, "must be one of shared, caller"),
        ({"pypi": "notes==1", "arguments": "'open"}, "cannot be split into words"),
        ({"npm": "notes@1.2.3", "beside": ["mcp<2"]}, "--with 'mcp<2' is for --pypi"),
        ({"pypi": "notes==1", "beside": ["<2"]}, "--with '<2' is no requirement"),
        ({"beside": ["mcp<2"]}, "--with says how a server of --pypi or --npm runs"),
        ({"command": "notes"}, "--command says how a server of --pypi or --npm runs"),
        ({"sessions": "caller"}, "--sessions says how a server of --pypi or --npm runs"),
    ],
)
def test_bad_input(options: Mapping[str, Any], sentence: str) -> None:
    """One sentence, before a registry is asked."""
    with pytest.raises(UsageError, match=sentence):
        add_server.parse(**options)


@pytest.mark.parametrize(
    ("command", "programs", "chosen"),
    [
        ("", ["clock"], "clock"),
        ("", ["mcp-clock", "other"], "mcp-clock"),
        ("other", ["mcp-clock", "other"], "other"),
        ("", ["one", "two"], "choose one with --command: one, two"),
        ("three", ["one", "two"], "brings no program 'three'; it brings one, two"),
        ("", [], "brings no program, so there is nothing to start"),
    ],
)
def test_which_program_is_started(command: str, programs: list[str], chosen: str) -> None:
    """The one of the package's name, the only one, or the one that is named."""
    package = Package("pypi", "mcp-clock", "1", command)
    if " " in chosen:
        with pytest.raises(UsageError, match=chosen):
            packages._chosen(package, programs)
    else:
        assert packages._chosen(package, programs) == chosen


SERVER = Path(__file__).parents[4] / "servers/gateway-auth/tests/stdio_server.py"


def test_a_server_is_started_once() -> None:
    """As the front will: what it has is said, and what fails is said in its own last words."""
    assert packages.start_once([Path(sys.executable).name, str(SERVER)], [Path(sys.executable).parent]).reading == 9
    folders = [Path(sys.executable).parent]
    failed = packages.start_once([Path(sys.executable).name, "-c", "raise OSError('no key')"], folders)
    assert failed.failure == "OSError: no key"
    assert "is no program in" in packages.start_once(["no-such-program"], folders).failure


def test_one_that_does_not_start_is_warned_of(
    local: Environment,
    registries: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With what it said and what could help; it is added all the same, as it may only want a key."""
    monkeypatch.setattr(packages, "start_once", lambda *_: packages.Started(failure="KeyError: 'TOKEN'"))
    add(local, "clock", pypi="mcp-server-clock==1.0")
    said = " ".join(capsys.readouterr().err.split())
    assert "mcp-server-clock does not start by itself: KeyError: 'TOKEN'; give it what it asks for" in said
    assert "(--with 'mcp<2')" in said
    assert "clock" in again(local).servers


def test_what_has_no_hash_is_not_taken(
    local: Environment, registries: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package from git, for one; nothing is written."""
    monkeypatch.setitem(LOCK["packages"], "node_modules/c", {"version": "1.0.0"})
    with pytest.raises(ImageError, match=r"node_modules/c of @scope/notes@1\.2\.3 has no hash"):
        add(local, "notes", npm="@scope/notes@1.2.3")
    assert not (local.servers_dir / "notes").exists()
    assert "notes" not in again(local).servers


def test_the_sbom_names_node_packages() -> None:
    """Those that run, each once, with their hash."""
    found = sbom.node_packages(json.dumps(LOCK))
    assert [str(component.purl) for component in found] == ["pkg:npm/%40scope/notes@1.2.3", "pkg:npm/b@2.0.0"]
    assert [prop.value for prop in found[0].properties] == ["sha512-AA=="]


def test_remove_undoes_add(local: Environment, registries: list[tuple[str, ...]]) -> None:
    """To the letter; a second time it says that there is none."""
    variables = local.folder / "terraform.tfvars"
    before = variables.read_text(encoding="utf-8")
    add(local, "clock", pypi="mcp-server-clock==1.0")
    add(again(local), "words")
    for name in ("clock", "words"):
        remove_server.remove(again(local), Runner(yes=True), name)
    assert variables.read_text(encoding="utf-8") == before
    assert {path.name for path in local.servers_dir.iterdir()} == {"gateway-auth", "mongo-db-server"}
    with pytest.raises(UsageError, match="there is no server 'clock' in local; mcp_servers holds: mongodb"):
        remove_server.remove(again(local), Runner(yes=True), "clock")


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"pypi": "mcp-server-clock==1.0"}, ""),
        ({"pypi": "MCP_server.clock==1.0", "arguments": "--zone UTC", "beside": ["mcp <2"]}, ""),
        ({"pypi": "mcp-server-clock==2.0"}, "mcp-server-clock==2.0 from PyPI"),
        ({"pypi": "mcp-server-other==1.0"}, "mcp-server-other==1.0 from PyPI"),
        ({"npm": "mcp-server-clock@1.0.0"}, "mcp-server-clock@1.0.0 from npm"),
        ({"openapi": "shop.json", "operations": ["one"]}, "a REST API"),
        ({}, "a server of this project"),
        ({"pypi": "mcp-server-clock==1.0", "arguments": "--zone CET"}, "--arguments --zone CET"),
        ({"pypi": "mcp-server-clock==1.0", "command": "other"}, "--command other"),
        ({"pypi": "mcp-server-clock==1.0", "beside": ["mcp<3"]}, "--with mcp<3"),
        ({"pypi": "mcp-server-clock==1.0", "sessions": "caller"}, "--sessions caller"),
    ],
)
def test_another_one_of_the_same_name_is_refused(
    local: Environment, registries: list[tuple[str, ...]], options: Mapping[str, Any], asked: str
) -> None:
    """Somebody who asks for another version does not hear that all is well."""
    add(local, "clock", pypi="mcp-server-clock==1.0", arguments="--zone UTC", beside=["mcp<2"])
    before = {path: path.read_bytes() for path in local.servers_dir.parent.rglob("*") if path.is_file()}
    if asked:
        there = r"clock is there already, as mcp-server-clock==1\.0 from PyPI"
        with pytest.raises(UsageError, match=f"{there}.*asked for is .*{asked}.*invoke remove-server clock"):
            add(again(local), "clock", **options)
    else:
        add(again(local), "clock", **options)
    assert {path: path.read_bytes() for path in local.servers_dir.parent.rglob("*") if path.is_file()} == before


def test_another_version_from_npm_is_refused(local: Environment, registries: list[tuple[str, ...]]) -> None:
    add(local, "notes", npm="@scope/notes@1.2.3")
    add(again(local), "notes", npm="@scope/notes@1.2.3")
    with pytest.raises(UsageError, match=r"as @scope/notes@1\.2\.3 from npm .* asked for is @scope/notes@1\.2\.4 from"):
        add(again(local), "notes", npm="@scope/notes@1.2.4")


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_the_real_files_give_an_entry_back(environment: str, tmp_path: Path) -> None:
    """Of every environment of this repository: what add-server writes, remove-server takes out to the letter."""
    before = (environments.ROOT / "terraform/environments" / environment / "terraform.tfvars").read_text("utf-8")
    path = tmp_path / "terraform.tfvars"
    name = "of-this-test"  # one that nobody has: an adopter's servers are there too
    wanted = add_server.parse(pypi="mcp-server-clock==1.0", sessions="caller")
    path.write_text(add_server.with_entry(before, add_server.entry_text(name, wanted), path), encoding="utf-8")
    assert tfvars.read(path, tmp_path)["mcp_servers"][name]["front"] == {"sessions": "caller"}
    assert remove_server.without_entry(path, name) == before


def test_the_last_server_stays(local: Environment) -> None:
    """A platform without a server is none."""
    with pytest.raises(UsageError, match="mongodb is the only server of local"):
        remove_server.remove(local, Runner(yes=True), "mongodb")


def test_a_folder_that_another_entry_builds_from_stays(local: Environment) -> None:
    """The entry goes."""
    add(local, "words")
    variables = local.folder / "terraform.tfvars"
    text = variables.read_text(encoding="utf-8")
    entry = add_server.entry_text("other").replace('repository = "other"', 'repository = "words"')
    variables.write_text(add_server.with_entry(text, entry, variables), encoding="utf-8")
    remove_server.remove(again(local), Runner(yes=True), "words")
    assert (local.servers_dir / "words").is_dir()
    assert set(again(local).servers) == {"mongodb", "other"}


def test_an_entry_that_is_written_otherwise_is_left(local: Environment) -> None:
    """Nothing is guessed, and nothing removed."""
    add(local, "words")
    variables = local.folder / "terraform.tfvars"
    text = variables.read_text(encoding="utf-8").replace("\n  words = {", "\n    words = {")
    variables.write_text(text, encoding="utf-8")
    with pytest.raises(SettingError, match="take it out by hand"):
        remove_server.remove(again(local), Runner(yes=True), "words")
    assert variables.read_text(encoding="utf-8") == text
    assert (local.servers_dir / "words").is_dir()


_E404 = (
    "`npm install` failed: E404 Not Found - GET https://npm.example/b The requested resource '{0}' could not be found "
    "or you do not have permission to access it. Note that you can also install from a tarball, or git url"
)
_ETARGET = (
    "`npm install` failed: ETARGET No matching version found for {0}. In most cases you or one of your dependencies "
    "are requesting a package version that doesn't exist"
)
_NO_VERSION = "`uv pip compile` failed: No solution found: Because there is no version of {0} and x depends on {0}"
_NO_PACKAGE = "`uv pip compile` failed: No solution found: Because {0} was not found in the package registry and x"


@pytest.mark.parametrize(
    ("options", "said", "sentence"),
    [
        ({"npm": "@a/b@1.0.0"}, _E404.format("@a/b@1.0.0"), "npm has no package @a/b;"),
        ({"npm": "@a/b@1.0.0"}, _ETARGET.format("@a/b@1.0.0"), "npm has no version 1.0.0 of @a/b;"),
        ({"npm": "@a/b@1.0.0"}, _ETARGET.format("c@^2"), "@a/b@1.0.0 cannot be locked: .*version found for c@^2$"),
        ({"npm": "b@1.0.0"}, _ETARGET.format("@a/b@1.0.0"), "b@1.0.0 cannot be locked: .*@a/b@1.0.0$"),
        ({"pypi": "a.b==1.0"}, _NO_VERSION.format("a-b==1.0"), "PyPI has no version 1.0 of a-b;"),
        ({"pypi": "a[x]==1.0"}, _NO_VERSION.format("a[x]==1.0"), "PyPI has no version 1.0 of a;"),
        ({"pypi": "a==1.0"}, _NO_PACKAGE.format("a"), "PyPI has no package a;"),
        ({"pypi": "a==1.0"}, _NO_PACKAGE.format("b-a"), "a==1.0 cannot be locked: .*b-a was not found"),
    ],
)
def test_what_a_registry_does_not_have_is_one_sentence(
    local: Environment, monkeypatch: pytest.MonkeyPatch, options: Mapping[str, Any], said: str, sentence: str
) -> None:
    """Of the package itself; of what it needs the tool's own words, without its advice."""

    def refuse(*_: object) -> None:
        raise ImageError(said)

    monkeypatch.setattr(installed, "run_uv", refuse)
    monkeypatch.setattr(installed, "run_npm", refuse)
    monkeypatch.setattr(installed, "node_folder", lambda _runner: Path("/usr/bin"))
    with pytest.raises(ImageError, match=f"^{sentence.replace('^2', '.2').replace('[', '.')}"):
        add(local, "clock", **options)
