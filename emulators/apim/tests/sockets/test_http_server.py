"""Requests as bytes: what is taken, what is refused, and what is answered to either."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from emulators.apim import connection as callers
from emulators.apim.connection import MAX_HEADERS, MAX_TARGET
from emulators.apim.http_server import MAX_BODY
from emulators.apim.tests.sockets.conftest import Backend, Serve

UNBUFFERED = "<forward-request buffer-response='false'/>"
GET = b"GET /a/op HTTP/1.1\r\nHost: gw.test\r\n\r\n"
LAST = b"GET /a/op HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n\r\n"


def post(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join(["POST /a/op HTTP/1.1", "Host: gw.test", *lines, "", ""]).encode("latin-1") + body


def statuses(received: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3})", received)]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /a/op HTTP/1.1\r\n\r\n",
        b"GET /a/op HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /a/op HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n",
        b"GET /a/op HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
        b"GET /a/op HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n",
        b"GET /a/op HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n",
        post("Content-Length: 3", "Content-Length: 4", body=b"abcd"),
        post("Content-Length: +4", body=b"abcd"),
        post("Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        post("Content-Length: 4\nTransfer-Encoding: chunked", body=b"0\r\n\r\n"),
        post("Transfer-Encoding: gzip", body=b"x"),
        post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
        post("Transfer-Encoding: identity", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        post("Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
        post("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
        post("Transfer-Encoding: chunked", body=b"+1\r\nx\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", body=b"1\r\nxyz\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", body=b"1;\nx\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", body=b"1 \r\nx\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", body=b"f" * 40 + b"\r\nx\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        post("Content-Length: 3", "Content-Length: 3", body=b"abc"),
        post("Content-Length:", body=b"abc"),
        post("Content-Length: 1, 1", body=b"a"),
        post("X-A: b\r\n c"),
        post(" X-A: b"),
        post(": b"),
        post("X-A"),
        b"GET /a/op HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /a/op HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET /a/op HTTP/0.9\r\nHost: a\r\n\r\n",
        b"GET /a/op HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /a/op\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /a/op\t HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a/o\x0cp HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a/\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a/op HTTP/1.1\nHost: a\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    ],
    ids=[
        "no host", "two hosts", "nonsense", "space in a name", "space before the colon", "null", "carriage return",
        "two lengths", "length with a sign", "length and chunks", "chunks after a line feed", "unknown coding",
        "unknown coding in chunks", "two codings in two lines", "chunked twice", "vertical tab",
        "chunk size with a sign", "chunk longer than it says", "line feed in a chunk's extension",
        "space after a chunk's size", "chunk size of 40 digits", "chunked in two lines", "one length twice",
        "empty length", "lengths in a list", "folded line", "space before the first header", "no name", "no colon",
        "two hosts in HTTP/1.0", "HTTP/2", "HTTP/0.9", "HTTP/9.9", "no version", "preface of HTTP/2",
        "tab in the target", "form feed in the target", "target that is not ASCII", "line feeds alone", "TLS",
    ],
)  # fmt: skip
async def test_what_two_readers_could_frame_in_two_ways_is_refused(serve: Serve, backend: Backend, sent: bytes) -> None:
    """RFC 9112, sections 3.2, 6.1 and 11.2: one 400, the end, and no answer to what is hidden behind it."""
    gateway = await serve()
    assert statuses(await gateway.exchange(sent + GET)) == [400]
    assert backend.requests == []


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "byte by byte"])
async def test_what_is_refused_is_refused_however_it_arrives(serve: Serve, backend: Backend, pause: bool) -> None:
    """After a good request it ends the connection too, and its 400 is not written into the answer of that one."""
    bad = post("Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")
    gateway = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    for piece in [bytes([byte]) for byte in GET + bad] if pause else [GET + bad]:
        writer.write(piece)
        await writer.drain()
    writer.write(LAST)
    received = await asyncio.wait_for(reader.read(-1), 5)
    writer.close()
    assert statuses(received) in ([], [200], [200, 400])
    assert b"400" not in received.partition(b"fine")[0]
    assert len(backend.requests) <= 1


@pytest.mark.parametrize("split", range(1, len(GET), 7))
async def test_a_head_may_come_in_pieces(serve: Serve, backend: Backend, split: int) -> None:
    """Names and values are put together again, empty ones too."""
    sent = b"GET /a/op HTTP/1.1\r\nX-Empty:\r\nX-Named:  a value \r\nHost: gw.test\r\nConnection: close\r\n\r\n"
    gateway = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    for piece in (sent[:split], sent[split:]):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    assert statuses(await asyncio.wait_for(reader.read(-1), 5)) == [200]
    writer.close()
    assert {"x-empty: ", "x-named: a value"} <= set(backend.head)


async def test_limits_have_their_own_status(serve: Serve, backend: Backend) -> None:
    """The caller gets the answer although it is still sending, and the connection ends."""
    gateway = await serve()
    target = b"GET /a/op?" + b"x" * MAX_TARGET + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    assert statuses(await gateway.exchange(target + GET)) == [414]
    head = post(*(f"X-{number}: {'x' * 1000}" for number in range(66)), body=b"")
    assert statuses(await gateway.exchange(head + GET)) == [431]
    assert statuses(await gateway.exchange(post(f"Content-Length: {MAX_BODY + 1}", body=b"x" * (MAX_BODY + 1)))) == [
        413
    ]
    chunk = b"%x\r\n" % 2**20 + b"x" * 2**20 + b"\r\n"
    assert statuses(await gateway.exchange(post("Transfer-Encoding: chunked", body=chunk * 6 + b"0\r\n\r\n"))) == [413]
    assert backend.requests == []


async def test_a_head_without_end_is_cut_off(serve: Serve, backend: Backend) -> None:
    """No more of it is kept than the limit."""
    gateway = await serve()
    received = await gateway.exchange(b"GET /a/op HTTP/1.1\r\nHost: a\r\nX-A: " + b"x" * MAX_HEADERS * 4)
    assert (statuses(received) or [400], backend.requests) == ([400], [])


async def test_one_connection_carries_requests_one_after_the_other(serve: Serve, backend: Backend) -> None:
    """RFC 9112, section 9.3: also those sent before the first is answered, in their order."""
    backend.says("HTTP/1.1 200 OK\nContent-Length: 3\n\none", "HTTP/1.1 200 OK\nContent-Length: 3\n\ntwo")
    received = await (await serve()).exchange(GET + LAST)
    assert statuses(received) == [200, 200]
    assert received.index(b"one") < received.index(b"two")
    assert b"connection: close" in received.lower()


async def test_a_trailer_is_no_header(serve: Serve, backend: Backend) -> None:
    """RFC 9110, section 6.5: what follows a chunked body cannot add `Authorization` to its request."""
    body = b"1\r\nx\r\n0\r\nAuthorization: Bearer t\r\n\r\n"
    sent = post("Transfer-Encoding: chunked", "Connection: close", body=body)
    assert statuses(await (await serve()).exchange(sent)) == [200]
    assert not any(line.lower().startswith("authorization") for line in backend.head)
    assert backend.requests[-1].endswith(b"\r\n\r\nx")


async def test_a_trailer_is_no_header_of_the_next_request(serve: Serve, backend: Backend) -> None:
    """Whatever a parser keeps of one message, nothing of it is in another."""
    body = b"1\r\nx\r\n0\r\nAuthorization: Bearer t\r\nX-Last: l\r\n\r\n"
    assert statuses(await (await serve()).exchange(post("Transfer-Encoding: chunked", body=body) + LAST)) == [200, 200]
    heads = b"".join(backend.requests).lower()
    assert (b"bearer" in heads, b"x-last" in heads) == (False, False)


@pytest.mark.parametrize("endless", [b"0\r\nX-A: ", b"1;"], ids=["trailer", "extension of a chunk"])
async def test_what_belongs_to_no_body_has_an_end(serve: Serve, endless: bytes) -> None:
    """No more of it is taken than of a head."""
    gateway = await serve()
    sent = post("Transfer-Encoding: chunked", body=endless + b"x" * MAX_HEADERS * 8)
    assert statuses(await gateway.exchange(sent, seconds=5)) in ([], [400])
    assert await until(lambda: not gateway.server.server_state.connections)


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(
    ("framing", "body"),
    [("Content-Length: 4", b"body"), ("Transfer-Encoding: chunked", b"4\r\nbody\r\n0\r\n\r\n"), ("X-A: b", b"")],
    ids=["length", "chunks", "no body"],
)
async def test_another_protocol_is_not_changed_to(
    serve: Serve, backend: Backend, framing: str, body: bytes, pause: bool
) -> None:
    """RFC 9110, section 7.8: it may be ignored, as Java's HttpClient expects. The connection ends with the answer."""
    sent = post("Connection: Upgrade", "Upgrade: h2c", framing, body=body) + GET + GET
    gateway = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    for piece in [bytes([byte]) for byte in sent] if pause else [sent]:
        writer.write(piece)
        await writer.drain()
    assert statuses(await asyncio.wait_for(reader.read(-1), 5)) == [200]
    writer.close()
    assert [request.partition(b"\r\n\r\n")[2] for request in backend.requests] == [b"body" if body else b""]
    assert b"upgrade" not in backend.requests[0]


