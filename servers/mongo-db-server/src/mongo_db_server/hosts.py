"""Checks a request's `Host` and `Origin` with FastMCP's own guard, once for each pair of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from fastmcp.server.http import HostOriginGuardMiddleware

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

_REMEMBERED = 64  # the gateway has one name for this server; invented ones must not fill the memory


class Hosts:
    """Decides as `http_app(host_origin_protection=True)` with the same lists does."""

    def __init__(self, allowed_hosts: Sequence[str], allowed_origins: Sequence[str]) -> None:
        self._guard = HostOriginGuardMiddleware(_pass, allowed_hosts, allowed_origins, mode="strict")
        self.admitted: set[Hashable] = set()

    async def admits(self, scope: Scope) -> bool:
        """Refusals are not remembered: they are answered elsewhere, by the guard itself."""
        named = tuple(header for header in scope["headers"] if header[0] == b"host" or header[0] == b"origin")
        key = (named, scope.get("scheme"), scope.get("server"))
        if key in self.admitted:
            return True
        refused: list[Message] = []

        async def note(message: Message) -> None:
            refused.append(message)

        await self._guard(scope, _nothing, note)
        if not refused and len(self.admitted) < _REMEMBERED:
            self.admitted.add(key)
        return not refused


async def _pass(scope: Scope, receive: Receive, send: Send) -> None:
    """What the guard lets through ends here."""


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
