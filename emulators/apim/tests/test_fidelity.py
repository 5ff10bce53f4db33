"""twin/FIDELITY.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulators.apim import documented, fidelity
from emulators.apim.csharp.library import catalogue
from emulators.apim.elements import ELEMENTS
from emulators.apim.errors import PolicyProblems
from emulators.apim.reference import BY_TAG, NOT_RUN
from emulators.apim.tests.harness import make_gateway

TESTS = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "policies").glob("test_*.py"))


def test_members_that_are_said_to_be_refused_are() -> None:
    """No property or method of that name is declared; exceptions whose names cannot be written are not listed."""
    declared = {f"{member.owner}.{member.name}" for member in catalogue()}
    assert declared & set(documented.REFUSED_MEMBERS) == set()
    assert "`FormatException`" not in fidelity.section()


def test_the_tables_are_the_code_s() -> None:
    """twin/FIDELITY.md lists what loads; `python -m emulators.apim.fidelity` writes it."""
    text = fidelity.DOCUMENT.read_text(encoding="utf-8")
    assert fidelity.updated(text) == text


def test_what_is_documented_is_either_run_or_refused_by_name() -> None:
    """No element of Microsoft's reference is missing from the document."""
    text = fidelity.DOCUMENT.read_text(encoding="utf-8")
    assert [tag for tag in (*BY_TAG, *NOT_RUN) if f"`{tag}`" not in text] == []
    assert (set(ELEMENTS), set(BY_TAG) & set(NOT_RUN)) == (set(BY_TAG), set())


@pytest.mark.parametrize("tag", sorted(NOT_RUN))
def test_a_documented_element_that_does_not_run_is_refused_with_its_line(tag: str) -> None:
    """Name, line and scope: nothing is passed over."""
    with pytest.raises(PolicyProblems, match=rf"API 'a', line \d+: <{tag}> is not supported"):
        make_gateway(inbound=f"<{tag}/>")


@pytest.mark.parametrize("tag", sorted(ELEMENTS))
def test_every_element_has_a_test_that_names_its_documentation(tag: str) -> None:
    """Each element's documentation title stands in a test of its behaviour."""
    assert f'"{BY_TAG[tag].title}"' in TESTS
