"""Which headers cross the gateway."""

from __future__ import annotations

from twin.gateway.messages import Context, ManyValues

#: RFC 9110, section 7.6.1, and what the gateway writes itself.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_REQUEST_OWN = HOP_BY_HOP | {"host", "content-length", "expect"}
#: The server stamps every response with its own Date.
_RESPONSE_ALWAYS = HOP_BY_HOP | {"date"}
_RESPONSE_OWN = _RESPONSE_ALWAYS | {"content-length"}


def _named_in_connection(headers: ManyValues) -> frozenset[str]:
    listed = headers.joined("Connection", "")
    return frozenset(name.strip().lower() for name in listed.split(",")) if listed else frozenset()


def end_to_end(headers: ManyValues) -> list[tuple[str, str]]:
    """Request headers for a backend: no hop-by-hop ones, nor those that Connection names."""
    dropped = _REQUEST_OWN | _named_in_connection(headers)
    return [(name, value) for name, value in headers.pairs() if name.lower() not in dropped]


def forwardable(headers: ManyValues, context: Context) -> list[tuple[str, str]]:
    """As `end_to_end`, with the caller's address added to X-Forwarded-For, as API Management does."""
    kept = [(name, value) for name, value in end_to_end(headers) if name.lower() != "x-forwarded-for"]
    before = headers.joined("X-Forwarded-For")
    return [*kept, ("X-Forwarded-For", f"{before},{context.request.ip}" if before else context.request.ip)]


def for_caller(headers: ManyValues, *, keep_length: bool) -> list[tuple[bytes, bytes]]:
    """Response headers as ASGI wants them. The length of a streamed body stays; of a changed one it is written anew."""
    dropped = (_RESPONSE_ALWAYS if keep_length else _RESPONSE_OWN) | _named_in_connection(headers)
    return [
        (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in headers.pairs()
        if name.lower() not in dropped
    ]
