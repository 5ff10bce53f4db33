"""twin/FIDELITY.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulators.apim import documented, fidelity
from emulators.apim.csharp.library import catalogue
from emulators.apim.elements import ELEMENTS
from emulators.apim.errors import PolicyProblems
from emulators.apim.reference import BY_TAG, NOT_RUN
from emulators.apim.tests.harness import make_gateway
from emulators.apim.usage_notes import NOTES, Note


def row(tag: str) -> str:
    """The element's row of the table."""
    return next(line for line in fidelity.elements_table().splitlines() if line.startswith(f"| `{tag}` |"))


TESTED = [
    path for path in Path(__file__).parent.rglob("test_*.py") if path.name not in ("test_schema.py", "test_fidelity.py")
]
USED = "".join(path.read_text(encoding="utf-8") for path in TESTED)
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


FULL = sorted(tag for tag in ELEMENTS if f"| `{tag}` |" in fidelity.elements_table() and "| full |" in row(tag))


@pytest.mark.parametrize("tag", FULL)
def test_a_full_element_s_attributes_stand_in_tests(tag: str) -> None:
    """Every attribute and part is used by a test other than those that are made from the schema."""
    for name in re.findall(r"[\w-]+(?=[,>]|$)", row(tag).split("|")[5].replace(" (", ",")):
        assert name in USED, name


@pytest.mark.parametrize("tag", FULL)
def test_a_full_element_s_notes_have_tests(tag: str) -> None:
    """The function that a note names is there."""
    for note in NOTES[tag]:
        file, _, function = note.test.partition("::")
        assert re.search(rf"def {function}\b", (Path(__file__).parent / file).read_text(encoding="utf-8")), note


def test_an_element_whose_notes_have_no_tests_is_not_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one of which nobody wrote them down."""
    monkeypatch.setitem(NOTES, "choose", (Note("something", ""),))
    monkeypatch.delitem(NOTES, "retry")
    assert "| partial |" in row("choose")
    assert "| something |" in row("choose")
    assert "| partial |" in row("retry")
