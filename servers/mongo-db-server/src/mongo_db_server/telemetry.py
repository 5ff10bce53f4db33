"""OpenTelemetry: each call is a span, with one below it for each command to the database, and a value of a histogram.

Imported only where an OTLP endpoint is set, because the SDK takes its time. Names are those of the semantic conventions
for MCP, generative AI and database clients ("Semantic conventions for Model Context Protocol", "execute_tool",
"Semantic conventions for database client calls"). Everything comes from the call's audit line and from the driver's
account of its commands, so that no value of a caller or of the database can be in it, and no secret.

The SDK batches, sends beside the calls (OTLP over HTTP with protobuf) and drops what a receiver does not take in time.
Its providers are this module's own and not the process's: FastMCP and the MCP SDK would add spans of their own to them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway_auth import CALLER
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from mongo_db_server import __version__

if TYPE_CHECKING:
    import requests
    from gateway_auth.asgi import ASGIApp, Receive, Scope, Send
    from opentelemetry.context import Context

    from mongo_db_server.settings import Settings

logger = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 3.0  # after the 25 s that running calls may take, and within the 30 s before a container is killed

_SCOPE = "mongo_db_server"
_MAX_COMMANDS = 64  # of one call; an export may ask for any number of batches
# The buckets that the conventions advise for `mcp.server.operation.duration`, in seconds.
_BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_SUCCESSES = frozenset({"ok", "dry-run", "confirmation-required"})
# What the span says by its name, its times or a conventional attribute.
_SAID_ELSEWHERE = frozenset({"event", "tool", "namespace", "duration_ms"})
_PROPAGATOR = TraceContextTextMapPropagator()

Attributes = dict[str, str | bool | int | float]


@dataclass(frozen=True, slots=True)
class Command:
    """`ended` (since the epoch) and `took` are in nanoseconds; `error` is MongoDB's name of what went wrong."""

    name: str
    database: str
    ended: int
    took: int
    error: str | None


# What the present request has asked of the database so far; None outside a request.
COMMANDS: ContextVar[list[Command] | None] = ContextVar("commands", default=None)


class CommandRecorder(CommandListener):
    """Notes each command with the request that it is made for: the driver calls its listeners in the request's own
    context. Of a command only its name and its database are kept: never a filter, a document or another value."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing: the event at the end has all of it, and the duration."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._note(event, None)

    def failed(self, event: CommandFailedEvent) -> None:
        self._note(event, str(event.failure.get("codeName") or event.failure.get("code") or "error"))

    def _note(self, event: CommandSucceededEvent | CommandFailedEvent, error: str | None) -> None:
        commands = COMMANDS.get()
        if commands is not None and len(commands) < _MAX_COMMANDS:
            took = event.duration_micros * 1_000
            commands.append(Command(event.command_name, event.database_name, self._clock(), took, error))


class Telemetry:
    """Turns audit lines into spans and measurements. Whatever is None is not made; `clock` is nanoseconds since the
    epoch."""

    def __init__(
        self,
        resource: Resource,
        spans: SpanProcessor | None,
        metrics: MetricReader | None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clock = clock
        self.listener = CommandRecorder(clock)
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        if spans is not None:
            self._traces.add_span_processor(spans)
        self._metrics = MeterProvider(
            [metrics] if metrics is not None else [], resource=resource, shutdown_on_exit=False
        )
        self._tracer = self._traces.get_tracer(_SCOPE, __version__)
        self._durations = self._metrics.get_meter(_SCOPE, __version__).create_histogram(
            "mcp.server.operation.duration",
            unit="s",
            description="Duration of the MCP request or notification as observed on the receiver.",
            explicit_bucket_boundaries_advisory=_BOUNDS,
        )

    def collecting(self, app: ASGIApp) -> ASGIApp:
        """`app`, each request of which has a list of its own for the database commands that are made for it."""

        async def collecting(scope: Scope, receive: Receive, send: Send) -> None:
            reset = COMMANDS.set([])
            try:
                await app(scope, receive, send)
            finally:
                COMMANDS.reset(reset)

        return collecting

    def record(self, line: dict[str, Any]) -> None:
        """Record one audit line, and the commands of its request that no line has taken yet."""
        ended = self._clock()
        took = int(line.get("duration_ms", 0.0) * 1_000_000)
        described = _conventional(line)
        failed = line["outcome"] not in _SUCCESSES
        span = self._tracer.start_span(
            " ".join(["tools/call", *_tool(line)]),
            _parent(CALLER.get().traceparent),
            SpanKind.SERVER,
            described | _own(line),
            start_time=ended - took,
        )
        here = set_span_in_context(span)
        commands = COMMANDS.get()
        while commands:
            self._record_command(commands.pop(0), here)
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)
        measured = {name: value for name, value in described.items() if not name.startswith("db.")}
        self._durations.record(took / 1_000_000_000, measured, here)

    def _record_command(self, command: Command, parent: Context) -> None:
        span = self._tracer.start_span(
            f"{command.name} {command.database}",
            parent,
            SpanKind.CLIENT,
            {
                "db.system.name": "mongodb",
                "db.operation.name": command.name,
                "db.namespace": command.database,
                **({"error.type": command.error} if command.error else {}),
            },
            start_time=command.ended - command.took,
        )
        if command.error:
            span.set_status(Status(StatusCode.ERROR))
        span.end(command.ended)

    async def shutdown(self) -> None:
        """Send what is left, within SHUTDOWN_SECONDS: a receiver that does not answer must not hold up the end."""
        await asyncio.gather(_within_limit(self._traces.shutdown), _within_limit(self._metrics.shutdown))


async def _within_limit(work: Callable[[], object]) -> None:
    """Run blocking work, and leave it to its fate when it takes too long: the SDK's own limits add up to 40 s. A daemon
    thread, because the end of the process waits for every other."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # the loop may be closed by then
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="telemetry-shutdown", daemon=True).start()
    try:
        async with asyncio.timeout(SHUTDOWN_SECONDS):
            await done.wait()
    except TimeoutError:
        logger.warning("telemetry was not taken within %g s and is lost", SHUTDOWN_SECONDS)


