"""What the queries of objectives find in calls that are given here: of what they alert, and what they leave out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plan import kql_run
from tests.plan.bench import TERRAFORM
from tests.plan.conftest import Planned
from tests.plan.inventory import resources
from tests.plan.kql_run import NOW, Row

API, OTHER = "mcp-mongodb", "mcp-release-notes"
ALLOWED = 0.005  # of an objective's calls may fail, and 0.05 take longer than 5 seconds
HOUR = 3600


def calls(number: int, ago: float = 60, api: str = API, **values: Any) -> list[Row]:
    """Calls that many seconds ago; well answered, unless told otherwise."""
    usual = {"ApiId": api, "Method": "POST", "ResponseCode": 200, "TotalTime": 100, "TimeGenerated": NOW - ago}
    return [{**usual, **values} for _ in range(number)]


@pytest.fixture
def burn(planned: Planned) -> Any:
    """Burn by API and objective, as the alert `objectives-burn-<name>` counts it."""
    found = resources(planned(2, "two-servers")._raw)
    module = "module.monitoring.azurerm_monitor_scheduled_query_rules_alert_v2.this"

    def of(rows: list[Row], name: str = "fast") -> dict[tuple[str, str], float]:
        query = found[f'{module}["objectives-burn-{name}"]']["criteria"][0]["query"]
        rows = kql_run.run(query, {"ApiManagementGatewayLogs": rows})
        return {(row["ApiId"], row["Objective"]): row["Burn"] for row in rows}

    return of


def test_failures_burn_availability(burn: Any) -> None:
    """So many times the share that is allowed, for each server by itself; the same for slow ones and latency."""
    found = burn(calls(90) + calls(10, ResponseCode=503) + calls(80, api=OTHER) + calls(20, api=OTHER, TotalTime=5001))
    assert found[API, "availability"] == pytest.approx(0.1 / ALLOWED)
    assert found[API, "latency"] == 0
    assert found[OTHER, "availability"] == 0
    assert found[OTHER, "latency"] == pytest.approx(0.2 / 0.05)


def test_refusals_and_streams_do_not_count(burn: Any) -> None:
    """Who calls without a token spends nobody's budget, and a stream stays open for as long as its client likes."""
    good = calls(100) + calls(50, ResponseCode=401) + calls(50, ResponseCode=429)
    found = burn(good + calls(50, Method="GET", TotalTime=600_000) + calls(50, Method="GET", ResponseCode=502))
    assert found == {(API, "availability"): 0, (API, "latency"): 0}


@pytest.mark.parametrize(("name", "recent"), [("fast", 300), ("slow", 1800), ("day", 2 * HOUR)])
def test_what_is_over_does_not_alert(burn: Any, name: str, recent: float) -> None:
    """Half of the calls of the window failed, and all of its last part are well; the other way round as little."""
    bad = calls(100, ago=recent + 60, ResponseCode=500)
    assert burn(bad + calls(100), name)[API, "availability"] == 0
    just_now = calls(900, ago=recent + 60) + calls(100, ResponseCode=500)
    assert burn(just_now, name)[API, "availability"] == pytest.approx(0.1 / ALLOWED)


def test_few_calls_and_other_apis_say_nothing(burn: Any) -> None:
    """One call that fails at night is no incident; the gateway's own APIs have no objective."""
    assert burn(calls(2, ResponseCode=500)) == {}
    assert burn(calls(100, api="oauth", ResponseCode=500)) == {}
    assert burn(calls(100, ago=HOUR / 2, ResponseCode=500)) == {}  # none lately


def test_the_workbook_shows_what_is_left() -> None:
    """Of each server that promises something; below zero it is overspent."""
    query = (TERRAFORM / "modules/monitoring/workbook/objectives.kql").read_text(encoding="utf-8")
    texts = {
        "apis": f'"{API}", "{OTHER}"',
        "latency_limits": f'ApiId == "{API}", 5000.0, ApiId == "{OTHER}", 5000.0',
        "failure_budgets": f'ApiId == "{API}", {ALLOWED}, ApiId == "{OTHER}", {ALLOWED}',
        "latency_budgets": f'ApiId == "{API}", 0.05, ApiId == "{OTHER}", 0.05',
    }
    for name, text in texts.items():
        assert f"${{{name}}}" in query
        query = query.replace(f"${{{name}}}", text)
    rows = calls(990) + calls(10, ResponseCode=500) + calls(100, api=OTHER, TotalTime=9000) + calls(9, api="oauth")
    rows += calls(100, Method="GET", TotalTime=600_000)
    one, other = kql_run.run(query, {"ApiManagementGatewayLogs": rows})
    assert (one["ApiId"], one["Calls"], one["AvailabilityPercent"]) == (API, 1000, pytest.approx(99.0))
    assert one["AvailabilityObjective"] == pytest.approx(99.5)
    assert one["FailureBudgetLeftPercent"] == pytest.approx(-100)
    assert one["LatencyBudgetLeftPercent"] == 100
    assert (other["ApiId"], other["InTimePercent"], other["WithinMs"]) == (OTHER, 0, 5000)
    assert other["LatencyBudgetLeftPercent"] == pytest.approx(100 - 100 / 0.05)
