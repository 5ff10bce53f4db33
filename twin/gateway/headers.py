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
_FORWARDED_ANEW = _REQUEST_OWN | {"x-forwarded-for"}
#: The server stamps every response with its own Date.
_RESPONSE_ALWAYS = HOP_BY_HOP | {"date"}
_RESPONSE_OWN = _RESPONSE_ALWAYS | {"content-length"}


_NOTHING: frozenset[str] = frozenset()


def _named_in_connection(headers: ManyValues) -> frozenset[str]:
    listed = headers.joined("Connection", "")
    return frozenset(name.strip().lower() for name in listed.split(",")) if listed else _NOTHING


def end_to_end(headers: ManyValues) -> list[tuple[str, str]]:
    """Request headers for a backend: no hop-by-hop ones, nor those that Connection names."""
    return list(headers.without(_REQUEST_OWN | _named_in_connection(headers)))


def forwardable(headers: ManyValues, context: Context) -> list[tuple[str, str]]:
    """As `end_to_end`, with the caller's address added to X-Forwarded-For, as API Management does."""
    kept = list(headers.without(_FORWARDED_ANEW | _named_in_connection(headers)))
    before = headers.joined("X-Forwarded-For")
    kept.append(("X-Forwarded-For", f"{before},{context.request.ip}" if before else context.request.ip))
    return kept


def for_caller(headers: ManyValues, *, keep_length: bool) -> list[tuple[bytes, bytes]]:
    """Response headers as ASGI wants them. The length of a streamed body stays; of a changed one it is written anew."""
    dropped = (_RESPONSE_ALWAYS if keep_length else _RESPONSE_OWN) | _named_in_connection(headers)
    return [
        (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in headers.without(dropped)
    ]
