"""Who is calling, as the gateway says. Set per request by the gate, read by tools and the audit line."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """`subject` is the caller's object id, `client` the client id of the application (`X-Mcp-*` headers);
    `correlation_id` is the gateway's name for the request (`X-Correlation-Id`)."""

    subject: str | None = None
    client: str | None = None
    request_bytes: int | None = None
    correlation_id: str | None = None
    trace: str | None = None  # W3C `traceparent` of the request
    # What the request asked of the database so far; see telemetry_database.
    commands: list[Any] | None = field(default=None, compare=False)


NOBODY = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=NOBODY)
