"""The gateway as an ASGI application: matching, limits, bodies in, streams out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from twin.gateway.failures import Failure, UpstreamError
from twin.gateway.headers import for_caller
from twin.gateway.load import Loaded
from twin.gateway.messages import Body, Context, ManyValues, Request, Response, Url
from twin.gateway.pipeline import error_response, execute, fail
from twin.gateway.router import Api, Route, Router, relative, split_path
from twin.gateway.services import Services

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

STATUS_PATH = "/status-0123456789abcdef"
MAX_BODY = 4 * 1024 * 1024
#: All header names and values together, in bytes.
MAX_HEADERS = 64 * 1024
#: How long the gateway works before it looks whether the caller is still there, in seconds.
WATCH_AFTER = 0.2
#: With `buffer-response` chunks are gathered to this size, in bytes ("Forward request").
BUFFER = 8 * 1024

_NOT_FOUND = "Resource not found"
_NO_KEY = (
    "Access denied due to missing subscription key. "
    "Make sure to include subscription key when making requests to an API."
)


class Gateway:
    """`on_start` and `on_stop` run with the server's lifespan."""

    def __init__(
        self,
        loaded: Loaded,
        services: Services,
        on_start: Callable[[], Awaitable[None]] | None = None,
        on_stop: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._loaded = loaded
        self._router = Router(loaded.apis)
        self._services = services
        self._on_start, self._on_stop = on_start, on_stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003, "reason": "WebSocket is not supported"})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        hooks = {"lifespan.startup": self._on_start, "lifespan.shutdown": self._on_stop}
        while True:
            kind = (await receive())["type"]
            hook = hooks[kind]
            if hook is not None:
                await hook()
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        watch = _Watch(receive)
        try:
            context, response = await self._respond(scope, receive, watch)
            await _deliver(response, context, send, head=scope["method"] == "HEAD")
        except _CallerGone:
            return
        except asyncio.CancelledError:
            if watch.gone:
                return
            raise
        finally:
            watch.stop()

    async def _respond(self, scope: Scope, receive: Receive, watch: _Watch) -> tuple[Context | None, Response]:
        raw_path: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        segments = split_path(raw_path)
        if raw_path == STATUS_PATH:
            return None, Response(200, "OK")
        api = self._router.find_api(segments) if segments is not None else None
        if api is None or segments is None:
            return None, error_response(404, _NOT_FOUND)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
            return None, error_response(431, "Request headers are too large.")
        headers = ManyValues((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])
        body = await _read_body(receive, headers)
        if body is None:
            return None, error_response(413, "Request body is too large.")
        watch.start()
        request = _request(scope, raw_path, headers, body)
        rest, request.path = relative(api, segments, raw_path)
        return await self._run(api, rest, request)

    async def _run(self, api: Api, rest: list[str], request: Request) -> tuple[Context | None, Response]:
        found = api.find(request.method, rest)
        if found is None:
            return self._unmatched(api, rest, request)
        route, request.parameters = found
        request.base = api.info.service_url
        context = Context(request, self._services, api.info, route.operation, self._loaded.deployment)
        if api.subscription_required:
            failure = Failure(401, "SubscriptionKeyNotFound", _NO_KEY, source="authorization")
            return context, await fail(route.pipeline, context, failure)
        try:
            return context, await execute(route.pipeline, context)
        finally:
            for after in context.after:
                after()

    def _unmatched(self, api: Api, rest: list[str], request: Request) -> tuple[Context | None, Response]:
        """A preflight is answered by the `cors` policies of the operation it asks about ("CORS")."""
        asked = request.headers.joined("Access-Control-Request-Method")
        if request.method != "OPTIONS" or asked is None or "Origin" not in request.headers:
            return None, error_response(404, _NOT_FOUND)
        context = Context(request, self._services, api.info, None, self._loaded.deployment)
        found: tuple[Route, Any] | None = api.find(asked.strip().upper(), rest)
        pipeline = found[0].pipeline if found is not None else api.pipeline if api.answers(rest) else None
        if pipeline is None or not pipeline.cors:
            return None, error_response(404, _NOT_FOUND)
        for policy in pipeline.cors:
            answer = policy.preflight(context)
            if answer is not None:
                return None, answer
        return None, Response(200, "OK")


def _request(scope: Scope, raw_path: str, headers: ManyValues, body: bytes) -> Request:
    query: str = scope["query_string"].decode("latin-1")
    scheme, client = scope.get("scheme", "http"), scope.get("client")
    host, port = _authority(headers.joined("Host", ""), scheme)
    original = Url(scheme, host, port, raw_path, query)
    has_body = bool(body) or "Content-Length" in headers or "Transfer-Encoding" in headers
    return Request(
        method=scope["method"],
        original=original,
        path=raw_path,
        query=query,
        headers=headers,
        body=Body(body) if has_body else None,
        ip=client[0] if client else "",
    )


@lru_cache(maxsize=256)
def _authority(host: str, scheme: str) -> tuple[str, int]:
    """Name and port of a Host header; one that is neither reads as empty."""
    default = 443 if scheme == "https" else 80
    try:
        parts = urlsplit("//" + host)
        return parts.hostname or "", parts.port or default
    except ValueError:
        return "", default


class _CallerGone(Exception):
    """The caller closed the connection before its request was complete."""


async def _read_body(receive: Receive, headers: ManyValues) -> bytes | None:
    """The whole request body; None where it is larger than MAX_BODY."""
    length = headers.joined("Content-Length", "0")
    if length.isdecimal() and int(length) > MAX_BODY:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerGone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return part if not parts else b"".join([*parts, part])
        parts.append(part)


class _Watch:
    """Cancels a request whose caller has gone. Short requests never pay for it: it begins after WATCH_AFTER seconds."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self.gone = False

    def start(self) -> None:
        request = asyncio.current_task()
        if request is not None:
            self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER, self._begin, request)

    def _begin(self, request: asyncio.Task[None]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._wait(request))

    async def _wait(self, request: asyncio.Task[None]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        request.cancel()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


async def _deliver(response: Response, context: Context | None, send: Send, *, head: bool) -> None:
    """Sends the response, streaming where nobody read its body."""
    extra = [] if context is None else [*context.response_headers, *context.cors_headers]
    for name, value in extra:
        response.headers.set(name, [value])
    stream = response.stream
    headers = for_caller(response.headers, keep_length=stream is not None)
    body = response.body.data if response.body is not None else b""
    bodiless = head or response.status in (204, 304)
    if stream is None and not (bodiless and not head):
        headers.append((b"content-length", str(len(body)).encode()))
    try:
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if stream is None or bodiless:
            await send({"type": "http.response.body", "body": b"" if bodiless else body})
        else:
            await _stream(response, send)
    finally:
        response.discard()


async def _stream(response: Response, send: Send) -> None:
    """Chunk by chunk; a backend that breaks off breaks this connection too, so that no caller takes half for whole."""
    gathered = bytearray()
    try:
        async for chunk in response.stream.chunks():  # type: ignore[union-attr]
            gathered += chunk
            if not response.buffered or len(gathered) >= BUFFER:
                await send({"type": "http.response.body", "body": bytes(gathered), "more_body": True})
                gathered.clear()
    except UpstreamError as error:
        raise BrokenOff(str(error)) from None
    await send({"type": "http.response.body", "body": bytes(gathered)})


class BrokenOff(Exception):
    """The backend's answer ended early, after the caller had part of it."""
