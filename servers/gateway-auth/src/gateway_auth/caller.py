"""Who is calling, as the gateway says. Set for each request by the gate."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Refusal:
    """Whether an API refused the caller's token during this request; the gate then tells the gateway to forget it."""

    said: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """`subject` is the caller's object id (`X-Mcp-Caller`), `client` the client id of the application (`X-Mcp-Client`),
    `request_bytes` the size of the body, `correlation_id` the gateway's name for the request (`X-Correlation-Id`),
    `traceparent` the W3C trace context of the request, as it was sent, `downstream_token` the caller's own token for
    the API of `downstream.scope`, where the entry has `identity = "caller"` (`X-Mcp-Downstream-Token`): for this call,
    and for that API alone. It is in no representation, so that it is in no log. A server that this API answers with
    401 sets `refusal.said`, before its own answer begins: the next call then brings a new token."""

    subject: str | None = None
    client: str | None = None
    request_bytes: int | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    downstream_token: str | None = field(default=None, repr=False)
    refusal: Refusal = field(default_factory=Refusal, repr=False, compare=False)


NOBODY = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=NOBODY)
