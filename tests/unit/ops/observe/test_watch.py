"""`invoke watch`: calls from the gateway's ring or from Log Analytics, as lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators.apim.tracing_client import Follower, TracesUnavailable
from ops.azure import az
from ops.clients import outputs
from ops.errors import NotDeployedError, UsageError
from ops.observe import watch
from tests.unit.ops.checks.test_status import PLATFORM
from tests.unit.ops.conftest import Make

WORKBOOK = Path(__file__).parents[4] / "terraform" / "modules" / "monitoring" / "workbook"
REQUEST: dict[str, Any] = {
    "id": "id-1",
    "time": "2026-11-23T10:00:00.000+00:00",
    "method": "POST",
    "path": "/mongodb/mcp",
    "api": "mcp-mongodb",
    "rpc": "tools/call",
    "tool": "find",
    "caller": "oid",
    "tier": "reader",
    "status": 200,
    "milliseconds": 12.34,
    "refusal": "",
}
ROW: dict[str, Any] = {
    "CorrelationId": "id-1",
    "TimeGenerated": "2026-11-23T10:00:00.1234567Z",
    "ApiId": "mcp-mongodb",
    "Method": "POST",
    "ResponseCode": "200",
    "TotalTime": "12.5",
    "LastErrorSource": "",
    "LastErrorReason": "",
    "Caller": "oid",
    "Tier": "reader",
    "Tool": "find",
    "Outcome": "ok",
}


@pytest.fixture
def until(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[float]]:
    """Ends the watching, as Ctrl-C does, after so many pauses; their lengths."""

    def end_after(most: int) -> list[float]:
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == most:
                raise KeyboardInterrupt

        monkeypatch.setattr("ops.observe.watch.time.sleep", sleep)
        return pauses

    return end_after


def ring(monkeypatch: pytest.MonkeyPatch, *batches: Any) -> None:
    waiting: Iterator[Any] = iter(batches)

    def more(self: Follower) -> Any:
        found = next(waiting)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(Follower, "more", more)


def test_one_line_per_call_and_a_clean_end(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], until: Any
) -> None:
    """Without a terminal; Ctrl-C is no error."""
    refused = {**REQUEST, "api": "mcp-notes", "status": 403, "tier": "", "refusal": "no role"}
    metadata = {**REQUEST, "path": "/.well-known/x", "api": "metadata", "tier": "", "rpc": "", "tool": ""}
    ring(monkeypatch, [REQUEST], [refused, metadata])
    until(2)
    watch.print_calls(make())
    first, second, third = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 200 +12\.3ms mongodb +reader +oid +find", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d 403 +12\.3ms notes +- +oid +find no role", second)
    assert re.fullmatch(r"\d\d:\d\d:\d\d 200 +12\.3ms - +- +oid +POST /\.well-known/x", third)


def test_json_lines(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], until: Any
) -> None:
    ring(monkeypatch, [REQUEST])
    until(1)
    watch.print_calls(make(), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert {name: found[name] for name in ("id", "server", "caller", "tier", "call", "status", "refusal")} == {
        "id": "id-1",
        "server": "mongodb",
        "caller": "oid",
        "tier": "reader",
        "call": "find",
        "status": 200,
        "refusal": "",
    }


def test_a_gateway_that_restarts_is_waited_for(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], until: Any
) -> None:
    ring(monkeypatch, [], TracesUnavailable("restarting"), [REQUEST])
    until(3)
    watch.print_calls(make(), as_json=True)
    assert json.loads(capsys.readouterr().out)["id"] == "id-1"


def test_a_gateway_without_traces_is_an_error_at_once(make: Make) -> None:
    environment = make()
    outputs.save(PLATFORM, environment.home)
    with pytest.raises(TracesUnavailable, match="TRACE=1"):
        watch.print_calls(environment)


def test_on_a_terminal_the_latest_calls_are_a_table() -> None:
    calls = [watch._from_ring(REQUEST, {"oid": "Rae Reader"})]
    made = watch._table("local", calls, 1, 0)
    assert made.title == "local: 1 calls, 0 refused; Ctrl-C ends"
    assert made.row_count == 1
    cells = {str(column.header): "".join(map(str, column.cells)) for column in made.columns}
    assert {name: cells[name] for name in ("server", "tier", "caller", "call")} == {
        "server": "mongodb",
        "tier": "reader",
        "caller": "Rae Reader",
        "call": "find",
    }


def test_a_deployed_environment_is_asked_in_its_workspace(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], until: Any
) -> None:
    """What the log tells twice, because the questions overlap, is shown once."""
    asked: list[tuple[str, ...]] = []

    def run(*arguments: str) -> Any:
        asked.append(arguments)
        return {"customerId": "w-1"} if "show" in arguments else [ROW]

    monkeypatch.setattr(az, "run", run)
    environment = make("dev")
    monkeypatch.setitem(environment.variables, "name", "mcp-dev")  # type: ignore[arg-type]
    pauses = until(2)
    watch.print_calls(environment, as_json=True)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    seen = [(call["id"], call["server"], call["call"], call["milliseconds"]) for call in found]
    assert seen == [("id-1", "mongodb", "find", 12.5)]
    assert found[0]["time"].startswith("2026-11-23T10:00:00.123456")
    assert "log-mcp-dev" in asked[0]
    assert asked[1][:5] == ("monitor", "log-analytics", "query", "--workspace", "w-1")
    assert min(pauses) >= 15


def test_an_environment_without_a_name_has_no_known_workspace(make: Make) -> None:
    with pytest.raises(UsageError, match="sets no name"):
        watch.print_calls(make("dev"))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, ""),
        ({"ResponseCode": "429", "LastErrorSource": "rate-limit-by-key", "LastErrorReason": "RateLimitExceeded"},
         "rate-limit-by-key: RateLimitExceeded"),
        ({"ResponseCode": "403", "Outcome": None}, "refused with 403"),
        ({"Outcome": "database-error"}, "database-error"),
        ({"Outcome": "confirmation-required"}, ""),
    ],
)  # fmt: skip
def test_why_a_call_did_not_end_well(changes: dict[str, Any], refusal: str) -> None:
    assert watch.from_log({**ROW, **changes})["refusal"] == refusal


def test_the_query_reads_the_columns_that_the_workbook_reads() -> None:
    """One truth about the logs' shapes: what is checked for the workbook holds here."""
    workbook = "\n".join(path.read_text(encoding="utf-8") for path in WORKBOOK.glob("*.kql"))
    query = watch.QUERY.format(seconds=900, log="ContainerInstanceLog")
    columns = set(re.findall(r"\b[A-Z][A-Za-z]+(?:_CL)?\b", query)) - {"CorrelationId1"}
    assert {"ContainerInstanceLog", "LastErrorReason", "ResponseCode", "Tier"} <= columns
    assert [name for name in sorted(columns) if not re.search(rf"\b{name}\b", workbook)] == []
    fields = set(re.findall(r"Call\.(\w+)", query))
    assert fields <= set(re.findall(r"Call\.(\w+)", workbook))


def test_nothing_deployed_is_said_as_elsewhere(make: Make) -> None:
    """Another setting of the gateway is no remedy where there is no gateway."""
    with pytest.raises(NotDeployedError, match="local is not deployed; run `invoke deploy`"):
        watch.print_calls(make())
