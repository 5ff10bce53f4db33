"""The rule book is fresh, and none of its rules is words only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from emulators.azurerm import refusals
from emulators.base.rules import Edit, Rule
from tools import azure_rules, copies, rule_off, rule_proofs
from tools.rule_proofs import Bench, Proof, Verdict

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
        ({"off": ()}, "`off` or `edits` take away what enforces it"),
        ({"unproved": "because"}, "or else `unproved` says why"),
        ({"edits": (Edit("README.md", "no such text", ""),)}, "its text is 0 times in README.md"),
        ({"edits": (Edit("emulators/none.py", "a", "b"),)}, "its text is 0 times in emulators/none.py"),
        ({"edits": (Edit("noxfile.py", "import nox\n", "import (\n"),)}, "noxfile.py is no Python after the edit"),
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


def test_a_test_of_many_cases_is_named_with_one() -> None:
    """The page links to its file all the same."""
    rule = replace(RULES[0], test=f"{RULES[0].test}[one: case]")
    assert list(azure_rules.problems([rule])) == []


def test_a_rule_without_a_proof_says_why_on_the_page() -> None:
    shown = azure_rules._row(replace(RULES[0], off=(), unproved="nothing here takes it to be so"))
    assert "; not proved: nothing here takes it to be so |" in shown


FAILED = '<failure message="{0}">{0}</failure>'


@pytest.mark.parametrize(
    ("cases", "verdict", "says"),
    [
        ("<testcase />", "passes", ""),
        (f"<testcase />{'<testcase>' + FAILED.format('AssertionError: 1 != 2') + '</testcase>'}", "fails", "1 != 2"),
        (f"<testcase>{FAILED.format('Failed: DID NOT RAISE')}</testcase>", "fails", "DID NOT RAISE"),
        (f"<testcase>{FAILED.format('NameError: name x')}</testcase>", "broken", "NameError"),
        (f"<testcase>{FAILED.format('ImportError: no x')}</testcase>", "broken", "ImportError"),
        ("<testcase><error>fixture</error></testcase>", "broken", "did not come up: fixture"),
        ("<testcase><skipped /></testcase>", "broken", "no test ran"),
        ("", "broken", "no test ran"),
    ],
)
def test_only_the_test_s_own_failure_proves_a_rule(cases: str, verdict: Verdict, says: str) -> None:
    """Neither a fixture's error, nor a skipped test, nor code that the edit broke."""
    found, said = rule_proofs.judged(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert (found, says in said) == (verdict, True)


TEST = """from limits import LIMIT

def test_limit() -> None:
    assert LIMIT == 3
"""


def test_a_proof(tmp_path: Path) -> None:
    """The edit is made in the copy and taken back; what pytest cannot collect proves nothing."""
    copy = tmp_path / "copy"
    (copy / "results").mkdir(parents=True)
    (copy / "tools").mkdir()
    (copy / "tools" / "rule_off.py").touch()
    (copy / "limits.py").write_text("LIMIT = 3\n", encoding="utf-8")
    (copy / "test_limit.py").write_text(TEST, encoding="utf-8")
    bench = Bench(copy)

    def proof(new: str) -> Proof:
        edits = (Edit("limits.py", "LIMIT = 3", new),)
        return bench.proof(replace(RULES[0], test="test_limit.py::test_limit", off=(), edits=edits))

    found = [proof(new) for new in ("LIMIT = 4", "LIMIT = 1 + 2", "OTHER = 4")]
    assert [one.verdict for one in found] == ["fails", "passes", "broken"]
    assert ("assert 4 == 3" in found[0].says, "pytest ended with" in found[2].says) == (True, True)
    assert (copy / "limits.py").read_text(encoding="utf-8") == "LIMIT = 3\n"


def test_the_summary_names_what_is_idle() -> None:
    """And the rules without a proof, with their reason."""
    one, other = RULES[:2]
    text = rule_proofs.summary(
        [Proof(one, "fails", 1), Proof(other, "passes", 1)], [replace(one, unproved="nothing assumes it")]
    )
    assert text.splitlines() == [
        "1 of 2 tests fail without their rule",
        f"  {other.id}: IDLE, {other.test} passes without it",
        f"  {one.id} has no proof: nothing assumes it",
    ]


def test_several_edits_of_one_file(tmp_path: Path) -> None:
    """One after the other, each exactly once."""
    (tmp_path / "a").write_text("one two", encoding="utf-8")
    both = [Edit("a", "one", "1"), Edit("a", "two", "2")]
    assert copies.after(both, tmp_path) == {"a": "1 2"}
    with copies.edited(tmp_path, both):
        assert (tmp_path / "a").read_text(encoding="utf-8") == "1 2"
    assert (tmp_path / "a").read_text(encoding="utf-8") == "one two"
    with pytest.raises(copies.DoesNotApply, match="2 times in a"):
        copies.after([Edit("a", "o", "0")], tmp_path)


def test_an_id_is_used_once() -> None:
    assert list(azure_rules.problems([RULES[0], RULES[0]])) == [f"{RULES[0].id}: another rule has this id"]
