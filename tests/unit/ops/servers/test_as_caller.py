"""`add-server --as-caller`: the entry that each source gets, and what is refused before anything is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.config.servers import acts_as_caller
from ops.errors import ImageError, UsageError
from ops.images import catalog
from ops.servers import add_server, remove_server
from ops.servers.remote import Remote
from tests.unit.ops.conftest import Make

GRAPH = "https://graph.microsoft.com/User.Read"
OWN = "api://aaaaaaaa-0000-4000-8000-00000000000d/Files.Read"
IMAGE = f"ghcr.io/owner/charts@sha256:{'c' * 64}"
URL = "https://mcp.example.com/mcp"
API = {
    "openapi": "3.0.3",
    "info": {"title": "Me", "version": "1"},
    "servers": [{"url": "https://graph.example.com"}],
    "paths": {"/me": {"get": {"operationId": "readMe", "responses": {"200": {"description": "me"}}}}},
}


@pytest.fixture
def local(make: Make, servers: Path) -> Environment:
    return make("local", SERVERS_DIR=str(servers))


def again(environment: Environment) -> Environment:
    return environments.load(environment.name, {"SERVERS_DIR": str(environment.servers_dir)})


def sources(folder: Path) -> dict[str, dict[str, Any]]:
    document = folder / "api.json"
    document.write_text(json.dumps(API), encoding="utf-8")
    return {
        "own": {},
        "openapi": {"openapi": str(document), "operations": ["readMe"]},
        "image": {"image": IMAGE},
        "remote": {"remote": URL},
    }


@pytest.fixture(autouse=True)
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_self: Remote, _value: str = "") -> tuple[list[str], str]:
        raise AssertionError("it was asked, as nobody")

    monkeypatch.setattr(Remote, "reading_tools", ask)


@pytest.mark.parametrize("source", ["own", "openapi", "image", "remote"])
def test_every_source_that_can_be_told_who_calls(
    local: Environment, tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The entry says so, who has to consent is said, repeating it changes nothing, and removing it undoes it."""
    before = (local.folder / "terraform.tfvars").read_text(encoding="utf-8")
    given = sources(tmp_path)[source]
    add_server.add(local, Runner(), "me", add_server.parse(**given, as_caller=GRAPH))
    entry = again(local).servers["me"]
    assert acts_as_caller(entry)
    assert entry["downstream"] == {"scope": GRAPH}
    assert f"acts as who calls, with {GRAPH} of theirs: `invoke deploy` consents" in " ".join(
        "".join(capsys.readouterr()).split()
    )
    add_server.add(again(local), Runner(), "me", add_server.parse(**given, as_caller=GRAPH))
    for other in (OWN, None):
        with pytest.raises(UsageError, match="me is there already"):
            add_server.add(again(local), Runner(), "me", add_server.parse(**given, as_caller=other))
    remove_server.remove(again(local), Runner(yes=True), "me")
    assert (local.folder / "terraform.tfvars").read_text(encoding="utf-8") == before


def test_a_reading_tier_of_one_elsewhere_is_left_to_a_person(local: Environment) -> None:
    """Nobody can be asked which tools only read, as it answers people only."""
    add_server.add(local, Runner(), "me", add_server.parse(remote=URL, as_caller=GRAPH))
    assert set(again(local).servers["me"]["tiers"]) == {"admin"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"pypi": "clock==1.0", "as_caller": GRAPH}, "--as-caller cannot be with --pypi: a package speaks over"),
        ({"npm": "clock@1.0.0", "as_caller": GRAPH}, "--as-caller cannot be with --npm: a package speaks over"),
        ({"as_caller": ""}, "--as-caller '' must be one delegated permission"),
        ({"as_caller": "User.Read"}, "must be one delegated permission"),
        ({"as_caller": f"{GRAPH} {OWN}"}, "must be one delegated permission"),
        ({"as_caller": "https://graph.microsoft.com/.default"}, "must be one delegated permission"),
        ({"as_caller": f'{GRAPH}" }}\n evil = {{ role = "y'}, "must be one delegated permission"),
        (
            {"remote": URL, "headers": ["authorization=key"], "as_caller": GRAPH},
            "--header Authorization cannot be with --as-caller",
        ),
        (
            {"openapi": "x.json", "operations": ["a"], "headers": ["Authorization=KEY"], "as_caller": GRAPH},
            "--header Authorization cannot be with --as-caller",
        ),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        add_server.parse(**given)


def test_a_package_is_refused_before_anything_is_built(local: Environment) -> None:
    """Also where a person wrote identity into the entry: its process would never start."""
    folder = local.servers_dir / "clock"
    folder.mkdir()
    (folder / "requirements.txt").write_text("clock==1.0\n", encoding="utf-8")
    (folder / "Dockerfile").write_text('ENTRYPOINT ["python", "-m", "gateway_auth.front", "--", "clock"]\n')
    (folder / "pyproject.toml").write_text(
        '[tool.mcp-server]\nrepository = "clock"\nfront = true\n'
        '[tool.uv.sources]\ngateway-auth = { path = "../gateway-auth" }\n'
    )
    wanted = add_server.Wanted(image=add_server.Container(IMAGE), scope=GRAPH)
    file = local.folder / "terraform.tfvars"
    entry = add_server.entry_text("clock", wanted)
    file.write_text(add_server.with_entry(file.read_text(encoding="utf-8"), entry, file), encoding="utf-8")
    with pytest.raises(ImageError, match=r"mcp_servers.clock of local has identity = \"caller\".*host it as an image"):
        catalog.decide(again(local))
