"""`invoke trace`: what a person reads of a trace; the gateway is replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulators.apim import tracing_client
from emulators.apim.tracing_client import Follower, TracesUnavailable
from emulators.base.files import write_json
from ops.clients import outputs
from ops.errors import NotDeployedError, OpsError, UsageError
from ops.observe import policy_trace
from tests.support import gateway_traces
from tests.support.gateway_traces import ID
from tests.unit.ops.checks.test_status import PLATFORM
from tests.unit.ops.conftest import Make

SUMMARY: dict[str, Any] = gateway_traces.SUMMARY | {
    **{"tier": "", "backend": "", "traceparent": ""},
    **{"status": 403, "milliseconds": 1.25, "refusal": "no role"},
}
INCLUDED = {"element": "include-fragment", "attributes": {"fragment-id": "mcp-caller"}, "milliseconds": 0.5}
CHOSEN = {
    **{"depth": 1, "fragment": "mcp-caller", "milliseconds": 0.25},
    "changes": [["tier", "", "reader"], ["x", "1", "2"], ["gone", "y", ""]],
    "conditions": [["when[1]", "@(a\n == b)", "true"]],
    "notes": ["branch: when[1]"],
    "error": "answered 403: no other policy runs",
}
ENTRIES: list[dict[str, Any]] = [
    gateway_traces.ENTRY | {"changes": [], "conditions": [], "notes": []} | INCLUDED,
    gateway_traces.ENTRY | CHOSEN,
]
TRACE: dict[str, Any] = {"summary": SUMMARY, "entries": ENTRIES, "dropped": 3, "request": {}}


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing_client, "find", lambda home, id_: TRACE if id_ == ID else None)
    monkeypatch.setattr(tracing_client, "recent", lambda home: [SUMMARY])


def test_a_trace_is_read_from_top_to_bottom() -> None:
    """Section, element, where it stands, time; then condition, branch, differences and how it ended."""
    text = "\n".join(line.plain for line in policy_trace.lines(TRACE))
    wanted = [
        "find  403  1.2 ms",
        "refused      no role",
        "Inbound",
        "include-fragment mcp-caller",
        "500 µs",
        "choose",
        "when[1] true: @(a == b)",
        "branch: when[1]",
        "tier: reader",
        "x: 1 → 2",
        "gone: y (removed)",
        "answered 403",
        "3 more elements",
    ]
    positions = [text.index(one) for one in wanted]
    assert positions == sorted(positions)


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("given", [ID, ID.upper(), "11111111", f" {ID} "])
def test_a_request_is_found_by_id_or_its_beginning(given: str, make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    policy_trace.print_trace(make(), given, as_json=True)
    assert json.loads(capsys.readouterr().out) == TRACE


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("given", ["22222222", "111"])
def test_an_unknown_request_is_refused_with_what_to_do(given: str, make: Make) -> None:
    with pytest.raises(OpsError, match=f"holds no request '{given}'.*`invoke trace`"):
        policy_trace.print_trace(make(), given)


@pytest.mark.usefixtures("gateway")
def test_without_an_id_recent_requests_are_listed(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    policy_trace.print_trace(make())
    said = capsys.readouterr().err
    assert all(word in said for word in (ID, "mongodb", "find", "403", "no role"))
    policy_trace.print_trace(make(), as_json=True)
    assert json.loads(capsys.readouterr().out)["requests"][0]["id"] == ID


def test_a_deployed_environment_has_its_own_traces(make: Make) -> None:
    with pytest.raises(UsageError, match="API Management's own"):
        policy_trace.print_trace(make("dev"))


def test_a_gateway_without_traces_says_how_to_have_them(make: Make) -> None:
    environment = make()
    outputs.save(PLATFORM, environment.home)
    with pytest.raises(TracesUnavailable, match="TRACE=1"):
        policy_trace.print_trace(environment)
    write_json(environment.home / "run" / "trace.json", {})
    with pytest.raises(TracesUnavailable, match="TRACE=1"):
        policy_trace.print_trace(environment)


@pytest.mark.parametrize("content", [b"\xff", b"[]", b'{"port": "x"}', b'{"port": 1}', b""])
def test_a_damaged_file_of_the_gateway_s_is_named(make: Make, content: bytes) -> None:
    """The file, what it lacks, and how to have it written anew: not that there are no traces."""
    path = make().home / "run" / "trace.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(TracesUnavailable, match=r"run/trace\.json is damaged: it names no port and key.*TRACE=0"):
        policy_trace.print_trace(make())


def test_a_reader_begins_anew_where_the_gateway_did(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers begin at 1 again after a restart: nothing may be left out because of it."""
    answers = iter(
        [
            {"requests": [{"n": 2}, {"n": 1}], "latest": 2},
            {"requests": [], "latest": 1},
            {"requests": [{"n": 1}], "latest": 1},
            {"requests": [], "latest": 1},
        ]
    )
    monkeypatch.setattr(tracing_client, "_ask", lambda home, question: next(answers))
    follower = Follower(make().home)
    assert [follower.more() for _ in range(3)] == [[{"n": 1}, {"n": 2}], [{"n": 1}], []]


def test_nothing_deployed_is_said_as_elsewhere(make: Make) -> None:
    """Another setting of the gateway is no remedy where there is no gateway."""
    with pytest.raises(NotDeployedError, match="local is not deployed; run `invoke deploy`"):
        policy_trace.print_trace(make())
