from __future__ import annotations

import pytest
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.namespaces import require_collection, require_database


@pytest.mark.parametrize("name", ["admin", "local", "config", "Admin", "CONFIG"])
def test_system_databases_are_closed(name: str) -> None:
    """In any spelling."""
    with pytest.raises(RefusedError, match=f"`{name}` is a system database"):
        require_database(name)


@pytest.mark.parametrize("name", ["", "a/b", "a.b", "a b", "a$b", "a\0b", 'a"b', "a\\b", "x" * 64, "é" * 32])
def test_impossible_database_names(name: str) -> None:
    """Names MongoDB does not accept never reach it."""
    with pytest.raises(InvalidCallError):
        require_database(name)


@pytest.mark.parametrize("name", ["system.users", "system.js", "system.profile"])
def test_system_collections_are_closed(name: str) -> None:
    """They hold users, code and other callers' commands."""
    with pytest.raises(RefusedError):
        require_collection(name)


@pytest.mark.parametrize("name", ["", "$cmd", "a$b", ".a", "a.", "a\0"])
def test_impossible_collection_names(name: str) -> None:
    """Names MongoDB does not accept, or reads as commands, never reach it."""
    with pytest.raises(InvalidCallError):
        require_collection(name)


def test_ordinary_names_pass() -> None:
    """Dots, dashes and accents are ordinary."""
    assert require_database("shop-é_1") is None  # type: ignore[func-returns-value]
    assert require_collection("orders.2026-é") is None  # type: ignore[func-returns-value]
