"""Takes OpenTelemetry over HTTP with protobuf (OTLP), as a collector does, and keeps the spans."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Span:
    """One span: ids in hexadecimal, `parent` empty at the root, times in nanoseconds since the epoch."""

    service: str
    trace: str
    id: str
    parent: str
    name: str
    start: int
    end: int
    attributes: dict[str, Any]


class Receiver:
    """A context, on a free port of this machine. `spans` and `metrics` (their names): as they came."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.metrics: list[str] = []
        self._arrived = threading.Condition()
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                known = self.headers["content-type"] == PROTOBUF and take(self.path, body)
                self.send_response(200 if known else 415)
                self.send_header("content-type", PROTOBUF)
                self.send_header("content-length", "0")  # an empty answer: everything was taken
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def trace(self, trace_id: str, seconds: float = 30.0) -> list[Span]:
        """The spans of one trace, once there are any; empty where none came in time."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while not (found := [span for span in self.spans if span.trace == trace_id]):
                if not self._arrived.wait(deadline - time.monotonic()):
                    break
        return found

    def _take(self, path: str, body: bytes) -> bool:
        """Whether the path is one of a collector."""
        with self._arrived:
            if path == "/v1/traces":
                self.spans.extend(_spans(ExportTraceServiceRequest.FromString(body)))
            elif path == "/v1/metrics":
                self.metrics.extend(_metrics(ExportMetricsServiceRequest.FromString(body)))
            else:
                return False
            self._arrived.notify_all()
        return True


def _spans(request: Any) -> Iterator[Span]:
    for resource in request.resource_spans:
        service = _attributes(resource.resource.attributes)["service.name"]
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            yield Span(
                service,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                span.name,
                span.start_time_unix_nano,
                span.end_time_unix_nano,
                _attributes(span.attributes),
            )


def _metrics(request: Any) -> Iterator[str]:
    for resource in request.resource_metrics:
        yield from (metric.name for scope in resource.scope_metrics for metric in scope.metrics)


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
