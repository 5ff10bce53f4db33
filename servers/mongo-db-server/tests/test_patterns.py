from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mongo_db_server.errors import InvalidCallError
from mongo_db_server.namespaces import require_collection
from mongo_db_server.patterns import as_regex, matches


@given(st.text("ab*?.", max_size=8), st.text("ab.\n", max_size=8))
def test_names_match_as_the_database_matches_them(pattern: str, name: str) -> None:
    """The expression that the database is given, and the one that is tried here, agree."""
    expected = re.compile(as_regex(pattern)[:-1] + r"\Z", re.DOTALL).match(name) is not None
    assert matches(pattern, name) is expected


def test_a_made_up_name_costs_no_power_of_its_length() -> None:
    """Callers choose the names that an operator's pattern is compared with."""
    started = time.monotonic()
    assert not matches("*a" * 20 + "*b", "a" * 20_000)
    assert time.monotonic() - started < 5


def test_a_collection_has_a_name_that_can_exist() -> None:
    """A longer one is refused before anything is compared with it."""
    assert require_collection("x" * 253) is None  # type: ignore[func-returns-value]
    with pytest.raises(InvalidCallError, match="at most 253 bytes"):
        require_collection("é" * 127)
