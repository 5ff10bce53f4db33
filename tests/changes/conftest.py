from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.changes import as_pipeline, summary
from tests.changes.as_pipeline import Pipelines
from tests.changes.running import Running
from tests.changes.summary import Told
from tests.plan import change
from tests.plan.bench import Bench
from tests.plan.conftest import own_bench

__all__ = ["own_bench"]


def pytest_addoption(parser: pytest.Parser) -> None:
    with contextlib.suppress(ValueError):  # tests/plan, if it runs as well, has it
        parser.addoption("--regenerate", action="store_true", help="write what is planned now into tests/plan/changes")


@pytest.fixture(scope="module")
def pipelines(own_bench: Bench) -> Pipelines:
    """Whoever bootstrap could have prepared: each operation of every apply is asked of all of them."""
    return as_pipeline.attached(own_bench.cloud)


@pytest.fixture(scope="module")
def applied(own_bench: Bench, pipelines: Pipelines) -> Bench:
    """Production, applied."""
    for stage in (1, 2):
        change.apply(own_bench, stage, change.on_prod(own_bench))
    assert pipelines.take_refused() == {}
    return own_bench


@pytest.fixture(scope="module")
def running(applied: Bench, pipelines: Pipelines) -> Running:
    return Running(applied, pipelines, change.Snapshot(applied))


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    """What the test says here is in the table at the session's end, and in results/changes-summary.md."""
    made = Told(request.node.name)
    request.node.user_properties.append((summary.PROPERTY, vars(made)))
    return made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One table over both files, whichever process ran them."""
    told = list(_told(terminalreporter))
    if not told:
        return
    terminalreporter.section("changes")
    for line in summary.table(told):
        terminalreporter.write_line(line)
    for one in told:
        if one.outcome == "failed":
            terminalreporter.write_line(f"failed: {one.name}")
    page = terminalreporter.config.rootpath / "results" / "changes-summary.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(summary.page(told), encoding="utf-8")


def _told(terminalreporter: pytest.TerminalReporter) -> Iterator[Told]:
    reports = [one for key in ("passed", "failed", "error") for one in terminalreporter.getreports(key)]
    for report in reports:
        for name, value in report.user_properties:
            if name == summary.PROPERTY and (report.when == "call" or report.failed):
                yield Told(**{**value, "outcome": "failed" if report.failed else value["outcome"]})
