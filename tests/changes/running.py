"""A production that runs, and what it was last changed to: changes come one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.changes.as_pipeline import Pipelines
from tests.plan import change
from tests.plan.bench import Bench
from tests.plan.change import Snapshot

Case = Mapping[str, Any]


def stands_alone(case: Case) -> bool:
    """Whether the way back is tried by itself: both stages change in turn, or it is refused."""
    return bool(case.get("stage 1 first") or case.get("back refused"))


def is_refused(case: Case) -> bool:
    return "refused" in case or "refused by" in case


def turn(case: Case) -> int:
    """Changes of one stage follow each other, those of stage 2 first; what is refused is asked of production itself."""
    if is_refused(case):
        return 3
    return 2 if stands_alone(case) else int(case["stage"] == 1)


@dataclass
class Running:
    """`changed` is the name of the change that counts, in `stage`; empty where production is as it was."""

    bench: Bench
    pipelines: Pipelines
    before: Snapshot
    changed: str = ""
    stage: int = 0
    _damaged: bool = field(default=False)

    def change(self, name: str, case: Case) -> None:
        """Apply it in the place of the change before; nothing is left to do then, and nobody lacked a right."""
        if self._damaged or self.stage not in (0, case["stage"]) or stands_alone(case):
            self.take_back()
        given = change.on_prod(self.bench, case)
        if not stands_alone(case):
            self._apply(case["stage"], given, name)
            self.changed, self.stage = name, case["stage"]
            return
        stages = [1, 2] if case.get("stage 1 first") else [case["stage"]]
        for stage in stages:
            self._apply(stage, given, name)
        for stage in reversed(stages):
            self._back(stage, case.get("back refused", ""), name)

    def take_back(self) -> None:
        """Production as it was: applied, or, after a change that failed or cannot be taken back, restored."""
        if self._damaged:
            self.before.restore()
        elif self.changed:
            self._apply(self.stage, change.on_prod(self.bench), "the way back")
        self.changed, self.stage, self._damaged = "", 0, False

    def _apply(self, stage: int, given: Mapping[str, Any], name: str) -> None:
        self._damaged = True
        said = change.attempt(self.bench, stage, given, refresh=False)  # the plan after the change before looked
        assert not said, f"{name}, after {self.changed or 'nothing'}: {said}"
        assert change.left(self.bench, stage, given) == {}
        assert self.pipelines.take_refused() == {}
        self._damaged = False

    def _back(self, stage: int, refused: str, name: str) -> None:
        if not refused:
            self._apply(stage, change.on_prod(self.bench), f"{name} taken back")
            return
        self._damaged = True
        assert refused in change.attempt(self.bench, stage, change.on_prod(self.bench))
