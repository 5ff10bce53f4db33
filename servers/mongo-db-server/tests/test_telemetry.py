from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests
from gateway_auth import CALLER, Caller
from mongo_db_server import server
from mongo_db_server import telemetry as telemetry_module
from mongo_db_server.settings import load
from mongo_db_server.telemetry import COMMANDS, CommandRecorder, Telemetry, telemetry_of
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pymongo.monitoring import CommandFailedEvent, CommandSucceededEvent

LINE: dict[str, Any] = {
    **{"event": "call", "caller": "ada", "tier": "reader", "tool": "find", "namespace": "shop.orders.old"},
    **{"outcome": "ok", "duration_ms": 30.0, "request_bytes": None},
}
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NOW = 1_000_000_000_000  # nanoseconds


class Recorded:
    """Telemetry that goes nowhere: what was recorded, as the SDK writes it."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.telemetry = Telemetry(Resource({}), SimpleSpanProcessor(self._exporter), self._reader, clock=lambda: NOW)

    @property
    def spans(self) -> list[dict[str, Any]]:
        """In the order in which they began."""
        found = [json.loads(span.to_json()) for span in self._exporter.get_finished_spans()]
        return sorted(found, key=lambda span: str(span["start_time"]))

    @property
    def metric(self) -> dict[str, Any]:
        data = self._reader.get_metrics_data()
        assert data is not None
        (metric,) = json.loads(data.to_json())["resource_metrics"][0]["scope_metrics"][0]["metrics"]
        return dict(metric)


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@contextmanager
def request(traceparent: str | None = f"00-{TRACE}-{SPAN}-01") -> Iterator[None]:
    """What the gate and `collecting` set around a request."""
    caller = CALLER.set(Caller(traceparent=traceparent, correlation_id="request-1"))
    commands = COMMANDS.set([])
    try:
        yield
    finally:
        COMMANDS.reset(commands)
        CALLER.reset(caller)


def test_a_call_is_a_span_named_by_the_conventions(recorded: Recorded) -> None:
    """It joins the caller's trace, says which tool ran where, and holds the rest of the audit line."""
    with request():
        recorded.telemetry.record(LINE)
    (span,) = recorded.spans
    assert (span["name"], span["kind"], span["status"]) == (
        "tools/call find",
        "SpanKind.SERVER",
        {"status_code": "UNSET"},
    )
    assert (span["context"]["trace_id"], span["parent_id"]) == (f"0x{TRACE}", f"0x{SPAN}")
    assert (span["start_time"], span["end_time"]) == ("1970-01-01T00:16:39.970000Z", "1970-01-01T00:16:40.000000Z")
    assert span["attributes"] == {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "find",
        "db.system.name": "mongodb",
        "db.namespace": "shop",
        "db.collection.name": "orders.old",
        "mongo_db_server.caller": "ada",
        "mongo_db_server.correlation_id": "request-1",
        "mongo_db_server.outcome": "ok",
        "mongo_db_server.tier": "reader",
    }


def test_a_call_that_failed_says_how(recorded: Recorded) -> None:
    """By the outcome of the audit line; a call that only asks for confirmation has not failed."""
    for outcome in ("timeout", "confirmation-required"):
        recorded.telemetry.record(LINE | {"outcome": outcome})
    failed, asked = recorded.spans
    assert (failed["status"]["status_code"], failed["attributes"]["error.type"]) == ("ERROR", "timeout")
    assert (asked["status"]["status_code"], "error.type" in asked["attributes"]) == ("UNSET", False)


