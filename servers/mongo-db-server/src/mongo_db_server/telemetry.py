"""OpenTelemetry of every call: a span with one for each command to the database below it, a histogram and a log record,
sent as OTLP/HTTP with JSON.

Names are those of the semantic conventions for MCP and generative AI ("Semantic conventions for Model Context
Protocol", "execute_tool"). Everything comes from the call's audit line, so no value of a caller or of the database can
be in it. Sending happens beside the calls; what a receiver does not take in time is dropped and counted, never waited
for."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from mongo_db_server import __version__
from mongo_db_server.caller import CALLER
from mongo_db_server.telemetry_database import Command

Post = Callable[[str, bytes], Awaitable[None]]

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
_MAX_WAITING = 4_096
# The buckets that the conventions advise for `mcp.server.operation.duration`, in seconds.
_BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_SCOPE = {"name": "mongo_db_server", "version": __version__}
_FINE = frozenset({"ok", "dry-run", "confirmation-required"})
_SERVER_KIND, _CLIENT_KIND, _ERROR_STATUS, _CUMULATIVE, _INFO = 2, 3, 2, 2, 9


@dataclass
class _Histogram:
    count: int = 0
    sum: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))


class Telemetry:
    """`post` sends a body to `/v1/traces`, `/v1/metrics` or `/v1/logs`; `clock` is seconds since the epoch."""

    def __init__(self, service: str, post: Post, clock: Callable[[], float] = time.time) -> None:
        self._resource = {"attributes": _attributes({"service.name": service, "service.version": __version__})}
        self._post = post
        self._clock = clock
        self._started = clock()
        self._spans: deque[dict[str, Any]] = deque(maxlen=_MAX_WAITING)
        self._logs: deque[dict[str, Any]] = deque(maxlen=_MAX_WAITING)
        self._durations: dict[tuple[tuple[str, str], ...], _Histogram] = {}
        self.dropped = 0

    def record(self, line: dict[str, Any]) -> None:
        """Notes one audit line."""
        ended = self._clock()
        seconds = line.get("duration_ms", 0.0) / 1000
        caller = CALLER.get()
        trace, parent, flags = _context(caller.trace)
        span, attributes = secrets.token_hex(8), _of_call(line)
        self._keep(
            {
                **{"traceId": trace, "spanId": span, "flags": flags, "kind": _SERVER_KIND},
                **({"parentSpanId": parent} if parent else {}),
                "name": " ".join(["tools/call", *_tool(line)]),
                "startTimeUnixNano": _nanoseconds(ended - seconds),
                "endTimeUnixNano": _nanoseconds(ended),
                "attributes": _attributes(attributes),
                "status": {} if line["outcome"] in _FINE else {"code": _ERROR_STATUS},
            }
        )
        while caller.commands:
            command = _of_command(caller.commands.pop(0))
            self._keep(command | {"traceId": trace, "parentSpanId": span, "flags": flags})
        logged = {name: value for name, value in line.items() if value is not None}
        self._logs.append(
            {
                **{"traceId": trace, "spanId": span, "severityNumber": _INFO, "severityText": "INFO"},
                "timeUnixNano": _nanoseconds(ended),
                "body": {"stringValue": str(line.get("event", "call"))},
                "attributes": _attributes(logged),
            }
        )
        measured = {name: str(value) for name, value in attributes.items() if not name.startswith("db.")}
        histogram = self._durations.setdefault(tuple(sorted(measured.items())), _Histogram())
        histogram.count += 1
        histogram.sum += seconds
        histogram.buckets[bisect_left(_BOUNDS, seconds)] += 1

    def _keep(self, span: dict[str, Any]) -> None:
        self.dropped += len(self._spans) == _MAX_WAITING
        self._spans.append(span)

    async def run(self) -> None:
        """Sends what there is, now and then, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Sends everything that waits. A receiver that fails loses it."""
        spans, logs = list(self._spans), list(self._logs)
        self._spans.clear()
        self._logs.clear()
        if not spans and not logs:
            return
        await self._send("/v1/traces", "resourceSpans", "scopeSpans", {"spans": spans})
        await self._send("/v1/logs", "resourceLogs", "scopeLogs", {"logRecords": logs})
        await self._send("/v1/metrics", "resourceMetrics", "scopeMetrics", {"metrics": [self._metric()]})

    def _metric(self) -> dict[str, Any]:
        points = [
            {
                "attributes": _attributes(dict(attributes)),
                "startTimeUnixNano": _nanoseconds(self._started),
                "timeUnixNano": _nanoseconds(self._clock()),
                "count": str(found.count),
                "sum": found.sum,
                "bucketCounts": [str(count) for count in found.buckets],
                "explicitBounds": list(_BOUNDS),
            }
            for attributes, found in self._durations.items()
        ]
        data = {"dataPoints": points, "aggregationTemporality": _CUMULATIVE}
        return {"name": "mcp.server.operation.duration", "unit": "s", "histogram": data}

    async def _send(self, path: str, resource: str, scope: str, content: dict[str, Any]) -> None:
        document = {resource: [{"resource": self._resource, scope: [{"scope": _SCOPE, **content}]}]}
        try:
            await self._post(path, json.dumps(document).encode())
        except Exception as error:  # noqa: BLE001 - whatever fails there, no call may suffer for it
            self.dropped += 1
            logger.warning("telemetry was not taken at %s: %s", path, type(error).__name__)


async def end(running: asyncio.Task[None], telemetry: Telemetry) -> None:
    """Stops the sending, after a last time."""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await telemetry.flush()


def _tool(line: dict[str, Any]) -> list[str]:
    """The tool's name; an unknown one is the caller's invention and would make ever new series."""
    return [] if line["outcome"] == "unknown-tool" else [line["tool"]]


def _of_call(line: dict[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = {"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool"}
    for name in _tool(line):
        attributes["gen_ai.tool.name"] = name
    database, _, collection = (line.get("namespace") or "").partition(".")
    if database:
        attributes |= {"db.system.name": "mongodb", "db.namespace": database}
    if collection:
        attributes["db.collection.name"] = collection
    if line["outcome"] not in _FINE:
        attributes["error.type"] = line["outcome"]
    return attributes


def _of_command(command: Command) -> dict[str, Any]:
    error = {"error.type": command.error} if command.error else {}
    return {
        "spanId": secrets.token_hex(8),
        "kind": _CLIENT_KIND,
        "name": f"{command.name} {command.database}",
        "startTimeUnixNano": _nanoseconds(command.ended - command.seconds),
        "endTimeUnixNano": _nanoseconds(command.ended),
        "attributes": _attributes(
            {"db.system.name": "mongodb", "db.operation.name": command.name, "db.namespace": command.database} | error
        ),
        "status": {"code": _ERROR_STATUS} if command.error else {},
    }


def _context(traceparent: str | None) -> tuple[str, str | None, int]:
    """Trace id, parent span and flags (W3C, "Trace Context"); a new trace when none was given."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return (found[1], found[2], int(found[3], 16)) if found else (secrets.token_hex(16), None, 1)


def _nanoseconds(seconds: float) -> str:
    return str(int(seconds * 1_000_000_000))


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}
