"""Each change of tests/plan/changes, applied to a production that runs, and taken back; or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan import change
from tests.plan.bench import Bench
from tests.plan.change import CASES, FILES, IDS


@pytest.mark.parametrize(("file", "name"), CASES, ids=IDS)
def test_a_change_is_applied_and_taken_back_or_refused(applied: Bench, file: Path, name: str) -> None:
    """Refused in a sentence before anything is touched; else applied in an order that Azure accepts, there and back."""
    case, before = FILES[file][name], change.Snapshot(applied)
    base, given = change.on_prod(applied), change.on_prod(applied, case)
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
