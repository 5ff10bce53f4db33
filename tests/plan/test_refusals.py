"""Every rule of a variable refuses what breaks it, in its own words; see refusals/*.yaml."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.config import tfvars
from tests.plan.bench import TERRAFORM, Bench

REFUSALS = Path(__file__).parent / "refusals"
ROOTS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(REFUSALS.glob("*.yaml"))}
_MAPS = ("mcp_servers", "mcp_clients", "groups", "roles")
#: Rules that name what breaks them in another way.
_OTHERWISE = ("A server must not be called oauth", "documentdb.name must be given where")
CASES = [(root, case) for root, file in ROOTS.items() for case in file["refused"]]


def _folder(root: str) -> str:
    return root if root == "shared" else f"modules/{root}"


def _given(root: str) -> dict[str, Any]:
    """Values that the root accepts: the file's own, or those of the local environment."""
    given: dict[str, Any] = ROOTS[root].get("given") or tfvars.read(TERRAFORM / "environments/local/terraform.tfvars")
    return copy.deepcopy(given)


def _with(values: dict[str, Any], path: str, value: Any) -> None:
    """A value `{repeated: text, times: n}` stands for a list of that many texts, numbered."""
    if isinstance(value, dict) and set(value) == {"repeated", "times"}:
        value = [value["repeated"].format(number) for number in range(value["times"])]
    *parents, last = path.split("/")
    for name in parents:
        values = values.setdefault(name, {})
    values[last] = value


def _entry(case: dict[str, Any]) -> str:
    """Return the entry, as `mcp_servers.NAME`, where a case breaks a rule of single entries of a map."""
    (path,) = case["set"] if len(case["set"]) == 1 else ("",)
    name, slash, rest = path.partition("/")
    return f"{name}.{rest.partition('/')[0]}" if slash and name in _MAPS and case["says"] not in _OTHERWISE else ""


def _messages(root: str) -> list[str]:
    files = sorted((TERRAFORM / _folder(root)).glob("variables*.tf"))
    found = re.findall(
        r'error_message\s*=\s*"((?:[^"\\]|\\.)*)"', "".join(p.read_text(encoding="utf-8") for p in files)
    )
    return [message.replace('\\"', '"').replace("\\\\", "\\") for message in found]


@pytest.mark.parametrize("root", ROOTS)
def test_the_values_to_start_from_are_accepted(bench: Bench, root: str) -> None:
    """Otherwise a refusal below might be about something else."""
    assert bench.refusals(bench.variables(_folder(root)), _given(root)) == []


@pytest.mark.parametrize(("root", "case"), CASES, ids=[f"{root}: {next(iter(c['set'].items()))}" for root, c in CASES])
def test_a_broken_rule_is_named(bench: Bench, root: str, case: dict[str, Any]) -> None:
    """One wrong value gives one sentence: what is wrong and what is allowed."""
    values = _given(root)
    for path, value in case["set"].items():
        _with(values, path, value)
    said = bench.refusals(bench.variables(_folder(root)), values)
    found = [text for text in said if text.startswith(case["says"])]
    assert found, f"wanted {case['says']!r}, got {said}"
    if entry := _entry(case):
        assert any(entry in text for text in found), f"which entry of the map? {found}"


@pytest.mark.parametrize("root", ROOTS)
def test_every_rule_has_a_case(root: str) -> None:
    """A rule that nothing breaks might not work."""
    tried = [case["says"] for case in ROOTS[root]["refused"]]
    assert [message for message in _messages(root) if not any(message.startswith(says) for says in tried)] == []


def test_every_root_has_a_file() -> None:
    """A module whose variables have rules has a file of refusals."""
    modules = {path.parent.name for path in TERRAFORM.glob("modules/*/variables.tf") if _messages(path.parent.name)}
    assert modules | {"shared"} == set(ROOTS)
