from __future__ import annotations

from pathlib import Path

import pytest

from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.config.servers import slot_letters, slots
from ops.errors import UsageError
from ops.images import catalog
from ops.rollout import rollback, target_images
from ops.servers import add_server, remove_server
from ops.servers.remote import Remote
from tests.unit.ops.conftest import Make

URL = "https://mcp.example.com/v1/mcp"


@pytest.fixture
def local(make: Make, servers: Path) -> Environment:
    return make("local", SERVERS_DIR=str(servers))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server says that it reads with; a test may change it."""
    found = ["search", "read_page"]
    monkeypatch.setattr(Remote, "reading_tools", lambda self, value="": (found, "" if found else "no route"))
    return found


def again(environment: Environment) -> Environment:
    return environments.load(environment.name, {"SERVERS_DIR": str(environment.servers_dir)})


def wanted(*headers: str, url: str = URL, local: bool = True) -> add_server.Wanted:
    return add_server.parse(remote=url, headers=headers, local=local)


def test_a_server_elsewhere_is_an_entry_and_no_folder(local: Environment, answers: list[str]) -> None:
    """Readers are given what it says that only reads, by name; nothing of it is built or has a slot."""
    add_server.add(local, Runner(), "docs", wanted())
    found = again(local)
    assert found.servers["docs"]["remote"] == {"url": URL}
    assert found.servers["docs"]["tiers"]["reader"] == {"role": "Mcp.Read", "tools": {"allow": answers}}
    assert not (local.servers_dir / "docs").exists()
    assert {image.server for image in catalog.decide(found)} == {"mongodb"}
    assert (slots(found), list(slot_letters(found, "docs"))) == (slots(local), [])
    assert target_images.parse(["deployed"], found) == {"mongodb": "deployed"}


def test_one_that_does_not_answer_has_no_tier_for_readers(
    local: Environment, answers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody knows what would only read."""
    answers.clear()
    add_server.add(local, Runner(), "docs", wanted())
    assert set(again(local).servers["docs"]["tiers"]) == {"admin"}
    said = "".join(capsys.readouterr())
    assert "does not answer as an MCP server (no route)" in said
    assert "tools.allow names what they may call" in said


def test_a_dry_run_asks_nobody(
    local: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It shows what would be written as if the server answered, also where all tiers only read; and writes nothing."""
    monkeypatch.setattr(Remote, "reading_tools", None)
    before = (local.folder / "terraform.tfvars").read_text(encoding="utf-8")
    asked = add_server.parse(remote=URL, tiers=["reader=Mcp.Read"])
    runner = Runner(dry_run=True)
    add_server.add(local, runner, "docs", asked)
    runner.finish()
    assert "add to mcp_servers in" in capsys.readouterr().out
    assert (local.folder / "terraform.tfvars").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("header", "credential"),
    [
        ("Authorization=docs-key", {"header": "Authorization", "scheme": "Bearer", "secret": "docs-key"}),
        ("Authorization=Basic docs-key", {"header": "Authorization", "scheme": "Basic", "secret": "docs-key"}),
        ("X-Api-Key=docs-key", {"header": "X-Api-Key", "secret": "docs-key"}),
    ],
)
def test_a_credential_is_the_name_of_a_secret(
    local: Environment, header: str, credential: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One that the vault does not hold yet is named, and the server is not asked without it."""
    add_server.add(local, Runner(), "docs", wanted(header))
    assert again(local).servers["docs"]["remote"] == {"url": URL, "credential": credential}
    assert "once the vault holds docs-key (locally .twin/local-secrets.json)" in "".join(capsys.readouterr())


def test_repeating_it_changes_nothing_and_another_address_is_refused(local: Environment, answers: list[str]) -> None:
    """As with every source."""
    add_server.add(local, Runner(), "docs", wanted("X-Api-Key=docs-key"))
    before = (local.folder / "terraform.tfvars").read_text(encoding="utf-8")
    add_server.add(again(local), Runner(), "docs", wanted("X-Api-Key=docs-key"))
    for other in (wanted(), wanted("X-Api-Key=other"), wanted("X-Api-Key=docs-key", url=f"{URL}/2")):
        with pytest.raises(UsageError, match="docs is there already, as the server at"):
            add_server.add(again(local), Runner(), "docs", other)
    with pytest.raises(UsageError, match="mongodb is there already, as one that runs here"):
        add_server.add(again(local), Runner(), "mongodb", wanted())
    with pytest.raises(UsageError, match="choose another name"):
        add_server.add(again(local), Runner(), "docs")
    assert (local.folder / "terraform.tfvars").read_text(encoding="utf-8") == before


def test_remove_server_undoes_it(local: Environment, answers: list[str]) -> None:
    """The file is as it was."""
    before = (local.folder / "terraform.tfvars").read_text(encoding="utf-8")
    add_server.add(local, Runner(), "docs", wanted("Authorization=docs-key"))
    remove_server.remove(again(local), Runner(yes=True), "docs")
    assert (local.folder / "terraform.tfvars").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"remote": "http://mcp.example.com/mcp"}, "--remote .* must be https://"),
        ({"remote": "https://10.0.0.1/mcp"}, "must be https://"),
        ({"remote": "https://mcp.example.com/mcp?key=1"}, "without query"),
        ({"remote": "http://127.0.0.1:9000/mcp", "local": False}, "must be https://"),
        ({"remote": URL, "headers": ["X-Api-Key: value"]}, "must be NAME=SECRET"),
        ({"remote": URL, "headers": ["A=b", "C=d"]}, "one credential"),
        ({"remote": URL, "pypi": "x==1"}, "two sources"),
        ({"remote": URL, "sessions": "caller"}, "--sessions says how a server of --pypi or --npm runs"),
        ({"headers": ["A=b"]}, "--header says how a server of --openapi or --remote runs"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        add_server.parse(**arguments)  # type: ignore[arg-type]


def test_what_is_about_images_says_that_there_is_none(local: Environment, answers: list[str]) -> None:
    """push, --target-image and rollback."""
    add_server.add(local, Runner(), "docs", wanted())
    found = again(local)
    for ask in (
        lambda: catalog.decide(found, "docs"),
        lambda: target_images.parse(["docs=0.1.0"], found),
        lambda: rollback.choose(found, "docs"),
    ):
        with pytest.raises(UsageError, match="runs elsewhere"):
            ask()