def test_commands_to_the_database_are_spans_below_the_calls_own(recorded: Recorded) -> None:
    """Each with its command, its database, its time and its error, and nothing else of it."""
    client, times = {"connection_id": ("127.0.0.1", 1), "operation_id": 1}, timedelta(milliseconds=20)
    with request():
        listener = recorded.telemetry.listener
        listener.succeeded(CommandSucceededEvent(times, {"n": "secret"}, "find", 1, database_name="shop", **client))
        listener.failed(
            CommandFailedEvent(times, {"code": 50, "errmsg": "secret"}, "getMore", 2, database_name="shop", **client)
        )
        recorded.telemetry.record(LINE)
        recorded.telemetry.record(LINE)
        assert COMMANDS.get() == []  # each command belongs to one call
    call, _, found, failed = recorded.spans
    assert {span["parent_id"] for span in (found, failed)} == {call["context"]["span_id"]}
    assert {span["context"]["trace_id"] for span in (found, failed)} == {f"0x{TRACE}"}
    assert (found["name"], failed["name"], found["kind"]) == ("find shop", "getMore shop", "SpanKind.CLIENT")
    assert (found["start_time"], found["end_time"]) == ("1970-01-01T00:16:39.980000Z", "1970-01-01T00:16:40.000000Z")
    assert found["attributes"] == {"db.system.name": "mongodb", "db.operation.name": "find", "db.namespace": "shop"}
    assert (failed["attributes"]["error.type"], failed["status"]["status_code"]) == ("50", "ERROR")
    assert "secret" not in json.dumps(recorded.spans)


def test_commands_of_nobodys_request_are_not_kept() -> None:
    """The driver's own, between requests; and of one request no more than a few dozen."""
    event = CommandSucceededEvent(timedelta(0), {}, "ping", 1, ("127.0.0.1", 1), 1, database_name="admin")
    CommandRecorder().succeeded(event)
    assert COMMANDS.get() is None
    with request():
        for _ in range(100):
            CommandRecorder().succeeded(event)
        assert len(COMMANDS.get() or []) == 64


async def test_each_request_collects_its_own_commands(recorded: Recorded) -> None:
    """A list for each, and none afterwards."""
    lists: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        lists.append(COMMANDS.get())

    collecting: Any = recorded.telemetry.collecting(app)
    for _ in range(2):
        await collecting({}, None, None)
    assert lists == [[], []]
    assert lists[0] is not lists[1]
    assert COMMANDS.get() is None


def test_durations_are_a_histogram_per_tool_and_error(recorded: Recorded) -> None:
    """In seconds, with the outcome of what failed; invented tool names make no series."""
    for change in ({}, {}, {"outcome": "timeout"}, *({"outcome": "unknown-tool", "tool": f"x{n}"} for n in (1, 2))):
        recorded.telemetry.record(LINE | change)
    metric = recorded.metric
    points = {
        (found.get("gen_ai.tool.name"), found.get("error.type")): (point["count"], point["bucket_counts"][2])
        for point in metric["data"]["data_points"]
        if (found := point["attributes"])
    }
    assert (metric["name"], metric["unit"]) == ("mcp.server.operation.duration", "s")
    assert points == {("find", None): (2, 2), ("find", "timeout"): (1, 1), (None, "unknown-tool"): (2, 2)}


