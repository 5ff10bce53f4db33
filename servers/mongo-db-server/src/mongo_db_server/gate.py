"""The first thing a request meets: health paths answer, everything else needs the gateway's token and the right tier.

Plain ASGI, because it runs for every call. Only behind it are the `X-Mcp-*` headers believed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mongo_db_server.caller import CALLER, Caller
from mongo_db_server.errors import KeysUnavailableError, TokenRefusedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mongo_db_server.settings import Tier
    from mongo_db_server.tokens import TokenVerifier

_HEADERS = (b"authorization", b"x-mcp-tier", b"x-mcp-caller", b"x-mcp-client", b"x-correlation-id")


class Gate:
    """`health` maps a path to the ASGI app that answers it without a token; `max_body` is in bytes."""

    def __init__(
        self, app: ASGIApp, *, verifier: TokenVerifier, tier: Tier, max_body: int, health: Mapping[str, ASGIApp]
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._tier = tier
        self._max_body = max_body
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif (health := self._health.get(scope["path"])) is not None:
            await health(scope, receive, send)
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            given = await self._admit(scope)
            body = await _read(receive, self._max_body)
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
        caller = Caller(
            subject=given.get(b"x-mcp-caller"),
            client=given.get(b"x-mcp-client"),
            request_bytes=len(body),
            correlation_id=given.get(b"x-correlation-id"),
            trace=given.get(b"traceparent"),
            commands=[],
        )
        reset = CALLER.set(caller)
        try:
            await self._app(scope, replay({"type": "http.request", "body": body, "more_body": False}, receive), send)
        finally:
            CALLER.reset(reset)

    async def _admit(self, scope: Scope) -> Mapping[bytes, str]:
        """The headers of a request that may pass. Raises TokenRefusedError or KeysUnavailableError."""
        given = _single_headers(scope)
        scheme, _, token = given.get(b"authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise TokenRefusedError(401, "The gateway's bearer token is required.")
        await self._verifier.verify(token.strip())
        if given.get(b"x-mcp-tier") != self._tier:
            raise TokenRefusedError(403, f"X-Mcp-Tier must be {self._tier}, the tier of this server.")
        return given


def _single_headers(scope: Scope) -> dict[bytes, str]:
    """The headers that decide; each may occur once, because two would be read differently by two readers."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _HEADERS:
            if name in found:
                raise TokenRefusedError(401, f"The header {name.decode()} occurs twice.")
            found[name] = value.decode("latin-1")
        elif name == b"traceparent":  # decides nothing: of several, any will do
            found[name] = value.decode("latin-1")
    return found


class _TooLargeError(Exception):
    pass


async def _read(receive: Receive, limit: int) -> bytes:
    """The whole body: the protocol needs it whole anyway, and this way nothing larger is ever held."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > limit:
            raise _TooLargeError
        if not message.get("more_body", False):
            return bytes(body)


def replay(message: Message, receive: Receive) -> Receive:
    """Gives `message` again, then whatever comes."""
    pending = [message]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


async def _refuse(send: Send, status: int, reason: str, *, challenge: bool = False) -> None:
    headers = {"cache-control": "no-store"}
    if challenge:
        headers["www-authenticate"] = f'Bearer error="invalid_token", error_description="{reason}"'
    await answer(send, status, {"error": reason}, headers)


async def answer(send: Send, status: int, document: Any, headers: Mapping[str, str] | None = None) -> None:
    """Sends one JSON document."""
    body = json.dumps(document).encode()
    given = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
