"""Everything that can report does; every alert says what to do, reaches somebody, and stands in docs/monitoring.md."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.plan import reporting
from tests.plan.bench import ENVIRONMENTS, REPOSITORY, TERRAFORM
from tests.plan.conftest import Planned
from tests.plan.inventory import resources
from tests.plan.kql import Query, committed

PAGE = REPOSITORY / "docs" / "monitoring.md"
TABLE = re.compile(r"(?<=<!-- alerts -->\n).*?(?=<!-- /alerts -->)", re.DOTALL)
EVERY_ENVIRONMENT = pytest.mark.parametrize("environment", ENVIRONMENTS)

# With a daily quota, so with every alert that there is.
WITH_QUOTA = "dev"
METRIC = "azurerm_monitor_metric_alert"
LOG = "azurerm_monitor_scheduled_query_rules_alert_v2"
ACTIVITY = "azurerm_monitor_activity_log_alert"

# Headers in the gateway's log: column of the table → block of the diagnostic that fills it.
HEADER_COLUMNS = {"RequestHeaders": "frontend_request", "ResponseHeaders": "frontend_response"}

Resources = Mapping[str, Mapping[str, Any]]


def _alerts(planned: Resources, *types: str) -> dict[str, Mapping[str, Any]]:
    """Alerts by the end of their name, which is what the page calls them."""
    found = {address: values for address, values in planned.items() if reporting.type_of(address) in types}
    prefix = f"alert-{_deployment(planned)}-"
    return {values["name"].removeprefix(prefix): values for values in found.values()}


def _deployment(planned: Resources) -> str:
    return str(planned["module.monitoring.azurerm_log_analytics_workspace.this"]["name"]).removeprefix("log-")


@EVERY_ENVIRONMENT
def test_it_is_known_of_every_type_whether_it_reports(planned: Planned, environment: str) -> None:
    """A new type of resource is looked up, and not forgotten."""
    for stage in (1, 2):
        found = reporting.unlisted(resources(planned(stage, environment)._raw))
        assert found == set(), (
            "list it in tests/plan/documented/diagnostics.yaml, as reporting or with the reason why not"
        )


@EVERY_ENVIRONMENT
def test_everything_that_can_report_does(planned: Planned, environment: str) -> None:
    """As many settings as resources, of each kind and over both stages."""
    one, two = (resources(planned(stage, environment)._raw) for stage in (1, 2))
    assert reporting.reporting(two) == reporting.to_report([*one, *two])


@EVERY_ENVIRONMENT
def test_stage_1_is_reported_on_under_its_own_names(planned: Planned, environment: str) -> None:
    """Stage 2 finds by name what stage 1 made; what it finds is what is there."""
    one, two = (resources(planned(stage, environment)._raw) for stage in (1, 2))
    made = {v["name"] for address, v in one.items() if reporting.type_of(address) in reporting.REPORTS}
    targets = [values.get("target_resource_id") for values in reporting.settings(two).values()]
    assert {target.rsplit("/", 1)[-1] for target in targets if target} == made


def test_a_landing_zone_reports_elsewhere(planned: Planned) -> None:
    """Networks that others keep are not touched, not even to listen."""
    found = reporting.reporting(resources(planned(2, "landing-zone")._raw))
    assert found["network"] == found["security-group"] == 0
    assert found["gateway"] == found["database"] == found["registry"] == 1


@EVERY_ENVIRONMENT
def test_the_gateway_logs_no_payload_and_no_secret(planned: Planned, environment: str) -> None:
    """Bodies hold callers' data, and reading a response would hold up its stream; tokens open doors."""
    secret = {"authorization", "cookie", "set-cookie", "ocp-apim-subscription-key", "location"}
    found = resources(planned(2, environment)._raw)
    diagnostics = [
        v for address, v in found.items() if reporting.type_of(address) == "azurerm_api_management_diagnostic"
    ]
    assert {d["identifier"] for d in diagnostics} == {"applicationinsights", "azuremonitor"}
    for diagnostic in diagnostics:
        for block in ("frontend_request", "frontend_response", "backend_request", "backend_response"):
            (said,) = diagnostic[block]
            assert said["body_bytes"] == 0
            assert secret & {header.lower() for header in said["headers_to_log"] or []} == set()
        masked = diagnostic["frontend_request"][0]["data_masking"][0]
        assert "Authorization" in [header["value"] for header in masked["headers"] if header["mode"] == "Hide"]
        assert {"code", "state"} <= {parameter["value"] for parameter in masked["query_params"]}
    traced = next(d for d in diagnostics if d["identifier"] == "applicationinsights")
    assert traced["http_correlation_protocol"] == "W3C"


