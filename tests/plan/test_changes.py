"""Production, applied once; then one value changes, and the plan must do what changes/*.yaml says and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.plan import change
from tests.plan.bench import Bench

CHANGES = Path(__file__).parent / "changes"
FILES = {path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(CHANGES.glob("*.yaml"))}
CASES = [(path, name) for path, cases in FILES.items() for name in cases]
HOW = "If that is meant: pytest tests/plan/test_changes.py --regenerate"


def _values(bench: Bench, case: dict[str, Any] | None = None) -> dict[str, Any]:
    return change.values(bench, bench.tfvars("prod"), CHANGES / "base.tfvars", case=case)


@pytest.fixture(scope="module")
def applied(own_bench: Bench) -> Bench:
    for stage in (1, 2):
        change.apply(own_bench, stage, _values(own_bench))
    return own_bench


def _planned(bench: Bench, case: dict[str, Any]) -> change.Change:
    """A change of stage 2 that needs something new of stage 1 is planned after that was applied, as in life."""
    given = _values(bench, case)
    if not case.get("stage 1 first"):
        return change.plan(bench, case["stage"], given)
    before = change.Snapshot(bench)
    try:
        change.force(bench, 1, given)
        return change.plan(bench, case["stage"], given)
    finally:
        before.restore()


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{path.stem}: {name}" for path, name in CASES])
def test_a_changed_value_changes_this_and_nothing_else(
    applied: Bench, file: Path, name: str, request: pytest.FixtureRequest
) -> None:
    """What a value's change creates, updates, replaces and deletes is written down; data that it destroys by hand."""
    case = FILES[file][name]
    planned = _planned(applied, case)
    wanted = {key: case[key] for key in ("changes", "types", "refused by") if key in case}
    found = planned.as_case(case)
    if request.config.getoption("--regenerate"):
        change.rewrite(file, name, found)
        return
    lines = [*change.differences(wanted, found)]
    assert not lines, "\n".join(["", *lines, HOW])
    named = case.get("destroys data", [])
    assert planned.destroyed_data == sorted(named), (
        f"this change destroys the data of {planned.destroyed_data}, and `destroys data` of the case names {named}: "
        "if that is meant, write it there by hand"
    )


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{path.stem}: {name}" for path, name in CASES])
def test_what_people_put_in_is_guarded(file: Path, name: str) -> None:
    """A change that destroys documents, secrets or images is one that production refuses; telemetry may go."""
    case = FILES[file][name]
    lost = [address for address in case.get("destroys data", []) if not address.startswith("module.monitoring.")]
    assert bool(lost) <= ("refused by" in case or "refused" in case)
    assert bool(lost) or "refused by" not in case


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{path.stem}: {name}" for path, name in CASES])
def test_a_change_is_applied_and_taken_back_or_refused(applied: Bench, file: Path, name: str) -> None:
    """Refused in a sentence before anything is touched; else applied in an order that Azure accepts, there and back."""
    case, before = FILES[file][name], change.Snapshot(applied)
    base, given = _values(applied), _values(applied, case)
    stages = [1, 2] if case.get("stage 1 first") else [case["stage"]]
    try:
        if "refused by" in case or "refused" in case:
            guards, sentences = change.refusals(applied, stages[0], given)
            named = [one for one in sentences if one.startswith(case.get("refused", "nothing"))]
            # A precondition can keep Terraform from coming as far as some of the guards.
            stopped = guards == case.get("refused by", []) or ("refused" in case and {*guards} < {*case["refused by"]})
            assert (stopped, len(named)) == (True, int("refused" in case)), (guards, sentences)
            assert change.Snapshot(applied).cloud == before.cloud
            return
        for stage in stages:
            assert change.attempt(applied, stage, given) == ""
            assert change.left(applied, stage, given) == {}
        for stage in reversed(stages):
            said, refused = change.attempt(applied, stage, base), case.get("back refused", "")
            assert (refused in said) if refused else not said, said
            assert refused or change.left(applied, stage, base) == {}
    finally:
        before.restore()


def test_an_address_that_changed_moves_what_is_deployed(applied: Bench) -> None:
    """Each `moved` block: a state of before it plans that move, and neither creates nor destroys."""
    moved = change.moves(applied.home / "terraform" / "modules", applied.show(applied.stage(2)))
    before = change.Snapshot(applied)
    try:
        change.rename(applied, 2, {new: old for old, new in moved.items()})
        actions = change.plan(applied, 2, _values(applied)).actions
        assert {action: sorted(addresses) for action, addresses in actions.items()} == {"move": sorted(moved.values())}
    finally:
        before.restore()


def test_nothing_changes_where_no_value_does(applied: Bench) -> None:
    """Otherwise the cases would blame a value for what happens anyway."""
    assert [change.plan(applied, stage, _values(applied)).actions for stage in (1, 2)] == [{}, {}]