def telemetry_of(settings: Settings, session: requests.Session | None = None) -> Telemetry:
    """Sends to the endpoints that the settings name; everything else the SDK reads from `OTEL_*` itself.

    `session` replaces the exporters' connections.
    """
    everything = settings.otel_exporter_otlp_endpoint
    traces = metrics = None
    if everything or settings.otel_exporter_otlp_traces_endpoint:
        traces = BatchSpanProcessor(OTLPSpanExporter(session=session))
    if everything or settings.otel_exporter_otlp_metrics_endpoint:
        metrics = PeriodicExportingMetricReader(OTLPMetricExporter(session=session))
    named = Resource.create({"service.name": settings.mcp_server_name, "service.version": __version__})
    return Telemetry(named.merge(OTELResourceDetector().detect()), traces, metrics)


def _parent(traceparent: str | None) -> Context:
    """The caller's trace (W3C, "Trace Context"); a context without any where it is missing or malformed."""
    return _PROPAGATOR.extract({} if traceparent is None else {"traceparent": traceparent})


def _tool(line: dict[str, Any]) -> list[str]:
    """The tool's name; an unknown one is the caller's invention and would make ever new series."""
    return [] if line["outcome"] == "unknown-tool" else [line["tool"]]


def _conventional(line: dict[str, Any]) -> Attributes:
    attributes: Attributes = {"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool"}
    for name in _tool(line):
        attributes["gen_ai.tool.name"] = name
    database, _, collection = (line.get("namespace") or "").partition(".")
    if database:
        attributes |= {"db.system.name": "mongodb", "db.namespace": database}
    if collection:
        attributes["db.collection.name"] = collection
    if line["outcome"] not in _SUCCESSES:
        attributes["error.type"] = line["outcome"]
    return attributes


def _own(line: dict[str, Any]) -> Attributes:
    """The rest of the audit line, by its own names below `mongo_db_server`; and the id that the gateway's log has."""
    more = {"correlation_id": CALLER.get().correlation_id, **line}
    return {
        f"{_SCOPE}.{name}": value for name, value in more.items() if value is not None and name not in _SAID_ELSEWHERE
    }
