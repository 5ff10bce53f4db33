"""Every policy passes and fails exactly the resources that its cases name."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parent / "cases"
POLICIES = Path(__file__).parents[2] / "policies"
NAMES = sorted(path.stem for path in POLICIES.glob("[A-Z]*.py"))
PLANNED = sorted(path.with_suffix("") for path in CASES.glob("*/*.json"))

Verdicts = dict[str, set[str]]


def policy(name: str) -> Any:
    return importlib.import_module(name).check


def declared(text: str) -> set[str]:
    """Addresses of the resources and modules in HCL."""
    resources = re.findall(r'^resource "(\w+)" "(\w+)"', text, re.M)
    modules = re.findall(r'^(module) "(\w+)"', text, re.M)
    return {f"{type_}.{name}" for type_, name in resources + modules}


def promised(addresses: set[str], verdict: str) -> set[str]:
    return {address for address in addresses if f".{verdict}_" in address}


@pytest.mark.parametrize("name", [name for name in NAMES if not list((CASES / name).glob("*.json"))])
def test_passes_and_fails_in_code_what_its_cases_say(name: str, scan: Callable[[Path, str], Verdicts]) -> None:
    """A resource named pass_* passes, one named fail_* fails, and each policy has both."""
    folder = CASES / name
    expected = declared((folder / "main.tf").read_text(encoding="utf-8"))

    verdicts = scan(folder, policy(name).id)

    assert verdicts["passed"] == promised(expected, "pass") != set()
    assert verdicts["failed"] == promised(expected, "fail") != set()


@pytest.mark.parametrize("case", PLANNED, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_passes_and_fails_in_a_plan_what_its_cases_say(
    case: Path, scan_plans: Callable[[Sequence[Path], str], Verdicts]
) -> None:
    """The same for rules that need a whole plan; the document is what real Terraform planned of the HCL beside it."""
    expected = declared(case.with_suffix(".tf").read_text(encoding="utf-8"))

    verdicts = scan_plans([case.with_suffix(".json")], policy(case.parent.name).id)

    assert verdicts["passed"] == promised(expected, "pass")
    assert verdicts["failed"] == promised(expected, "fail")


@pytest.mark.parametrize("case", PLANNED, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_plan_documents_are_of_the_hcl_beside_them(case: Path) -> None:
    text = case.with_suffix(".tf").read_bytes()
    made_from = json.loads(case.with_suffix(".json").read_text(encoding="utf-8"))["made_from"]
    assert made_from == hashlib.sha256(text).hexdigest(), f"run: python -m tests.policy.plans {case.parent.name}"


@pytest.mark.parametrize("name", NAMES)
def test_has_cases_that_pass_and_cases_that_fail(name: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (CASES / name).glob("*.tf")]
    addresses = {address for text in texts for address in declared(text)}
    assert promised(addresses, "pass")
    assert promised(addresses, "fail")


def test_ids_are_unique_and_contiguous() -> None:
    """Ids stand in other people's exceptions: a new policy takes the next number, and none changes its own."""
    numbers = sorted(int(policy(name).id.removeprefix("CKV_MCP_")) for name in NAMES)
    assert numbers == list(range(1, len(NAMES) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_wants(name: str) -> None:
    """A finding is as good as its text: summary, guideline, severity; file, class and case folder share one name."""
    check = policy(name)
    assert type(check).__name__ == name
    assert re.fullmatch(r"[A-Z].*[^.]", check.summary)
    assert check.guideline.endswith((".", ")"))
    assert check.severity_name in ("LOW", "MEDIUM", "HIGH", "CRITICAL")
