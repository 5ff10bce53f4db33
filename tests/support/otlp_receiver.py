"""Takes OpenTelemetry over HTTP with JSON, as a collector does, and keeps the spans."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class Receiver:
    """A context, on a free port of this machine. `spans`: as they came, each with its `service`."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        arrived = self._arrived = threading.Condition()
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with arrived:
                    spans.extend(_spans(document))
                    arrived.notify_all()
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

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

    def trace(self, trace_id: str, seconds: float = 30.0) -> list[dict[str, Any]]:
        """The spans of one trace, once there are any; empty where none came in time."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while not (found := [span for span in self.spans if span["traceId"] == trace_id]):
                if not self._arrived.wait(deadline - time.monotonic()):
                    break
        return found


def _spans(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**span, "service": _value(resource["resource"]["attributes"], "service.name")}
        for resource in document.get("resourceSpans", [])
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def _value(attributes: list[dict[str, Any]], name: str) -> str:
    return next(str(item["value"]["stringValue"]) for item in attributes if item["key"] == name)