@pytest.mark.parametrize("traceparent", [None, "", "x", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{SPAN}", "é" * 100])
def test_a_malformed_trace_starts_a_new_one(traceparent: str | None, recorded: Recorded) -> None:
    """A caller cannot put text of his own into the telemetry."""
    with request(traceparent):
        recorded.telemetry.record(LINE)
    (span,) = recorded.spans
    assert span["parent_id"] is None
    assert int(span["context"]["trace_id"], 16) != int(TRACE, 16)


def test_a_trace_that_is_not_sampled_sends_nothing_but_is_measured(recorded: Recorded) -> None:
    """Whoever began the trace decides (W3C, "Trace Context", sampled flag), unless `OTEL_TRACES_SAMPLER` does."""
    with request(f"00-{TRACE}-{SPAN}-00"):
        recorded.telemetry.record(LINE)
    assert recorded.spans == []
    assert recorded.metric["data"]["data_points"][0]["count"] == 1


class Collector(requests.adapters.BaseAdapter):
    """Takes what the exporters send, instead of a network."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *arguments: Any, **more: Any) -> requests.Response:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        response = requests.Response()
        response.status_code, response.url = 200, str(request.url)
        return response

    def close(self) -> None:
        """Nothing is open."""


def connected_to(collector: Collector) -> requests.Session:
    session = requests.Session()
    session.mount("https://", collector)
    return session


async def test_it_goes_where_the_environment_says(environment: dict[str, str], use_environment: Any) -> None:
    """To the standard paths below the endpoint, batched, under the service's name, with the secret headers."""
    use_environment(
        environment
        | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=dev",
        }
    )
    collector, settings = Collector(), load()
    telemetry = telemetry_of(settings, connected_to(collector))
    for _ in range(3):
        telemetry.record(LINE)
    assert collector.requests == []
    await telemetry.shutdown()
    sent = sorted((request.url, request.headers["api-key"]) for request in collector.requests)
    assert sent == [("https://otel.example/v1/metrics", "a b"), ("https://otel.example/v1/traces", "a b")]
    for request in collector.requests:
        body = request.body
        assert isinstance(body, bytes)
        assert request.headers["content-type"] == "application/x-protobuf"
        assert b"mongodb" in body  # MCP_SERVER_NAME, where there is no OTEL_SERVICE_NAME
        assert b"deployment.environment.name" in body
        assert b"s3cret" not in body
        assert b"a b" not in body
    assert "a b" not in repr(settings)


@pytest.mark.parametrize("kind", ["traces", "metrics"])
async def test_one_kind_alone(kind: str, environment: dict[str, str], use_environment: Any) -> None:
    """An endpoint of one kind sends that kind only, to exactly that address; the service has the given name."""
    use_environment(
        environment
        | {f"OTEL_EXPORTER_OTLP_{kind.upper()}_ENDPOINT": f"https://otel.example/{kind}", "OTEL_SERVICE_NAME": "ours"}
    )
    collector = Collector()
    telemetry = telemetry_of(load(), connected_to(collector))
    telemetry.record(LINE)
    await telemetry.shutdown()
    (request,) = collector.requests
    assert request.url == f"https://otel.example/{kind}"
    assert b"ours" in bytes(request.body or b"")


async def test_a_receiver_that_fails_harms_no_call(
    environment: dict[str, str],
    use_environment: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Calls go on, and stopping ends in spite of it."""
    use_environment(environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example"})
    monkeypatch.setattr(telemetry_module, "SHUTDOWN_SECONDS", 0.2)
    collector = Collector(requests.exceptions.ConnectionError("away"))
    telemetry = telemetry_of(load(), connected_to(collector))
    for _ in range(5_000):
        telemetry.record(LINE)
    started = time.monotonic()
    await telemetry.shutdown()
    assert time.monotonic() - started < 2
    assert collector.requests
    assert any("telemetry was not taken within 0.2 s and is lost" in record.getMessage() for record in caplog.records)


def test_an_endpoint_without_encryption_is_refused(environment: dict[str, str], use_environment: Any) -> None:
    """Telemetry names callers; it crosses a network only encrypted."""
    for name in ("", "_TRACES", "_METRICS"):
        use_environment(environment | {f"OTEL_EXPORTER_OTLP{name}_ENDPOINT": "http://otel.example"})
        with pytest.raises(Exception, match=f"OTEL_EXPORTER_OTLP{name}_ENDPOINT is malformed: must be an https URL"):
            load()


def test_the_sdk_is_not_imported_for_nothing(environment: dict[str, str], use_environment: Any) -> None:
    """It takes longer than a cold start should: only whoever sets an endpoint pays for it."""
    code = (
        "import sys, mongo_db_server.server as s; from mongo_db_server.settings import load; s.http_app(load()); "
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    use_environment(environment)
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_application_listens_to_the_driver(
    environment: dict[str, str], use_environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What connects is told to note its commands where there is telemetry, and not else."""
    given: list[Any] = []
    connect = server.connect

    def noted(settings: Any, listeners: Any = ()) -> Any:
        given.append(listeners)
        return connect(settings, listeners)

    recorded = Recorded().telemetry
    monkeypatch.setattr(server, "connect", noted)
    monkeypatch.setattr(telemetry_module, "telemetry_of", lambda settings: recorded)
    for more in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example"}):
        use_environment(environment | more)
        server.http_app(load())
    assert given == [[], [recorded.listener]]