def test_queries_read_headers_that_the_gateway_logs(planned: Planned) -> None:
    """A header is in the table only where the diagnostic names it."""
    address = "module.apim.azurerm_api_management_diagnostic.azure_monitor"
    diagnostic = resources(planned(2, "local")._raw)[address]
    read = {(query.name, *header) for query in committed() for header in query.headers}
    assert read, "no query reads a header"
    for name, column, header in read:
        logged = diagnostic[HEADER_COLUMNS[column]][0]["headers_to_log"]
        assert header in [one.lower() for one in logged], f"{name} reads {header} from {column}"


@EVERY_ENVIRONMENT
def test_an_alert_reaches_somebody_and_ends_by_itself(planned: Planned, environment: str) -> None:
    """One action group with at least one address; what is over is marked as over."""
    found = resources(planned(2, environment)._raw)
    group = found['module.monitoring.azurerm_monitor_action_group.this["this"]']
    assert group["email_receiver"]
    metric, log, activity = (_alerts(found, type_) for type_ in (METRIC, LOG, ACTIVITY))
    assert all(alert["auto_mitigate"] for alert in metric.values())
    assert all(alert["auto_mitigation_enabled"] for alert in log.values())
    for name, alert in {**metric, **log, **activity}.items():
        assert len(alert["action"]) == 1, f"{name} tells nobody"
        assert len(alert["description"]) > 60, f"{name} does not say what to do"


def test_an_alert_measures_a_column_that_its_query_makes(planned: Planned) -> None:
    """A rule that measures another column than its query returns fails when it is created."""
    for name, alert in _alerts(resources(planned(2, WITH_QUOTA)._raw), LOG).items():
        (criteria,) = alert["criteria"]
        query = Query(name, criteria["query"])
        measured = [criteria["metric_measure_column"]] if criteria["metric_measure_column"] else []
        for column in [*measured, *(dimension["name"] for dimension in criteria["dimension"])]:
            assert column in query.names, f"{name} returns no column {column}"


#: The Site Reliability Workbook, "Alerting on SLOs": a share of the month's budget, in so many hours; the short window
#: is a twelfth of the long one. Its third row has 72 hours, and a log alert looks back 48 at most.
BURNS = {"fast": (0.02, 1, "PT1H", "5m"), "slow": (0.05, 6, "PT6H", "30m"), "day": (0.10, 24, "P1D", "2h")}


@pytest.mark.parametrize("name", BURNS)
def test_an_objective_burns_as_fast_as_it_is_said_to(planned: Planned, name: str) -> None:
    """How many times too fast is what that share of 30 days makes of the window; both windows are in the query."""
    share, hours, window, recent = BURNS[name]
    alert = _alerts(resources(planned(2, "two-servers")._raw), LOG)[f"objectives-burn-{name}"]
    (criteria,) = alert["criteria"]
    assert criteria["threshold"] == pytest.approx(share * 30 * 24 / hours)
    assert alert["window_duration"] == window
    assert f"ago({recent})" in criteria["query"]
    assert [one["name"] for one in criteria["dimension"]] == ["ApiId", "Objective"]


def test_every_server_has_its_objectives(planned: Planned) -> None:
    """By the name of its API, with what its entry says or the defaults."""
    alerts = _alerts(resources(planned(2, "two-servers")._raw), LOG)
    for name in BURNS:
        (criteria,) = alerts[f"objectives-burn-{name}"]["criteria"]
        apis = (
            "mcp-mongodb",
            "mcp-profile",
            "mcp-release-notes",
            "mcp-tickets",
        )  # one elsewhere promises as much as those here
        assert 'ApiId in ("{}")'.format('", "'.join(apis)) in criteria["query"]
        for api in apis:
            for number in ("5000.0", "0.005000", "0.050000"):
                assert f'ApiId == "{api}", {number}' in criteria["query"]


