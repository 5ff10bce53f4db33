from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.config import tfvars
from ops.config.environment import Environment
from ops.errors import SettingError, UsageError
from ops.images import catalog
from ops.servers import add_server
from tests.unit.ops.conftest import Make


@pytest.fixture
def local(make: Make, servers: Path) -> Environment:
    return make("local", SERVERS_DIR=str(servers))


def again(environment: Environment) -> Environment:
    """The same, read again."""
    return environments.load(environment.name, {"SERVERS_DIR": str(environment.servers_dir)})


def test_a_server_is_a_folder_and_an_entry(local: Environment) -> None:
    """Both name each other, so that the next deployment builds it."""
    add_server.add(local, Runner(), "word-counter")
    entry = again(local).servers["word-counter"]
    assert (entry["image"], set(entry["tiers"])) == (
        {"repository": "word-counter", "tag": "0.1.0"},
        {"admin", "reader"},
    )
    found = {image.server: image for image in catalog.decide(again(local))}
    assert found["word-counter"].source.entrypoint == ("python", "-m", "word_counter_server")
    assert found["word-counter"].source.requirements.exists()
    assert found["word-counter"].source.packages == (local.servers_dir / "gateway-auth",)


def test_tiers_and_their_roles_can_be_chosen(local: Environment) -> None:
    """In place of the usual two; the file is written as `terraform fmt` would."""
    wanted = add_server.parse(tiers=["all=Mcp.Read", "operator=Mcp.Admin"])
    add_server.add(local, Runner(), "word-counter", wanted)
    assert again(local).servers["word-counter"]["tiers"] == {
        "all": {"role": "Mcp.Read"},
        "operator": {"role": "Mcp.Admin"},
    }
    text = (local.folder / "terraform.tfvars").read_text(encoding="utf-8")
    assert '      all      = { role = "Mcp.Read" }\n      operator = { role = "Mcp.Admin" }\n    }\n' in text
    add_server.add(again(local), Runner(), "word-counter", wanted)  # once more changes nothing
    with pytest.raises(UsageError, match=r"for all=Mcp.Read operator=Mcp.Admin .* with --role all=Mcp.Admin"):
        add_server.add(again(local), Runner(), "word-counter", add_server.parse(tiers=["all=Mcp.Admin"]))


def test_the_usual_tiers_are_of_roles_that_there_are(local: Environment) -> None:
    """An entry whose role the map has not would be refused at the next plan."""
    file = local.folder / "terraform.tfvars"
    mapped = 'roles = { "Team.Use" = { description = "Uses.", groups = ["team"], reads = true } }\n'
    file.write_text(mapped + file.read_text(encoding="utf-8"), encoding="utf-8")
    add_server.add(again(local), Runner(), "word-counter")
    assert again(local).servers["word-counter"]["tiers"] == {"reader": {"role": "Team.Use"}}


