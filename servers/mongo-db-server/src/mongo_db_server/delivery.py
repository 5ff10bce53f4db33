"""Responses to a call: one JSON document, or a stream of events once there is progress to report; and cancelling a call
whose caller has disconnected."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from starlette.types import Receive, Send

T = TypeVar("T")

# Most calls are over before anybody disconnects: only for longer ones is the connection watched.
_UNWATCHED_SECONDS = 0.05


async def cancel_on_disconnect(work: Coroutine[Any, Any, T], receive: Receive) -> T | None:
    """The result of the work, or None when the caller hung up first: then the work has been cancelled, which closes its
    cursors and connections at the database."""
    watch = _Watch(receive)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.gone and not watch.task.uncancel():  # nobody else wants the request to end
            return None
        raise
    finally:
        watch.end()


class _Watch:
    """Cancels the present task when the caller hangs up, unless it is over before anybody looked."""

    def __init__(self, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        self.task = cast("asyncio.Task[Any]", asyncio.current_task())  # a coroutine runs in a task
        self.gone = False
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None
        self._timer = loop.call_later(_UNWATCHED_SECONDS, self._begin)

    def _begin(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        await _disconnection(self._receive)
        self.gone = True
        self.task.cancel()

    def end(self) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()


async def _disconnection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Response:
    """One answer. It becomes a stream of events (MCP, "Streamable HTTP") with the first progress, so that calls without
    any stay a plain document."""

    def __init__(self, send: Send, progress_token: int | str | None) -> None:
        self._send = send
        self._token = progress_token
        self._streams = False

    async def progress(self, done: float, total: float | None, message: str) -> None:
        """Sends `notifications/progress`."""
        params = {"progressToken": self._token, "progress": done, "total": total, "message": message}
        notification = {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {name: value for name, value in params.items() if value is not None},
        }
        await self._event(json.dumps(notification).encode())

    async def end(self, document: bytes) -> None:
        """Sends the answer itself, a JSON-RPC response."""
        if self._streams:
            await self._event(document)
            await self._send({"type": "http.response.body", "body": b""})
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(document)).encode())]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": document})

    async def _event(self, data: bytes) -> None:
        if not self._streams:
            self._streams = True
            headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        body = b"event: message\r\ndata: " + data + b"\r\n\r\n"
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
