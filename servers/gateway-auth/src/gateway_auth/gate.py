"""The first thing a request meets: health paths answer, everything else needs the gateway's token and the right tier.

Pure ASGI middleware, because it runs for every call. Only behind it are the `X-Mcp-*` headers believed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway_auth.asgi import ASGIApp, Message, Receive, Scope, Send, answer, replay
from gateway_auth.caller import CALLER, Caller
from gateway_auth.errors import KeysUnavailableError, TokenRefusedError
from gateway_auth.health import live
from gateway_auth.keys import Fetch, KeyStore, http_fetch
from gateway_auth.tokens import Expected, TokenVerifier

if TYPE_CHECKING:
    from gateway_auth.settings import GateSettings

# Each may occur once, because two would be read differently by two readers.
_DOWNSTREAM = b"x-mcp-downstream-token"
_REFUSED = b"x-mcp-downstream-refused"
_DECIDING = (b"authorization", b"x-mcp-tier", b"x-mcp-caller", b"x-mcp-client", b"x-correlation-id", _DOWNSTREAM)
_READ = frozenset((*_DECIDING, b"content-length", b"traceparent"))
# Limits and confirmations are each caller's own: callers without a name would share one.
_NAME = re.compile(r"[!-~]{1,128}")
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1


def guard(
    app: ASGIApp, settings: GateSettings, *, health: Mapping[str, ASGIApp] | None = None, fetch: Fetch | None = None
) -> Gate:
    """The gate around `app`. `health` maps a path to what answers it without a token; `/healthz` alone where it is
    None. `fetch` returns the issuer's JWK set; by default it is fetched from `MCP_AUTH_JWKS_URI`."""
    keys = KeyStore(fetch or http_fetch(settings.mcp_auth_jwks_uri))
    return Gate(
        app,
        verifier=TokenVerifier(Expected.of(settings), keys),
        tier=settings.mcp_tier,
        max_body=settings.mcp_request_bytes_ceiling,
        health={"/healthz": live()} if health is None else health,
    )


class Gate:
    """`health` maps a path to the ASGI app that answers it without a token; `max_body` is in bytes."""

    def __init__(
        self, app: ASGIApp, *, verifier: TokenVerifier, tier: str, max_body: int, health: Mapping[str, ASGIApp]
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._tier = tier
        self._max_body = max_body
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            # MCP has no WebSocket transport: closed before it is accepted, which the server answers with 403.
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        elif (health := self._health.get(scope["path"])) is not None:
            await health(scope, receive, send)
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            given = await self._admit(scope)
            body = await _read(receive, given, self._max_body)
        except TokenRefusedError as refusal:
            await _refuse(send, refusal.status, str(refusal), challenge=refusal.status == 401)
            return
        except KeysUnavailableError as failure:
            await _refuse(send, 503, str(failure))
            return
        except _TooLargeError:
            await _refuse(
                send, 413, f"The request is larger than {self._max_body} bytes (`MCP_REQUEST_BYTES_CEILING`)."
            )
            return
        if body is None:
            return
        caller = Caller(
            subject=given.get(b"x-mcp-caller"),
            client=given.get(b"x-mcp-client"),
            request_bytes=len(body),
            correlation_id=given.get(b"x-correlation-id"),
            traceparent=given.get(b"traceparent"),
            downstream_token=given.get(_DOWNSTREAM),
        )
        if _DOWNSTREAM in given:  # nobody behind the gate finds it by chance, in a log of headers or in what it calls
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != _DOWNSTREAM]}
        reset = CALLER.set(caller)
        try:
            again = replay({"type": "http.request", "body": body, "more_body": False}, receive)
            await self._app(scope, again, _saying_refusal(caller, send) if _DOWNSTREAM in given else send)
        finally:
            CALLER.reset(reset)

    async def _admit(self, scope: Scope) -> Mapping[bytes, str]:
        """The headers of a request that may pass. Raises TokenRefusedError or KeysUnavailableError."""
        given = _headers(scope)
        scheme, _, token = given.get(b"authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise TokenRefusedError(401, "The gateway's bearer token is required.")
        await self._verifier.verify(token.strip())
        if given.get(b"x-mcp-tier") != self._tier:
            raise TokenRefusedError(403, f"X-Mcp-Tier must be {self._tier}, the tier of this server.")
        if not _NAME.fullmatch(given.get(b"x-mcp-caller", "")):
            raise TokenRefusedError(403, "X-Mcp-Caller must name the caller in visible ASCII characters, 1 to 128.")
        if (client := given.get(b"x-mcp-client")) and not _NAME.fullmatch(client):
            raise TokenRefusedError(403, "X-Mcp-Client must be in visible ASCII characters, at most 128.")
        if _DOWNSTREAM in given and not _BEARER.fullmatch(given[_DOWNSTREAM]):
            raise TokenRefusedError(403, "X-Mcp-Downstream-Token must be a bearer token, and nothing else.")
        return given


def _saying_refusal(caller: Caller, send: Send) -> Send:
    """A `send` that adds to the answer what the gateway drops its copy of the token by."""

    async def saying(message: Message) -> None:
        if message["type"] == "http.response.start" and caller.refusal.said:
            message = {**message, "headers": [*message.get("headers", ()), (_REFUSED, b"1")]}
        await send(message)

    return saying


def _headers(scope: Scope) -> dict[bytes, str]:
    """The headers that the gate reads. Raises TokenRefusedError for a repeated one that decides."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            if name in found and name in _DECIDING:
                raise TokenRefusedError(401, f"The header {name.decode()} occurs twice.")
            found[name] = value.decode("latin-1")
    return found


class _TooLargeError(Exception):
    """The body is, or says that it is, larger than the limit."""


async def _read(receive: Receive, given: Mapping[bytes, str], limit: int) -> bytes | None:
    """The whole body, however it is framed; None when the caller hung up before its end.

    The protocol needs it whole anyway, and this way nothing larger than `limit` is ever held. What a declared length
    exceeds is not read at all. Raises _TooLargeError.
    """
    declared = given.get(b"content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise _TooLargeError
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            raise _TooLargeError
        if not message.get("more_body", False):
            return bytes(body)


async def _refuse(send: Send, status: int, reason: str, *, challenge: bool = False) -> None:
    headers = {"cache-control": "no-store"}
    if challenge:
        headers["www-authenticate"] = f'Bearer error="invalid_token", error_description="{reason}"'
    await answer(send, status, {"error": reason}, headers)
