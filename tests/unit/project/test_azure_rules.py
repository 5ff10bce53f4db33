"""The rule book is fresh, and none of its rules is words only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulators.base.rules import Rule
from tools import azure_rules

RULES = [rule for book in azure_rules.rules().values() for rule in book]


def test_the_document_is_made_from_the_rules() -> None:
    """`python -m tools.azure_rules` writes it."""
    assert azure_rules.DOCUMENT.read_text(encoding="utf-8") == azure_rules.document()


def test_every_rule_is_held() -> None:
    """Each has a test that exists, and each open one a live check."""
    assert list(azure_rules.problems(RULES)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"test": "emulators/azurerm/tests/test_policies.py::test_nothing"}, "has no test 'test_nothing'"),
        ({"test": "emulators/none.py::test_nothing"}, "emulators/none.py has no test"),
        ({"standing": "open"}, "an open rule names the check"),
        ({"live": "nonsense"}, "`invoke verify` has no check 'nonsense'"),
        ({"id": "Two Words"}, "words in lower case"),
        ({"source": "a | b"}, "would end the table's cell"),
    ],
)
def test_a_rule_that_nothing_holds_is_named(change: dict[str, str], said: str) -> None:
    rule: Rule = replace(RULES[0], **change)  # type: ignore[arg-type]
    (problem,) = azure_rules.problems([rule])
    assert said in problem


def test_an_id_is_used_once() -> None:
    assert list(azure_rules.problems([RULES[0], RULES[0]])) == [f"{RULES[0].id}: another rule has this id"]
