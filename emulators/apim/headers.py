"""Which headers cross the gateway."""

from __future__ import annotations

from emulators.apim.messages import Context, ManyValues, Request

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
#: What the server writes itself: its own Date, and how long the body is.
_RESPONSE_OWN = HOP_BY_HOP | {"content-length", "date"}


_NOTHING: frozenset[str] = frozenset()


def _named_in_connection(headers: ManyValues) -> frozenset[str]:
    listed = headers.joined("connection")
    return frozenset(name.strip().lower() for name in listed.split(",")) if listed else _NOTHING


def end_to_end(request: Request) -> list[tuple[str, str]]:
    """Request headers for a backend: no hop-by-hop ones, nor those that Connection names; Host if a policy set it."""
    return _kept(request, _REQUEST_OWN)


def _kept(request: Request, own: frozenset[str]) -> list[tuple[str, str]]:
    named = _named_in_connection(request.headers)
    kept = request.headers.without(own | named if named else own)
    return kept if request.host is None else [("Host", request.host), *kept]


def forwardable(request: Request, context: Context) -> list[tuple[str, str]]:
    """As `end_to_end`, with the caller's address added to X-Forwarded-For, as API Management does."""
    headers, kept = request.headers, _kept(request, _FORWARDED_ANEW)
    before = headers.joined("x-forwarded-for")
    kept.append(("X-Forwarded-For", f"{before},{context.request.ip}" if before else context.request.ip))
    return kept


def for_caller(headers: ManyValues) -> list[tuple[str, str]]:
    """Response headers, without those that are the server's to write."""
    named = _named_in_connection(headers)
    return headers.without(_RESPONSE_OWN | named if named else _RESPONSE_OWN)
