"""The objectives of each server (`objectives` in `mcp_servers`), and how calls that were seen stand against them.

Counted as the alerts count (terraform/modules/monitoring/alerts/objectives-burn.kql): a call is a POST, it failed where
the gateway answered 5xx, and was slow where it took longer than `latency_ms`. What a watch has seen is less than the 30
days that the objectives are about, so it says numbers and no verdict on the budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.config.environment import Environment


@dataclass(frozen=True)
class Objective:
    """With the defaults of terraform/shared/variables-servers.tf. Percentages are of calls."""

    availability_percent: float = 99.5
    latency_ms: float = 5000
    latency_percentile: float = 95


@dataclass
class _Seen:
    calls: int = 0
    failed: int = 0
    slow: int = 0


def of(environment: Environment) -> dict[str, Objective]:
    """Return the objective of each server of `mcp_servers`."""
    return {name: Objective(**((entry or {}).get("objectives") or {})) for name, entry in environment.servers.items()}


class Tally:
    """Counts calls of the servers that have an objective."""

    def __init__(self, objectives: Mapping[str, Objective]) -> None:
        self._objectives = objectives
        self._seen = {name: _Seen() for name in objectives}

    def add(self, calls: Iterable[Mapping[str, Any]]) -> None:
        """Count calls as `invoke watch` has them; others than POST, and those of other addresses, are none."""
        for call in calls:
            seen = self._seen.get(call["server"])
            if seen is not None and call["method"] == "POST":
                seen.calls += 1
                seen.failed += int(call["status"] or 0) >= 500
                seen.slow += call["milliseconds"] > self._objectives[call["server"]].latency_ms

    def lines(self) -> Iterator[str]:
        """Yield a sentence for each server that was called: what was seen, and what is promised."""
        for name, seen in self._seen.items():
            if seen.calls:
                promised = self._objectives[name]
                yield (
                    f"{name}: of {seen.calls} calls {_without(seen.failed, seen.calls)} did not fail "
                    f"({promised.availability_percent:g} % promised), {_without(seen.slow, seen.calls)} took at most "
                    f"{promised.latency_ms:g} ms ({promised.latency_percentile:g} % promised)"
                )


def _without(bad: int, calls: int) -> str:
    """Cut and not rounded, so that 100 % means all."""
    return f"{(calls - bad) * 10_000 // calls / 100:g} %"