async def test_a_tunnel_is_not_opened(serve: Serve) -> None:
    """CONNECT has no operation, and what follows it is nobody's request."""
    tunnel = b"CONNECT gw.test:80 HTTP/1.1\r\nHost: gw.test:80\r\nContent-Length: 1\r\n\r\nx"
    assert statuses(await (await serve()).exchange(tunnel + GET)) == [404]


@pytest.mark.parametrize("target", ["http://other.test", "http://other.test/a/op", "*"])
async def test_targets_of_every_form_are_read(serve: Serve, target: str) -> None:
    """RFC 9112, section 3.2: none of them is an error of the parser."""
    sent = f"GET {target} HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n\r\n".encode()
    assert statuses(await (await serve()).exchange(sent)) == ([200] if target.endswith("/op") else [404])


async def test_a_caller_that_leaves_with_requests_in_line_ends_the_first(serve: Serve, backend: Backend) -> None:
    """The call that is under way, not the one that waits, is the one whose backend must know."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read(1) == b""
        raise ConnectionError

    backend.script = slow
    gateway = await serve()
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(GET + GET + GET)
    await asyncio.wait_for(backend.asked.wait(), 5)
    writer.close()
    await asyncio.wait_for(backend.closed.wait(), 5)
    assert len(backend.requests) == 1


async def test_a_line_of_requests_has_an_end(serve: Serve, backend: Backend) -> None:
    """Each one that waits costs memory: a caller that sends hundreds without waiting for an answer is cut off."""
    gateway = await serve()
    assert statuses(await gateway.exchange(GET * (callers.MAX_IN_LINE - 1) + LAST)) == [200] * callers.MAX_IN_LINE
    answered = len(backend.requests)
    assert len(statuses(await gateway.exchange(GET * 10 * callers.MAX_IN_LINE))) <= 1
    assert len(backend.requests) <= answered + 1


async def test_a_go_ahead_is_given_where_it_is_asked_for(serve: Serve) -> None:
    """RFC 9110, section 10.1.1; a body that is refused is not asked for."""
    gateway = await serve()
    ask = ["Expect: 100-continue", "Connection: close"]
    assert statuses(await gateway.exchange(post("Content-Length: 1", *ask, body=b"x"))) == [100, 200]
    assert statuses(await gateway.exchange(post(f"Content-Length: {MAX_BODY + 1}", *ask))) == [413]
    older = post("Content-Length: 1", *ask, body=b"x").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    assert 100 not in statuses(await gateway.exchange(older))


async def test_targets_reach_the_backend_as_they_were_sent(serve: Serve, backend: Backend) -> None:
    """Escapes stay, in path and query; so do bytes of headers."""
    gateway = await serve(inbound="<rewrite-uri template='@(context.Request.OriginalUrl.Path)'/>")
    sent = b"GET /a/o%70?q=%C3%bc+&q HTTP/1.1\r\nHost: gw.test\r\nX-A: \xc3\xa9\r\nConnection: close\r\n\r\n"
    assert statuses(await gateway.exchange(sent)) == [200]
    assert backend.head[0] == "GET /base/a/o%70?q=%C3%bc+&q HTTP/1.1"
    assert "x-a: \xc3\xa9" in backend.head


@pytest.mark.parametrize("buffering", [UNBUFFERED, "<forward-request/>"], ids=["unbuffered", "buffered"])
@pytest.mark.parametrize("framing", ["Content-Length: 9\n\nhalf", "Transfer-Encoding: chunked\n\n4\nhalf\n"])
async def test_a_backend_that_breaks_off_in_the_middle_cuts_the_caller(
    serve: Serve, backend: Backend, framing: str, buffering: str
) -> None:
    """The connection ends without the last chunk, or short of the length: no client takes it for whole."""
    backend.says(f"HTTP/1.1 200 OK\n{framing}!")
    gateway = await serve(backend=buffering)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(GET)
    received = await asyncio.wait_for(reader.read(-1), 5)
    assert statuses(received) == [200]
    assert b"0\r\n\r\n" not in received
    writer.close()


@pytest.mark.parametrize("answer", ["!", "HTTP/1.1 2!", "SSH-2.0\n\n!"], ids=["nothing", "half a line", "no HTTP"])
async def test_a_backend_that_breaks_off_before_its_headers_is_500(serve: Serve, backend: Backend, answer: str) -> None:
    """With the id by which the request is found."""
    backend.says(answer)
    received = await (await serve()).exchange(LAST)
    assert statuses(received) == [500]
    assert b'"message": "Internal server error", "activityId": "' in received


async def test_events_arrive_one_by_one(serve: Serve, backend: Backend) -> None:
    """Server-sent events through `buffer-response="false"`: the second is sent when the first has arrived."""
    arrived = asyncio.Event()

    async def events(reader: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await writer.drain()
        await asyncio.wait_for(arrived.wait(), 5)
        writer.write(b"data: 2\n\n")
        raise ConnectionError

    backend.script = events
    gateway = await serve(backend=UNBUFFERED)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(LAST)
    await asyncio.wait_for(reader.readuntil(b"data: 1\n\n"), 5)
    arrived.set()
    assert (await asyncio.wait_for(reader.read(-1), 5)).endswith(b"data: 2\n\n\r\n0\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("begun", [False, True], ids=["before its headers", "in the middle"])
async def test_a_caller_that_leaves_ends_the_call_of_the_backend(serve: Serve, backend: Backend, begun: bool) -> None:
    """Whether it has begun to answer or not."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if begun:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nbegin")
            await writer.drain()
        assert await reader.read(1) == b""
        raise ConnectionError

    backend.script = slow
    gateway = await serve(backend=UNBUFFERED)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(GET)
    await asyncio.wait_for(backend.asked.wait(), 5)
    if begun:
        await asyncio.wait_for(reader.readuntil(b"begin"), 5)
    writer.close()
    await asyncio.wait_for(backend.closed.wait(), 5)


