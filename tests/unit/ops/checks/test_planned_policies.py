"""What the local gateway could not run is refused before it is applied."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.checks import planned_policies
from ops.checks.planned_policies import PlannedPoliciesRefused
from ops.terraform.cli import Plan

POLICY = 'module.apim.azurerm_api_management_api_policy.mcp["{}"]'
FRAGMENT = 'module.apim.azurerm_api_management_policy_fragment.this["a.b"]'
GOOD = "<policies><inbound><base /></inbound></policies>"


class Space:
    """A workspace whose plan is what it is given."""

    def __init__(self, home: Path, texts: dict[str, str | None], *, local: bool = True, deployed: bool = True) -> None:
        self.environment = SimpleNamespace(is_local=local, home=home)
        self.terraform = self
        self.shown = 0
        self._texts = texts
        if deployed:
            (home / "run").mkdir()
            (home / "run" / "state.json").touch()

    def show(self, *_: Any) -> dict[str, Any]:
        self.shown += 1
        return {"resource_changes": [self._change(address, text) for address, text in self._texts.items()]}

    def _change(self, address: str, text: str | None) -> dict[str, Any]:
        type_ = address.split(".")[2]
        after = {planned_policies.TEXTS.get(type_, "name"): text}
        return {"address": address, "type": type_, "change": {"actions": ["update"], "after": after}}


def require(space: Space, actions: dict[str, str]) -> None:
    stage: Any = SimpleNamespace(plan_file=Path("stage2.tfplan"))
    planned_policies.require_runnable(space, Plan(stage, actions, True, {}))  # type: ignore[arg-type]


def test_a_fault_is_named_once_for_all_policies_that_have_it(tmp_path: Path) -> None:
    bad = "<policies>\n<inbound>\n<base /><set-varable /></inbound></policies>"
    texts = {POLICY.format("one"): bad, POLICY.format("two"): bad, POLICY.format("good"): GOOD}
    with pytest.raises(PlannedPoliciesRefused) as raised:
        require(Space(tmp_path, {**texts}), dict.fromkeys(texts, "update"))
    said = str(raised.value)
    assert f"{POLICY.format('one')} and 1 more, line 3: <set-varable> is no policy" in said
    assert (said.count("set-varable"), said.endswith("nothing was applied")) == (1, True)


@pytest.mark.parametrize(
    "text", ["<policies><inbound><base /></policies>", "<policies><inbound><choose /></inbound></policies>"]
)
def test_what_is_no_policy_at_all_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PlannedPoliciesRefused, match="the local gateway cannot run what is planned: "):
        require(Space(tmp_path, {POLICY.format("one"): text}), {POLICY.format("one"): "update"})


def test_fragments_are_policies(tmp_path: Path) -> None:
    with pytest.raises(PlannedPoliciesRefused, match=r"this\[\"a\.b\"\], line 1: <nope>"):
        require(Space(tmp_path, {FRAGMENT: "<fragment><nope /></fragment>"}), {FRAGMENT: "create"})


@pytest.mark.parametrize("text", [GOOD, None])
def test_what_runs_or_is_not_known_yet_passes(tmp_path: Path, text: str | None) -> None:
    require(Space(tmp_path, {POLICY.format("one"): text}), {POLICY.format("one"): "update"})


@pytest.mark.parametrize(
    ("given", "actions"),
    [
        ({}, {"module.apim.azurerm_api_management_backend.this": "update"}),
        ({}, {POLICY.format("one"): "delete"}),
        ({"local": False}, {POLICY.format("one"): "update"}),
        ({"deployed": False}, {POLICY.format("one"): "create"}),
    ],
)
def test_a_plan_is_read_only_where_it_matters(tmp_path: Path, given: dict[str, bool], actions: dict[str, str]) -> None:
    """It takes seconds: not where no policy is written, on Azure, or where there is no gateway to lose."""
    space = Space(tmp_path, {}, **given)
    require(space, actions)
    assert space.shown == 0
