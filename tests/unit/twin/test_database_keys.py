"""What `az cosmosdb keys regenerate` is on a local platform: first the cloud, then what runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.base import account_keys
from emulators.base.store import Store
from emulators.base.tests.database_account import with_database_account
from twin import control, database_keys
from twin.errors import RuntimeFailure

STATUS = control.Status(pid=1, since="", parts={})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with_database_account(tmp_path / "cloud.json")
    return tmp_path


def key(home: Path) -> str:
    (account,) = Store(home / "cloud.json").of_type(account_keys.TYPE)
    return str(account["secondary_key"])


def test_a_stopped_platform_gets_the_key_with_its_next_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started for it."""
    monkeypatch.setattr(control, "reload", lambda home: pytest.fail("nothing runs"))
    before = key(home)
    database_keys.regenerate(home, "cosmos-mcp", "rg-mcp", "secondary")
    assert key(home) != before


def test_a_running_platform_takes_it_over_after_the_cloud_has_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this order: a platform that reads the cloud too early would keep the old key."""
    before, seen = key(home), []
    monkeypatch.setattr(control, "status", lambda _: STATUS)
    monkeypatch.setattr(control, "reload", lambda home: seen.append(key(home)))
    database_keys.regenerate(home, "cosmos-mcp", "rg-mcp", "secondary")
    assert seen == [key(home)]
    assert seen != [before]


def test_what_does_not_take_it_over_is_said_and_a_repeat_is_enough(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise RuntimeFailure("mongo did not take over its users")

    monkeypatch.setattr(control, "status", lambda _: STATUS)
    monkeypatch.setattr(control, "reload", refuse)
    with pytest.raises(RuntimeFailure):
        database_keys.regenerate(home, "cosmos-mcp", "rg-mcp", "secondary")
    seen: list[str] = []
    monkeypatch.setattr(control, "reload", lambda home: seen.append(key(home)))
    database_keys.regenerate(home, "cosmos-mcp", "rg-mcp", "secondary")
    assert seen == [key(home)]


@pytest.mark.parametrize(
    ("name", "kind", "code", "said"),
    [
        ("cosmos-mcp", "secondary", 0, ""),
        ("cosmos-mcp", "second", 1, "the key kind 'second' does not exist; it must be one of primary, secondary"),
        ("other", "secondary", 1, "no Cosmos DB account 'other' in 'rg-mcp'; apply one first"),
    ],
)
def test_as_a_command(
    home: Path, capsys: pytest.CaptureFixture[str], name: str, kind: str, code: int, said: str
) -> None:
    """The one that `invoke rotate --dry-run` prints; a key is never printed."""
    arguments = ["--home", str(home), "--name", name, "--resource-group", "rg-mcp", "--key-kind", kind]
    assert database_keys.main(arguments) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