def test_the_workbook_shows_every_query(planned: Planned) -> None:
    """Well-formed, and made of the files that the other tests read; a query that no part shows is forgotten."""
    template = (TERRAFORM / "modules/monitoring/workbook.json.tftpl").read_text(encoding="utf-8")
    text = re.sub(r"\$\{jsonencode\(queries\[\"([\w-]+)\"\]\)\}", r'"\1"', template).replace("${workspace_id}", "id")
    workbook = json.loads(text)
    parts = [item["content"] for item in workbook["items"] if item["type"] == 3]
    shown = {part["query"] for part in parts}
    assert shown == {path.stem for path in (TERRAFORM / "modules/monitoring/workbook").glob("*.kql")}
    assert {part["resourceType"] for part in parts} == {"microsoft.operationalinsights/workspaces"}
    assert len({item["name"] for item in workbook["items"]}) == len(workbook["items"])


def test_the_page_lists_the_alerts_that_there_are(planned: Planned, request: pytest.FixtureRequest) -> None:
    """Who is woken at night reads what Terraform declares, and not what it once declared."""
    wanted = _table(resources(planned(2, WITH_QUOTA)._raw))
    page = PAGE.read_text(encoding="utf-8")
    if request.config.getoption("--regenerate"):
        PAGE.write_text(TABLE.sub(lambda _: wanted, page), encoding="utf-8")
        return
    found = TABLE.search(page)
    assert found, f"{PAGE.name} has no <!-- alerts --> … <!-- /alerts -->"
    assert found.group() == wanted, "pytest tests/plan/test_monitoring.py --regenerate"


@EVERY_ENVIRONMENT
def test_the_page_is_about_every_environment(planned: Planned, environment: str) -> None:
    """An environment that sets a threshold of its own, or lacks an alert, is not what the page says.

    The commands that alerts name are each environment's own, its resource group too.
    """
    here, there = (_rows(resources(planned(2, name)._raw), name) for name in (environment, WITH_QUOTA))
    has_quota = (
        resources(planned(2, environment)._raw)["module.monitoring.azurerm_log_analytics_workspace.this"][
            "daily_quota_gb"
        ]
        != -1
    )
    assert here == {name: row for name, row in there.items() if name != "log-quota" or has_quota}


def _table(planned: Resources) -> str:
    rows = "".join(f"| `{name}` | {' | '.join(row)} |\n" for name, row in _rows(planned).items())
    return f"| alert | severity | signal | fires | what to do |\n|---|---|---|---|---|\n{rows}"


def _rows(planned: Resources, environment: str = "") -> dict[str, tuple[str, ...]]:
    """Severity, signal, threshold and what to do, by alert; the worst first."""
    rows = {
        **{name: _metric_row(alert) for name, alert in _alerts(planned, METRIC).items()},
        **{name: _log_row(name, alert) for name, alert in _alerts(planned, LOG).items()},
        **{name: _activity_row(alert) for name, alert in _alerts(planned, ACTIVITY).items()},
    }
    own = {f"--env {environment}`": "--env NAME`", r"--resource-group \S+": "--resource-group NAME"}
    for pattern, common in own.items() if environment else ():
        rows = {name: tuple(re.sub(pattern, common, cell) for cell in row) for name, row in rows.items()}
    return dict(sorted(rows.items(), key=lambda row: (row[1][0], row[0])))


def _metric_row(alert: Mapping[str, Any]) -> tuple[str, ...]:
    (criteria,) = alert["criteria"]
    (dimension,) = criteria["dimension"]
    signal = f"metric `{criteria['metric_name']}`, `{dimension['name']}` {', '.join(dimension['values'])}"
    fires = f"> {criteria['threshold']:g} in {alert['window_size']}"
    return str(alert["severity"]), signal, fires, alert["description"]


def _log_row(name: str, alert: Mapping[str, Any]) -> tuple[str, ...]:
    (criteria,) = alert["criteria"]
    signal = f"log {', '.join(f'`{table}`' for table in sorted(Query(name, criteria['query']).tables))}"
    fires = f"{criteria['metric_measure_column'] or 'rows'} > {criteria['threshold']:g} in {alert['window_duration']}"
    return str(alert["severity"]), signal, fires, alert["description"]


def _activity_row(alert: Mapping[str, Any]) -> tuple[str, ...]:
    (criteria,) = alert["criteria"]
    return "–", f"activity log `{criteria['operation_name']}`", "each time", alert["description"]
