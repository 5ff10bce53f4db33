"""The rule book is fresh, and none of its rules is words only."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from emulators.azurerm import refusals
from emulators.base.rules import Rule
from tools import azure_rules, rule_off

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
        ({"source": "a | b, 2026"}, "would end the table's cell"),
        ({"source": "“Some page”"}, "has neither date, nor version, nor number"),
        ({"off": ()}, "`off` names the functions of the emulator that enforce it"),
    ],
)
def test_a_rule_that_nothing_holds_is_named(change: dict[str, str], said: str) -> None:
    rule: Rule = replace(RULES[0], **change)  # type: ignore[arg-type]
    (problem,) = azure_rules.problems([rule])
    assert said in problem


@pytest.mark.parametrize("name", sorted({name for rule in RULES for name in rule.off}))
def test_what_enforces_a_rule_exists(name: str) -> None:
    """`--prove` switches it off; what does nothing takes whatever it is given."""
    function, nothing = rule_off.resolve(name)
    assert callable(function)
    assert nothing("a", "b") == ("b" if name.endswith("=1") else None) or list(nothing("a", "b")) == []


def test_switched_off_everywhere() -> None:
    """By name in every module that imported it, and in tables: a test sees it do nothing wherever it calls it."""
    home, other = ModuleType("emulators.home"), ModuleType("emulators.other")
    home.__dict__.update(refuse=refusals.refuse, CHECKS={"type": refusals.refuse, "pair": (1, refusals.refuse)})
    other.__dict__["refuse"] = refusals.refuse
    rule_off.switch_off(["emulators.azurerm.refusals.refuse"], [home, other])
    found = [home.refuse, other.refuse, home.CHECKS["type"], home.CHECKS["pair"][1]]
    assert [one(None, "type", {}) for one in found] == [None] * 4
    assert refusals.refuse not in found


def test_an_id_is_used_once() -> None:
    assert list(azure_rules.problems([RULES[0], RULES[0]])) == [f"{RULES[0].id}: another rule has this id"]
