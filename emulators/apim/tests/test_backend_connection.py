"""Answers of backends, byte by byte: what is whole, what is broken off, and which connection is used again."""

from __future__ import annotations

import asyncio

import pytest

from emulators.apim.failures import UpstreamError
from emulators.apim.framing import UnsafeHead, request_head, response_head
from emulators.apim.messages import Response
from emulators.apim.upstream_connection import HIGH_WATER, BackendConnection, Dropped


class Socket(asyncio.Transport):
    """A backend's end, on paper."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = self.paused = False
        self.sent = b""

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.sent += data

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Backend:
    """One connection with a request under way."""

    def __init__(self, *, bodiless: bool = False) -> None:
        self.released: list[BackendConnection] = []
        self.socket = Socket()
        self.connection = BackendConnection(self.released.append)
        self.connection.connection_made(self.socket)
        self.answer = self.connection.begin(b"GET / HTTP/1.1\r\n\r\n", bodiless=bodiless)

    def says(self, text: str) -> None:
        self.connection.data_received(text.replace("\n", "\r\n").encode())

    async def response(self) -> Response:
        return await asyncio.wait_for(asyncio.shield(self.answer), 5)


async def test_an_answer_of_announced_length_frees_the_connection() -> None:
    """RFC 9112, section 9.3."""
    backend = Backend()
    backend.says("HTTP/1.1 200 Fine\nContent-Length: 2\nX: 1\n\nab")
    response = await backend.response()
    await response.materialise()
    assert (response.status, response.reason, response.headers["x"]) == (200, "Fine", ["1"])
    assert response.body is not None
    assert (response.body.data, backend.released) == (b"ab", [backend.connection])


async def test_a_chunked_answer_ends_with_its_last_chunk_and_trailers_are_dropped() -> None:
    """RFC 9112, section 7.1."""
    backend = Backend()
    backend.says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nab\n")
    response = await backend.response()
    assert (response.stream is not None and response.stream.take(), backend.released) == ((b"ab", False), [])
    backend.says("0\nX-Late: 1\n\n")
    assert (backend.released, "X-Late" in response.headers) == ([backend.connection], False)


async def test_an_answer_without_length_ends_with_the_connection() -> None:
    """RFC 9112, section 6.3, rule 8."""
    backend = Backend()
    backend.says("HTTP/1.1 200 OK\n\nab")
    response = await backend.response()
    backend.connection.connection_lost(None)
    await response.materialise()
    assert response.body is not None
    assert (response.body.data, backend.released) == (b"ab", [])


async def test_an_answer_that_stops_early_is_an_error() -> None:
    """Half an answer never looks whole."""
    backend = Backend()
    backend.says("HTTP/1.1 200 OK\nContent-Length: 3\n\nab")
    response = await backend.response()
    backend.connection.connection_lost(None)
    with pytest.raises(UpstreamError, match="broke off"):
        await response.materialise()


async def test_a_connection_closed_before_the_answer_is_told_apart() -> None:
    """Only then may a kept connection's request be sent again."""
    silent, talking = Backend(), Backend()
    silent.connection.connection_lost(None)
    talking.says("HTTP/1.1 2")
    talking.connection.connection_lost(None)
    with pytest.raises(Dropped):
        await silent.response()
    with pytest.raises(UpstreamError):
        await talking.response()


async def test_interim_answers_are_passed_over() -> None:
    """RFC 9110, section 15.2."""
    backend = Backend()
    backend.says("HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 204 No Content\n\n")
    response = await backend.response()
    assert (response.status, "Link" in response.headers, len(backend.released)) == (204, False, 1)


async def test_head_has_no_body_whatever_its_headers_say() -> None:
    """RFC 9110, section 9.3.2; such a connection is not used again."""
    backend = Backend(bodiless=True)
    backend.says("HTTP/1.1 200 OK\nContent-Length: 5\n\n")
    response = await backend.response()
    assert (response.stream is not None and response.stream.take(), backend.socket.aborted) == ((b"", True), True)


async def test_an_answer_to_nobody_cuts_the_connection() -> None:
    """What an idle connection says would else be taken for the next request's answer."""
    backend = Backend()
    backend.says("HTTP/1.1 204 No Content\n\n")
    await backend.response()
    backend.says("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
    assert backend.socket.aborted


async def test_what_is_not_http_is_refused() -> None:
    """Bytes that are no answer are an error at once, not a wait for more."""
    backend = Backend()
    backend.says("SSH-2.0-x\n")
    with pytest.raises(UpstreamError, match=r"not HTTP/1\.1"):
        await backend.response()
    assert backend.socket.aborted


async def test_a_backend_that_is_faster_than_the_caller_waits() -> None:
    """No more than a bounded part of an answer is held; taking it lets the backend go on."""
    backend = Backend()
    backend.says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n")
    response = await backend.response()
    backend.connection.data_received(b"%x\r\n" % (HIGH_WATER * 2) + b"x" * (HIGH_WATER * 2))
    assert backend.socket.paused
    assert response.stream is not None
    response.stream.take()
    assert not backend.socket.paused


async def test_an_answer_nobody_reads_cuts_the_connection() -> None:
    """The backend notices that its caller has gone."""
    backend = Backend()
    backend.says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n")
    response = await backend.response()
    response.discard()
    assert backend.socket.aborted


def test_no_head_is_split() -> None:
    """A line break in a name, value or path would be another header or another message (RFC 9112, section 11.1)."""
    for pairs, target in (([("A", "1\r\nB: 2")], "/"), ([("A\nB", "1")], "/"), ([], "/\r\nX:1"), ([], "/\0")):
        with pytest.raises(UnsafeHead):
            request_head("GET", target, "h", pairs, None)
        with pytest.raises(UnsafeHead):
            response_head(200, pairs or [("A", target)], "", close=False)


def test_targets_are_escaped_once() -> None:
    """Spaces and letters beyond ASCII are escaped, escapes stay."""
    assert request_head("GET", "/a b/ü/%20?q=%C3", "h", [], None).startswith(
        b"GET /a%20b/%C3%BC/%20?q=%C3 HTTP/1.1\r\n"
    )
