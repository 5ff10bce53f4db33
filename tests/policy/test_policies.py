"""Every policy passes and fails exactly the resources that its cases name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
POLICIES = Path(__file__).parents[2] / "policies"
POLICY_FILES = sorted(path for path in POLICIES.glob("[A-Z]*.py"))
IDS = {path.stem: re.search(r'id = "(CKV_MCP_\d+)"', path.read_text(encoding="utf-8")) for path in POLICY_FILES}

Scan = Callable[[Path, str], dict[str, set[str]]]


def declared(folder: Path) -> set[str]:
    """Addresses of the resources in a folder's HCL."""
    text = (folder / "main.tf").read_text(encoding="utf-8")
    return {f"{type_}.{name}" for type_, name in re.findall(r'^resource "(\w+)" "(\w+)"', text, re.M)}


@pytest.mark.parametrize("policy", [path.stem for path in POLICY_FILES])
def test_passes_and_fails_what_its_cases_say(policy: str, scan: Scan) -> None:
    """A resource named pass_* passes, one named fail_* fails, and each policy has both."""
    match = IDS[policy]
    assert match is not None, f"{policy} declares no id"
    expected = declared(CASES / policy)

    verdicts = scan(CASES / policy, match.group(1))

    assert verdicts["passed"] == {address for address in expected if ".pass_" in address} != set()
    assert verdicts["failed"] == {address for address in expected if ".fail_" in address} != set()


def test_ids_are_unique_and_contiguous() -> None:
    numbers = sorted(int(match.group(1).removeprefix("CKV_MCP_")) for match in IDS.values() if match)
    assert numbers == list(range(1, len(POLICY_FILES) + 1))


@pytest.mark.parametrize("policy", [path.stem for path in POLICY_FILES])
def test_says_what_it_wants(policy: str) -> None:
    """A finding is as good as its text: each policy has a summary and a guideline, and is named after its class."""
    text = (POLICIES / f"{policy}.py").read_text(encoding="utf-8")
    assert f"class {policy}(Policy):" in text
    assert re.search(r"summary = ", text)
    assert re.search(r"guideline = ", text)
