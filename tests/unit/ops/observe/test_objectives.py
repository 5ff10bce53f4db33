"""How calls stand against the objectives of their servers, counted as the alerts count."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.observe import objectives
from ops.observe.objectives import Objective, Tally
from tests.unit.ops.conftest import Make

ROOT = Path(__file__).parents[4]


def call(**different: Any) -> dict[str, Any]:
    return {"server": "mongodb", "method": "POST", "status": 200, "milliseconds": 10.0, **different}


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([call()] * 3, "of 3 calls 100 % did not fail (99.5 % promised), 100 % took at most 5000 ms (95 % promised)"),
        ([call(), call(status=503), call(status=403)], "of 3 calls 66.66 % did not fail"),
        ([call(milliseconds=5000.1)] + [call()] * 9999, "99.99 % took at most 5000 ms"),
        ([call(), call(status=None)], "of 2 calls 100 % did not fail"),
        ([call(), call(method="GET", status=500), call(server="oauth", status=500)], "of 1 calls 100 % did not fail"),
    ],
)
def test_calls_are_counted_as_the_alerts_count(calls: list[dict[str, Any]], said: str) -> None:
    """5xx failed; refusals, streams and what a client cut off did not."""
    tally = Tally({"mongodb": Objective()})
    tally.add(calls)
    (line,) = tally.lines()
    assert said in line


def test_nothing_is_said_of_a_server_that_nobody_called() -> None:
    """No call is neither good nor bad."""
    assert list(Tally({"mongodb": Objective()}).lines()) == []


def test_a_server_may_promise_more(make: Make) -> None:
    """What an entry leaves out has its default."""
    environment = make("dev")
    entry = {**environment.servers["mongodb"], "objectives": {"latency_ms": 800}}
    changed = replace(environment, variables={**environment.variables, "mcp_servers": {"mongodb": entry}})
    assert objectives.of(changed) == {"mongodb": Objective(latency_ms=800)}


def test_defaults_are_terraform_s() -> None:
    """The watch promises what the alerts watch."""
    text = (ROOT / "terraform/shared/variables-servers.tf").read_text(encoding="utf-8")
    block = re.search(r"objectives = optional\(object\(\{(.*?)\}\)", text, re.DOTALL)
    assert block
    declared = {name: float(value) for name, value in re.findall(r"(\w+)\s*= optional\(number, ([\d.]+)\)", block[1])}
    assert Objective(**declared) == Objective()
