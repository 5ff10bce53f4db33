"""Regenerating a key of a Cosmos DB account."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymongo.uri_parser import parse_uri

from emulators.base import account_keys
from emulators.base.errors import StoreError
from emulators.base.store import Store
from emulators.base.tests.database_account import with_database_account


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return with_database_account(tmp_path / "cloud.json")


@pytest.mark.parametrize(("kind", "which"), account_keys.KINDS.items())
def test_one_key_and_its_connection_strings_change_and_nothing_else(store: Store, kind: str, which: str) -> None:
    (before,) = store.of_type(account_keys.TYPE)
    account_keys.regenerate(store, "COSMOS-mcp", "RG-mcp", kind)
    (after,) = Store(store.path).of_type(account_keys.TYPE)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"{which}_key", f"{which}_sql_connection_string", f"{which}_mongodb_connection_string"}
    assert len(after[f"{which}_key"]) == len(before[f"{which}_key"])
    assert parse_uri(after[f"{which}_mongodb_connection_string"])["password"] == after[f"{which}_key"]


def test_every_time_it_is_another_value(store: Store) -> None:
    seen = set()
    for _ in range(3):
        account_keys.regenerate(store, "cosmos-mcp", "rg-mcp", "primary")
        seen.add(store.of_type(account_keys.TYPE)[0]["primary_key"])
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("name", "group", "kind", "sentence"),
    [
        ("cosmos-mcp", "rg-mcp", "tertiary", "'tertiary' does not exist; it must be one of primary, secondary"),
        ("other", "rg-mcp", "primary", "has no Cosmos DB account 'other' in 'rg-mcp'; apply one first"),
        ("cosmos-mcp", "rg-other", "primary", "has no Cosmos DB account"),
    ],
)
def test_what_does_not_exist_is_named(store: Store, name: str, group: str, kind: str, sentence: str) -> None:
    before = store.of_type(account_keys.TYPE)
    with pytest.raises(StoreError, match=sentence):
        account_keys.regenerate(store, name, group, kind)
    assert store.of_type(account_keys.TYPE) == before
