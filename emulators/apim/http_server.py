"""The gateway as an ASGI application, and how uvicorn serves it.

What is no HTTP request is refused in connection.py. What the application does about HTTP is here: limits with the
status codes that callers expect, and a caller or backend that leaves in the middle.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn

from emulators.apim.connection import MAX_HEADERS, MAX_TARGET, Connection
from emulators.apim.failures import UpstreamError, log_bug
from emulators.apim.headers import for_caller
from emulators.apim.messages import STATUSES, Body, Context, ManyValues, Request, Response, Stream, Url, header_text
from emulators.apim.pipeline import error_response, internal_error
from emulators.base import serving

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from emulators.apim.gateway import Gateway

MAX_BODY = 4 * 1024 * 1024
#: With `buffer-response` chunks are gathered to this size, in bytes ("Forward request").
BUFFER = 8 * 1024
#: Seconds a connection may be idle, a request's body may take to arrive, a refused one may take to be read to its end,
#: and answers under way have when the gateway stops.
IDLE, ARRIVAL, LINGER, GRACE = 30, 60.0, 2.0, 5

_log = logging.getLogger(__name__)
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: A name or address, with a port perhaps (RFC 3986, section 3.2); empty where the target has no authority.
_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

#: Headers as ASGI has them.
_Pairs = list[tuple[bytes, bytes]]


class Refused(Exception):
    """What arrives is no request that the gateway reads on; `status` is the answer, after which the connection ends."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class CallerLeft(Exception):
    """The caller closed its end before its request was whole."""


class BrokenOff(Exception):
    """The backend's answer ended early, after the caller had part of it: the connection must not look whole."""


class UnsafeHead(Exception):
    """A status that is none, or a header that would be two, or another message, if it were written out."""


class Application:
    """The ASGI application."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await read_request(scope, receive)
        except CallerLeft:
            return
        except Refused as refused:
            await _refuse(refused, receive, send)
            return
        watch = asyncio.ensure_future(_until_left(receive))
        try:
            await _unless(watch, self._answer(request, send))
        finally:
            watch.cancel()

    async def _answer(self, request: Request, send: Send) -> None:
        context, response = await self.gateway.respond(request)
        try:
            await deliver(response, context, send, head=request.method == "HEAD")
        except BrokenOff as error:
            _log.warning("an answer was cut: %s", error)  # uvicorn cuts a connection whose answer is not completed
        except Exception as error:  # noqa: BLE001 - here, because uvicorn would write its text to the log
            log_bug("an answer", error)


def server_config(application: Application) -> uvicorn.Config:
    return serving.config(
        application,
        http=Connection,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
        ws="none",
        log_level="error",
    )


# requests


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Read a whole request. Raises Refused where a limit is passed, and CallerLeft."""
    headers = ManyValues((name.decode("latin-1"), header_text(value)) for name, value in scope["headers"])
    target = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    _check_head(scope, headers)
    has_body = "content-length" in headers or "transfer-encoding" in headers
    body = await _read_body(receive) if has_body else None
    path, host = _path_and_host(target, headers.joined("host", ""))
    name, port = authority(host)
    client = scope["client"]
    return Request(
        scope["method"],
        Url("http", name, port, path, query),
        path,
        query,
        headers,
        body,
        client[0] if client is not None else "",
    )


