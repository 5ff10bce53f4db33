"""Production, applied once; then one value changes, and the plan must do what changes/*.yaml says and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.plan import change
from tests.plan.bench import Bench
from tests.plan.change import CASES, FILES, IDS

HOW = "If that is meant: pytest tests/changes/test_planned.py --regenerate"


def _planned(bench: Bench, case: dict[str, Any]) -> change.Change:
    """A change of stage 2 that needs something new of stage 1 is planned after that was applied, as in life."""
    given = change.on_prod(bench, case)
    if not case.get("stage 1 first"):
        return change.plan(bench, case["stage"], given)
    before = change.Snapshot(bench)
    try:
        change.force(bench, 1, given)
        return change.plan(bench, case["stage"], given)
    finally:
        before.restore()


@pytest.mark.parametrize(("file", "name"), CASES, ids=IDS)
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


@pytest.mark.parametrize(("file", "name"), CASES, ids=IDS)
def test_what_people_put_in_is_guarded(file: Path, name: str) -> None:
    """A change that destroys documents, secrets or images is one that production refuses; telemetry may go."""
    case = FILES[file][name]
    lost = [address for address in case.get("destroys data", []) if not address.startswith("module.monitoring.")]
    assert bool(lost) <= ("refused by" in case or "refused" in case)
    assert bool(lost) or "refused by" not in case


def test_an_address_that_changed_moves_what_is_deployed(applied: Bench) -> None:
    """Each `moved` block: a state of before it plans that move, and neither creates nor destroys."""
    moved = change.moves(applied.home / "terraform" / "modules", applied.show(applied.stage(2)))
    before = change.Snapshot(applied)
    try:
        change.rename(applied, 2, {new: old for old, new in moved.items()})
        actions = change.plan(applied, 2, change.on_prod(applied)).actions
        assert {action: sorted(addresses) for action, addresses in actions.items()} == {"move": sorted(moved.values())}
    finally:
        before.restore()


def test_nothing_changes_where_no_value_does(applied: Bench) -> None:
    """Otherwise the cases would blame a value for what happens anyway."""
    assert [change.plan(applied, stage, change.on_prod(applied)).actions for stage in (1, 2)] == [{}, {}]
