"""README.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.gateway import fidelity
from twin.gateway.elements import ELEMENTS

README = Path(fidelity.__file__).with_name("README.md").read_text(encoding="utf-8")
TESTS = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "policies").glob("test_*.py"))


@pytest.mark.parametrize("table", [fidelity.elements_table(), fidelity.members_table()])
def test_the_tables_are_the_code_s(table: str) -> None:
    """The lists of elements, attributes, types and members are those that load."""
    assert table in README


@pytest.mark.parametrize("tag", sorted(ELEMENTS))
def test_every_element_has_a_test_that_names_its_documentation(tag: str) -> None:
    """Each element's documentation title stands in a test of its behaviour."""
    assert f'"{ELEMENTS[tag].title}"' in TESTS
