"""Responses on their way to the caller: one write where the body is here, else as it arrives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from emulators.apim.failures import UpstreamError
from emulators.apim.framing import LAST_CHUNK, UnsafeHead, chunk, response_head
from emulators.apim.headers import for_caller
from emulators.apim.messages import Context, Response, Stream
from emulators.apim.pipeline import GENERIC_MESSAGE, error_response

#: With `buffer-response` chunks are gathered to this size, in bytes ("Forward request").
BUFFER = 8 * 1024


class BrokenOff(Exception):
    """The backend's answer ended early, after the caller had part of it: the connection must not look whole."""


class Sink(Protocol):
    """Where bytes go; `drained` waits while the caller is slow."""

    def write(self, data: bytes) -> None: ...

    async def drained(self) -> None: ...


async def deliver(response: Response, context: Context | None, sink: Sink, *, head: bool, close: bool) -> None:
    """Sends the response, streaming where nobody read its body. Raises BrokenOff."""
    if context is not None:
        for name, value in [*context.response_headers, *context.cors_headers]:
            response.headers.set(name, [value])
    bodiless = head or response.status in (204, 304)
    try:
        if response.stream is None or bodiless:
            sink.write(_whole(response, head=head, bodiless=bodiless, close=close))
        else:
            await _stream(response, response.stream, sink, close=close)
    except UnsafeHead:
        sink.write(_whole(error_response(500, GENERIC_MESSAGE), head=head, bodiless=head, close=close))
    finally:
        response.discard()


def _whole(response: Response, *, head: bool, bodiless: bool, close: bool) -> bytes:
    """Head and body together. What answers HEAD says the length that GET would have had, where that is known."""
    body = response.body.data if response.body is not None else b""
    framing = f"Content-Length: {len(body)}\r\n"
    if response.status in (204, 304):
        framing = ""
    elif head and response.stream is not None:
        declared = response.headers.joined("Content-Length", "")
        framing = f"Content-Length: {declared}\r\n" if declared.isdecimal() else ""
    start = response_head(response.status, for_caller(response.headers), framing, close=close)
    return start if bodiless else start + body


async def _stream(response: Response, stream: Stream, sink: Sink, *, close: bool) -> None:
    """A backend that breaks off, or sends more or less than it said, breaks this connection too."""
    declared = response.headers.lower("content-length") or ""
    length = int(declared) if declared.isdecimal() and len(declared) < 19 else None
    framing = f"Content-Length: {length}\r\n" if length is not None else "Transfer-Encoding: chunked\r\n"
    frame: Callable[[bytes], bytes] = chunk if length is None else bytes
    pending = response_head(response.status, for_caller(response.headers), framing, close=close)
    data, ended = stream.take()
    sent = len(data)
    if ended:
        _check(sent, length)
        sink.write(b"".join((pending, frame(data), LAST_CHUNK if length is None else b"")))
        return
    if not response.buffered or len(data) >= BUFFER:
        sink.write(pending + frame(data))
        data = pending = b""
    gathered = bytearray(data)
    try:
        async for part in stream.chunks():
            gathered += part
            sent += len(part)
            _check(sent, length, more=True)
            if not response.buffered or len(gathered) >= BUFFER:
                sink.write(pending + frame(bytes(gathered)))
                pending = b""
                gathered.clear()
                await sink.drained()
    except UpstreamError as error:
        raise BrokenOff(str(error)) from None
    _check(sent, length)
    sink.write(pending + frame(bytes(gathered)) + (LAST_CHUNK if length is None else b""))


def _check(sent: int, length: int | None, *, more: bool = False) -> None:
    if length is not None and (sent > length or (sent < length and not more)):
        raise BrokenOff(f"the backend sent {sent} bytes and had announced {length}")
