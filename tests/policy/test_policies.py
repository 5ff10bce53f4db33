"""Every policy passes and fails exactly the resources that its cases name."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.policy import plans

CASES = plans.CASES
POLICIES = Path(__file__).parents[2] / "policies"
NAMES = sorted(path.stem for path in POLICIES.glob("[A-Z]*.py"))
TERRAFORM = POLICIES.parent / "terraform"

Verdicts = dict[str, set[str]]


def policy(name: str) -> Any:
    return importlib.import_module(name).check


def declared(text: str) -> set[str]:
    """Addresses of the resources and modules in HCL."""
    resources = re.findall(r'^resource "(\w+)" "(\w+)"', text, re.M)
    modules = re.findall(r'^(module) "(\w+)"', text, re.M)
    return {f"{type_}.{name}" for type_, name in resources + modules}


def planned(document: Path, types: Sequence[str]) -> set[str]:
    """Addresses of a plan's resources of these types."""
    module = json.loads(document.read_text(encoding="utf-8"))["planned_values"]["root_module"]
    return {resource["address"] for resource in module["resources"] if resource["type"] in types}


def promised(addresses: set[str], verdict: str) -> set[str]:
    """Those whose name, or whose key in `for_each`, begins with `pass_` or `fail_`."""
    return {address for address in addresses if re.search(rf'[."]{verdict}_', address)}


@pytest.mark.parametrize("name", [name for name in NAMES if (CASES / name / "main.tf").exists()])
def test_passes_and_fails_in_code_what_its_cases_say(name: str, scan: Callable[[Path, str], Verdicts]) -> None:
    """A resource named pass_* passes, one named fail_* fails, and each policy has both; plan.tf is for plans."""
    folder = CASES / name
    expected = declared((folder / "main.tf").read_text(encoding="utf-8"))

    found = scan(folder, policy(name).id)
    verdicts = {said: {one for one in of if one.partition("[")[0] in expected} for said, of in found.items()}

    assert verdicts["passed"] == promised(expected, "pass") != set()
    assert verdicts["failed"] == promised(expected, "fail") != set()


@pytest.mark.parametrize("case", plans.cases(), ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_passes_and_fails_in_a_plan_what_its_cases_say(
    case: Path, scan_plans: Callable[[Sequence[Path], str], Verdicts]
) -> None:
    """The same for rules that need a whole plan; a name is the resource's, or its key where there are several."""
    check = policy(case.parent.name)
    document = plans.document(case)
    assert document.exists(), f"no plan of {case.relative_to(plans.ROOT)}: run python -m tests.policy.plans"
    expected = planned(document, check.resources)

    verdicts = scan_plans([document], check.id)

    assert verdicts["passed"] == promised(expected, "pass")
    assert verdicts["failed"] == promised(expected, "fail")


@pytest.mark.parametrize("name", NAMES)
def test_has_cases_that_pass_and_cases_that_fail(name: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (CASES / name).glob("*.tf"))
    assert set(re.findall(r"\b(pass|fail)_\w", text)) == {"pass", "fail"}


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


@pytest.mark.parametrize("file", sorted(TERRAFORM.rglob("*.tf")), ids=lambda file: str(file.relative_to(TERRAFORM)))
def test_checkov_reads_every_file(file: Path) -> None:
    """With its own parser: of a file that it cannot read it counts a parsing error, judges nothing, and passes."""
    with file.open(encoding="utf-8") as opened:
        assert hcl2.load(opened)
