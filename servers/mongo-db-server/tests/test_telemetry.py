from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from mongo_db_server.caller import CALLER, Caller
from mongo_db_server.server import telemetry_of
from mongo_db_server.settings import load
from mongo_db_server.telemetry import Telemetry
from mongo_db_server.telemetry_database import Commands
from pymongo.monitoring import CommandFailedEvent, CommandSucceededEvent

LINE: dict[str, Any] = {
    **{"event": "call", "caller": "ada", "tier": "reader", "tool": "find", "namespace": "shop.orders.old"},
    **{"outcome": "ok", "duration_ms": 30.0, "request_bytes": None},
}
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def sent(*lines: dict[str, Any]) -> dict[str, Any]:
    """What goes to each path for the lines."""
    bodies: dict[str, Any] = {}

    async def post(path: str, body: bytes) -> None:
        bodies[path] = json.loads(body)

    telemetry = Telemetry("mongodb", post, clock=lambda: 1000.0)
    for line in lines:
        telemetry.record(line)
    await telemetry.flush()
    return bodies


def values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["key"]: next(iter(item["value"].values())) for item in attributes}


async def test_a_call_is_a_span_named_by_the_conventions() -> None:
    """It joins the caller's trace and says which tool ran where."""
    reset = CALLER.set(Caller(trace=f"00-{TRACE}-{SPAN}-01"))
    try:
        bodies = await sent(LINE)
    finally:
        CALLER.reset(reset)
    (span,) = bodies["/v1/traces"]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (span["traceId"], span["parentSpanId"], span["name"]) == (TRACE, SPAN, "tools/call find")
    assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == 30_000_000
    assert values(span["attributes"]) == {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "find",
        "db.system.name": "mongodb",
        "db.namespace": "shop",
        "db.collection.name": "orders.old",
    }


async def test_commands_to_the_database_are_spans_below_the_calls_own() -> None:
    """Each with its command, its database, its time and its error, and nothing else of it."""
    reset = CALLER.set(Caller(trace=f"00-{TRACE}-{SPAN}-01", commands=[]))
    client, times = {"connection_id": ("127.0.0.1", 1), "operation_id": 1}, timedelta(milliseconds=20)
    try:
        listener = Commands(clock=lambda: 999.99)
        listener.succeeded(CommandSucceededEvent(times, {"n": "secret"}, "find", 1, database_name="shop", **client))
        listener.failed(CommandFailedEvent(times, {"code": 50}, "getMore", 2, database_name="shop", **client))
        bodies = await sent(LINE)
    finally:
        CALLER.reset(reset)
    call, found, failed = bodies["/v1/traces"]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert {(span["traceId"], span["parentSpanId"]) for span in (found, failed)} == {(TRACE, call["spanId"])}
    assert (found["name"], failed["name"]) == ("find shop", "getMore shop")
    assert int(found["endTimeUnixNano"]) - int(found["startTimeUnixNano"]) == pytest.approx(20_000_000, abs=1000)
    assert values(found["attributes"]) == {
        "db.system.name": "mongodb",
        "db.operation.name": "find",
        "db.namespace": "shop",
    }
    assert values(failed["attributes"])["error.type"] == "50"
    assert "secret" not in json.dumps(bodies)


def test_commands_of_nobodys_request_are_not_kept() -> None:
    """The driver's own, between requests."""
    event = CommandSucceededEvent(timedelta(0), {}, "ping", 1, ("127.0.0.1", 1), 1, database_name="admin")
    Commands().succeeded(event)
    assert CALLER.get().commands is None


async def test_durations_are_a_histogram_per_tool_and_error() -> None:
    """In seconds, with the outcome of what failed; invented tool names make no series."""
    lines = [LINE, LINE | {"outcome": "timeout"}, LINE | {"outcome": "unknown-tool", "tool": "x1"}]
    bodies = await sent(LINE, *lines, LINE | {"outcome": "unknown-tool", "tool": "x2"})
    (metric,) = bodies["/v1/metrics"]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    points = {
        (found.get("gen_ai.tool.name"), found.get("error.type")): (point["count"], point["bucketCounts"][2])
        for point in metric["histogram"]["dataPoints"]
        if (found := values(point["attributes"]))
    }
    assert (metric["name"], metric["unit"]) == ("mcp.server.operation.duration", "s")
    assert points == {("find", None): ("2", "2"), ("find", "timeout"): ("1", "1"), (None, "unknown-tool"): ("2", "2")}


async def test_the_audit_line_is_a_log_record_of_the_span() -> None:
    """Logs and traces find each other."""
    bodies = await sent(LINE)
    (record,) = bodies["/v1/logs"]["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    (span,) = bodies["/v1/traces"]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (record["traceId"], record["spanId"]) == (span["traceId"], span["spanId"])
    assert values(record["attributes"])["caller"] == "ada"


@pytest.mark.parametrize("trace", ["", "x", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{SPAN}"])
async def test_a_malformed_trace_starts_a_new_one(trace: str) -> None:
    """A caller cannot put text of his own into the telemetry."""
    reset = CALLER.set(Caller(trace=trace))
    try:
        bodies = await sent(LINE)
    finally:
        CALLER.reset(reset)
    (span,) = bodies["/v1/traces"]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert "parentSpanId" not in span
    assert len(span["traceId"]) == 32


async def test_a_receiver_that_fails_harms_no_call() -> None:
    """What is not taken is dropped and counted, and memory stays bounded."""

    async def post(path: str, body: bytes) -> None:
        raise OSError("away")

    telemetry = Telemetry("mongodb", post)
    for _ in range(5000):
        telemetry.record(LINE)
    await telemetry.flush()
    assert telemetry.dropped == 5000 - 4096 + 3


async def test_it_goes_where_the_settings_say(environment: dict[str, str], use_environment: Any) -> None:
    """To the standard paths below the endpoint, with the secret headers; nowhere when no endpoint is set."""
    seen: list[tuple[str, str]] = []

    def receive(request: httpx2.Request) -> httpx2.Response:
        seen.append((str(request.url), request.headers["api-key"]))
        return httpx2.Response(200)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(receive)) as http:
        use_environment(environment)
        assert telemetry_of(load(), http) is None
        otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b"}
        use_environment(environment | otlp)
        telemetry = telemetry_of(load(), http)
        assert telemetry is not None
        telemetry.record(LINE)
        await telemetry.flush()
    assert seen == [(f"https://otel.example/v1/{kind}", "a b") for kind in ("traces", "logs", "metrics")]
    assert "a b" not in repr(load())