async def test_a_gateway_that_stops_finishes_what_it_answers(serve: Serve, backend: Backend) -> None:
    """The answer under way arrives whole; an idle connection closes at once."""
    go_on = asyncio.Event()

    async def slow(reader: Any, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")

    backend.script = slow
    gateway = await serve()
    idle = await asyncio.open_connection("127.0.0.1", gateway.port)
    busy = await asyncio.open_connection("127.0.0.1", gateway.port)
    busy[1].write(GET)
    await asyncio.wait_for(backend.asked.wait(), 5)
    gateway.server.should_exit = True
    assert await asyncio.wait_for(idle[0].read(-1), 5) == b""
    go_on.set()
    assert (await asyncio.wait_for(busy[0].read(-1), 5)).endswith(b"whole")
    await asyncio.wait_for(gateway.task, 5)
    for _, writer in (idle, busy):
        writer.close()


def caller_with_little_room(port: int) -> socket.socket:
    """What it does not read stays at the gateway but for a few kilobytes."""
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.connect(("127.0.0.1", port))
    caller.setblocking(False)
    return caller


async def until(holds: Callable[[], bool]) -> bool:
    for _ in range(1000):
        if holds():
            return True
        await asyncio.sleep(0.02)
    return False


LARGE = 8 * 2**20


@pytest.mark.parametrize("buffering", [UNBUFFERED, "<forward-request/>"], ids=["unbuffered", "buffered"])
async def test_a_caller_that_takes_nothing_is_cut_off(
    serve: Serve, backend: Backend, buffering: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connection and answer do not stay for ever, whether or not all of the answer is written already."""
    monkeypatch.setattr(callers, "STALL", 0.2)
    backend.says(f"HTTP/1.1 200 OK\nContent-Length: {LARGE}\n\n" + "x" * LARGE)
    gateway = await serve(backend=buffering)
    with caller_with_little_room(gateway.port) as caller:
        await asyncio.get_running_loop().sock_sendall(caller, GET)
        assert await until(lambda: bool(backend.requests) and not gateway.server.server_state.connections)


async def test_an_answer_does_not_wait_for_its_acknowledgement(serve: Serve) -> None:
    """Head and body go out as they are written; with Nagle's algorithm (RFC 896) they would arrive 40 ms apart."""
    gateway = await serve()
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    assert await until(lambda: bool(gateway.server.server_state.connections))
    for connection in gateway.server.server_state.connections:
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    writer.close()