@pytest.mark.parametrize(
    ("tiers", "sentence"),
    [
        (["Mcp.Read"], "--role 'Mcp.Read' must be TIER=ROLE"),
        (["Reader=Mcp.Read"], "--role 'Reader=Mcp.Read' must be TIER=ROLE"),
        (["reader="], "--role 'reader=' must be TIER=ROLE"),
        (["a=Mcp.Read", "a=Mcp.Admin"], "--role a=Mcp.Admin names a tier or role a second time"),
        (["a=Mcp.Read", "b=Mcp.Read"], "--role b=Mcp.Read names a tier or role a second time"),
        (["a=mcp.read"], "--role a=mcp.read names no role of local, which has Mcp.Admin, Mcp.Read; add it to roles in"),
        (['a=x" }\n evil = { role = "y'], "names no role of local"),
    ],
)
def test_roles_that_cannot_be_meant(local: Environment, tiers: list[str], sentence: str) -> None:
    """Nothing is written."""
    before = (local.folder / "terraform.tfvars").read_text(encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        add_server.add(local, Runner(), "word-counter", add_server.parse(tiers=tiers))
    assert sentence in str(raised.value)
    assert (local.folder / "terraform.tfvars").read_text(encoding="utf-8") == before
    assert not (local.servers_dir / "word-counter").exists()


def test_the_rest_of_the_file_stays(local: Environment) -> None:
    """Comments and order are somebody's."""
    path = local.folder / "terraform.tfvars"
    before = path.read_text(encoding="utf-8")
    add_server.add(local, Runner(), "second")
    after = path.read_text(encoding="utf-8")
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert again(local).servers.keys() == {"mongodb", "second"}


def test_repeating_it_changes_nothing(local: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    """It says that all is there."""
    add_server.add(local, Runner(), "second")
    before = (local.folder / "terraform.tfvars").read_text(encoding="utf-8")
    add_server.add(again(local), Runner(), "second")
    assert (local.folder / "terraform.tfvars").read_text(encoding="utf-8") == before
    assert "second is there" in capsys.readouterr().err


def test_an_interrupted_run_is_finished(local: Environment) -> None:
    """A folder without an entry gets its entry, and stays as it is."""
    planned = add_server.plan(local, "second")
    add_server.write(add_server.Scaffold("second", planned.folder, planned.files, planned.variables, ""))
    mine = planned.folder / "src/second_server/tools.py"
    mine.write_text("# mine\n", encoding="utf-8")
    add_server.add(again(local), Runner(), "second")
    assert "second" in again(local).servers
    assert mine.read_text(encoding="utf-8") == "# mine\n"


def test_dry_run_writes_nothing(local: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    """It names every file."""
    add_server.add(local, Runner(dry_run=True), "second")
    assert not (local.servers_dir / "second").exists()
    printed = capsys.readouterr().out
    assert f"create {local.servers_dir}/second/Dockerfile" in printed
    assert "add to mcp_servers" in printed


@pytest.mark.parametrize("name", ["", "A", "a_b", "a--b", "-a", "1a", "oauth", "a" * 31, "../x"])
def test_names_that_terraform_would_refuse(local: Environment, name: str) -> None:
    """Before anything is written."""
    with pytest.raises(UsageError, match="must be 1–30 lower-case letters"):
        add_server.add(local, Runner(), name)


@pytest.mark.parametrize(("name", "sentence"), [("mongodb", "already"), ("mongodb-mcp", "builds an image called")])
def test_names_that_are_taken(local: Environment, name: str, sentence: str) -> None:
    """By a server or by another folder's image."""
    with pytest.raises(UsageError, match=sentence):
        add_server.add(local, Runner(), name)


def test_without_the_gate_there_is_no_new_server(local: Environment) -> None:
    """What it would stand behind is missing: nothing is written that could not be built."""
    shutil.rmtree(local.servers_dir / "gateway-auth")
    with pytest.raises(UsageError, match=r"gateway-auth does not exist, and a new server stands behind it; restore it"):
        add_server.add(local, Runner(), "second")
    assert not (local.servers_dir / "second").exists()


def test_a_file_that_is_written_otherwise(local: Environment) -> None:
    """Nothing is guessed: the entry is printed for a person to add."""
    path = local.folder / "terraform.tfvars"
    path.write_text("mcp_servers = { a = { image = {} } }\n", encoding="utf-8")
    with pytest.raises(SettingError, match=r"add this there:\n  second = \{"):
        add_server.add(again(local), Runner(yes=True), "second")
    assert path.read_text(encoding="utf-8") == "mcp_servers = { a = { image = {} } }\n"
    assert not (local.servers_dir / "second").exists()


def test_its_image_is_built_as_the_first_one_is() -> None:
    """Reproducible, closed and labelled: nothing that the first server's Dockerfile gained is missing in the next."""
    folder = environments.ROOT / "servers/mongo-db-server"
    first = (folder / "Dockerfile").read_text(encoding="utf-8").replace("A MongoDB MCP", "An MCP")
    template = (add_server.TEMPLATE / "Dockerfile.tmpl").read_text(encoding="utf-8")
    names = {"__PACKAGE__": "mongo_db_server", "__NAME__": folder.name, "__FOLDER__": folder.name}
    written = template
    for placeholder, name in names.items():
        written = written.replace(placeholder, name)
    assert written == first


def test_the_real_files_take_an_entry(tmp_path: Path) -> None:
    """Every environment of this repository."""
    for environment in ("local", "dev", "prod"):
        path = environments.ROOT / "terraform/environments" / environment / "terraform.tfvars"
        before = tfvars.read(path, tmp_path)["mcp_servers"]
        text = add_server.with_entry(path.read_text(encoding="utf-8"), add_server.entry_text("of-this-test"), path)
        changed = tmp_path / f"{environment}.tfvars"
        changed.write_text(text, encoding="utf-8")
        assert list(tfvars.read(changed, tmp_path)["mcp_servers"]) == [*before, "of-this-test"]


@pytest.mark.parametrize("name", ["a", "x" * 30, "release-notes", "zebra-of-the-last-import-block"])
def test_a_new_server_passes_lint(local: Environment, name: str) -> None:
    """Whatever its name: how long it is, and where its package sorts among imports."""
    add_server.add(local, Runner(), name)
    for command in (["check"], ["format", "--check"]):
        settings = ["--no-cache", "--config", str(environments.ROOT / "pyproject.toml")]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *settings, str(local.servers_dir / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_no_placeholder_is_left(local: Environment) -> None:
    """Every file is filled in, and its Python is Python."""
    for path, text in add_server.rendered("word-counter").items():
        assert not [word for word in ("__NAME__", "__PACKAGE__", "__FOLDER__", ".tmpl") if word in path + text], path
        if path.endswith(".py"):
            ast.parse(text)