def _check_head(scope: Scope, headers: ManyValues) -> None:
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
        raise Refused(414, "Request URL is too long.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
        raise Refused(431, "Request headers are too large.")
    length = headers.joined("content-length")
    if length is not None and "transfer-encoding" in headers:
        raise Refused(400, "A request has either Content-Length or Transfer-Encoding.")  # RFC 9112, section 6.1
    if length is not None and int(length) > MAX_BODY:
        raise Refused(413, "Request body is too large.")
    if not all(_HOST.fullmatch(host) for host in [*headers.get("host", ()), *_absolute(scope["raw_path"])]):
        raise Refused(400, "The host of the request is no host.")  # RFC 9112, section 3.2
    if "websocket" in headers.joined("upgrade", "").lower():
        raise Refused(501, "WebSocket is not supported by the local gateway.")


def _absolute(target: bytes) -> list[str]:
    """The host of a target in absolute form."""
    found = _ABSOLUTE.match(target.decode("latin-1"))
    return [found[1] or " "] if found is not None else []


async def _read_body(receive: Receive) -> Body:
    data = bytearray()
    try:
        async with asyncio.timeout(ARRIVAL):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise CallerLeft
                data += message["body"]
                if len(data) > MAX_BODY:
                    raise Refused(413, "Request body is too large.")
                if not message["more_body"]:
                    return Body(bytes(data))
    except TimeoutError:
        raise Refused(408, f"Request body did not arrive in {ARRIVAL:g} s.") from None


def _path_and_host(target: str, host: str) -> tuple[str, str]:
    """A target in absolute form names its own host (RFC 9112, section 3.2.2)."""
    scheme, found, rest = target.partition("://")
    if target.startswith("/") or not found or scheme.lower() not in ("http", "https"):
        return target, host
    name, slash, path = rest.partition("/")
    return slash + path or "/", name


def authority(host: str) -> tuple[str, int]:
    """Name and port of a Host header; one that is neither reads as empty."""
    try:
        parts = urlsplit("//" + host)
        return parts.hostname or "", parts.port or 80
    except ValueError:
        return "", 80


async def _unless(watch: asyncio.Future[None], work: Coroutine[Any, Any, None]) -> None:
    """Do the work in this task, and stop it where the watch ends first."""
    task, stopped = asyncio.current_task(), False
    assert task is not None

    def stop(ended: asyncio.Future[None]) -> None:
        nonlocal stopped
        if not ended.cancelled() and working:
            stopped = task.cancel()

    working = True
    watch.add_done_callback(stop)
    try:
        await work
    except asyncio.CancelledError:
        if not stopped or task.uncancel() > 0:
            raise
    finally:
        working = False


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


# responses


async def _refuse(refused: Refused, receive: Receive, send: Send) -> None:
    """Answer what is no request, and end the connection: after the rest of it, so that the caller gets the answer."""
    answer = error_response(refused.status, str(refused))
    data = answer.body.data if answer.body is not None else b""
    headers = [*_encoded(answer.headers.pairs()), (b"content-length", b"%d" % len(data)), (b"connection", b"close")]
    await _start(send, refused.status, headers)
    await _send(send, data, more=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            while (message := await receive())["type"] == "http.request" and message["more_body"]:
                pass
    await _send(send, b"")


async def deliver(response: Response, context: Context | None, send: Send, *, head: bool) -> None:
    """Send the response, streaming where nobody read its body. Raises BrokenOff."""
    if context is not None:
        for name, value in [*context.response_headers, *context.cors_headers]:
            response.headers.set(name, [value])
    try:
        if response.status not in STATUSES:
            raise UnsafeHead
        headers = _encoded(for_caller(response.headers))
    except UnsafeHead:
        response.discard()
        response = internal_error(context)
        headers = _encoded(response.headers.pairs())
    try:
        bodiless = head or response.status in (204, 304)
        if response.stream is None or bodiless:
            await _start(send, response.status, headers + _length(response, head=head))
            await _send(send, response.body.data if response.body is not None and not bodiless else b"")
        else:
            await _stream(response, response.stream, headers, send)
    finally:
        response.discard()


def _encoded(pairs: Iterable[tuple[str, str]]) -> _Pairs:
    """Raises UnsafeHead."""
    found = [(name.encode("utf-8", "replace"), value.strip().encode("utf-8", "replace")) for name, value in pairs]
    if any(not _NAME.fullmatch(name) or _CONTROL.search(value) for name, value in found):
        raise UnsafeHead
    return found


def _length(response: Response, *, head: bool) -> _Pairs:
    """What answers HEAD says the length that GET would have had, where that is known."""
    if response.status in (204, 304):
        return []
    if head and response.stream is not None:
        declared = _declared(response)
        return [(b"content-length", b"%d" % declared)] if declared is not None else []
    return [(b"content-length", b"%d" % (len(response.body.data) if response.body is not None else 0))]


def _declared(response: Response) -> int | None:
    text = response.headers.joined("content-length", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


async def _stream(response: Response, stream: Stream, headers: _Pairs, send: Send) -> None:
    """A backend that breaks off, or sends more or less than it said, breaks this connection too."""
    length, sent, gathered = _declared(response), 0, bytearray()
    framing = [(b"content-length", b"%d" % length)] if length is not None else []
    await _start(send, response.status, headers + framing)
    try:
        async for part in stream.chunks():
            sent += len(part)
            if length is not None and sent > length:
                raise BrokenOff(f"the backend had announced {length} bytes and sent more")
            gathered += part
            if sent == length:  # the announced end needs no other turn to be seen
                break
            if gathered and (not response.buffered or len(gathered) >= BUFFER):
                await _send(send, bytes(gathered), more=True)
                gathered.clear()
    except UpstreamError as error:
        raise BrokenOff(str(error)) from error
    if length is not None and sent < length:
        raise BrokenOff(f"the backend had announced {length} bytes and sent {sent}")
    await _send(send, bytes(gathered))


async def _start(send: Send, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _send(send: Send, data: bytes, *, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})
