"""HTTP through the gateway: headers, bodies, streams, callers that leave."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulators.apim.failures import UpstreamError
from emulators.apim.incoming import MAX_BODY, MAX_HEADERS, MAX_TARGET
from emulators.apim.tests.wire import BrokenLine
from emulators.apim.tests.world import Pieces, head, make_world, ok, streaming

UNBUFFERED = "<forward-request buffer-response='false'/>"
HOST = ("Host", "gw.test")
GET = head("GET", "/a/op", [HOST])


async def test_hop_by_hop_headers_stay_on_their_hop() -> None:
    """RFC 9110, section 7.6.1: neither direction forwards them, nor what Connection names."""
    world = make_world()
    hop = {"Connection": "keep-alive, X-Named", "Keep-Alive": "1", "TE": "trailers", "Upgrade": "h2c", "X-Named": "n"}
    world.backends.answers["http://backend.test"] = ok(headers={**hop, "X-Kept": "k", "Transfer-Encoding": "chunked"})
    reply = await world.send(headers={**hop, "X-Kept": "k", "Proxy-Authorization": "p", "Expect": "100-continue"})
    assert dict(world.backends.last.headers) == {"x-kept": ["k"], "X-Forwarded-For": ["203.0.113.7"]}
    assert dict(reply.headers) == {"x-kept": ["k"], "content-length": ["4"]}


async def test_x_forwarded_for_grows() -> None:
    """The caller's address is appended."""
    world = make_world()
    await world.send(headers={"X-Forwarded-For": "198.51.100.1"})
    assert world.backends.last.headers["X-Forwarded-For"] == ["198.51.100.1,203.0.113.7"]


async def test_repeated_headers_and_cookies_are_kept_apart() -> None:
    """Two Set-Cookie headers stay two."""
    world = make_world()
    answer = ok()
    answer.headers.add("Set-Cookie", "a=1")
    answer.headers.add("Set-Cookie", "b=2")
    world.backends.answers["http://backend.test"] = answer
    reply = await world.send(headers=[("X-A", "1"), ("X-A", "2")])
    assert (world.backends.last.headers["X-A"], reply.headers["set-cookie"]) == (["1", "2"], ["a=1", "b=2"])


async def test_unbuffered_chunks_go_on_as_they_arrive() -> None:
    """`buffer-response="false"`: the caller has the first event before the backend sends the second."""
    world, gate = make_world(backend=UNBUFFERED), asyncio.Event()
    world.backends.answers["http://backend.test"] = streaming(b"data: 1\n\n", gate, b"data: 2\n\n")
    line = world.connect()
    line.feed(GET)
    await line.until_written(b"data: 1\n\n")
    assert b"data: 2" not in line.written
    gate.set()
    assert (await line.reply()).chunks == [b"data: 1\n\n", b"data: 2\n\n"]


async def test_buffered_chunks_are_gathered_to_8_kb() -> None:
    """ "Forward request": with `buffer-response="true"`, the default, small chunks wait, as in API Management."""
    world = make_world()
    world.backends.answers["http://backend.test"] = streaming(*[b"x" * 5000] * 3)
    assert [len(chunk) for chunk in (await world.send()).chunks] == [10_000, 5_000]


async def test_a_backend_that_breaks_off_breaks_the_caller_s_connection() -> None:
    """Half an answer never looks whole: the gateway does not end the response."""
    world = make_world(backend=UNBUFFERED)
    world.backends.answers["http://backend.test"] = streaming(
        b"half", UpstreamError("BackendConnectionFailure", "gone")
    )
    with pytest.raises(BrokenLine, match="half"):
        await world.send()


async def test_a_backend_that_breaks_off_while_policies_need_the_body_is_500() -> None:
    """Before the first byte reached the caller, an error can still be told."""
    world = make_world(outbound="<find-and-replace from='a' to='b'/>")
    world.backends.answers["http://backend.test"] = streaming(
        b"half", UpstreamError("BackendConnectionFailure", "gone")
    )
    assert (await world.send()).status == 500


async def test_a_stream_is_closed_after_use_and_where_it_is_not_used() -> None:
    """The backend's connection is given back, or cut, in every case."""
    answer = streaming(b"x")
    stream = answer.stream
    assert isinstance(stream, Pieces)
    for outbound in ("", "<return-response/>"):
        stream.closed = False
        world = make_world(backend=UNBUFFERED, outbound=outbound)
        world.backends.answers["http://backend.test"] = answer
        await world.send()
        assert stream.closed


async def test_a_caller_that_leaves_cancels_the_backend_call() -> None:
    """A disconnect while the backend works ends the call upstream."""
    world, called, cancelled = make_world(), asyncio.Event(), asyncio.Event()

    async def slow(call: Any) -> Any:
        called.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    world.backends.answers["http://backend.test"] = slow
    line = world.connect()
    line.feed(GET)
    await asyncio.wait_for(called.wait(), 5)
    line.leave()
    await asyncio.wait_for(cancelled.wait(), 5)
    assert line.written == b""


async def test_a_caller_that_leaves_during_its_body_costs_nothing() -> None:
    """Half a request is dropped."""
    world = make_world()
    line = world.connect()
    line.feed(head("POST", "/a/op", [("Host", "gw.test"), ("Content-Length", "9")]) + b"x")
    line.leave()
    await asyncio.sleep(0)
    assert (line.written, world.backends.calls) == (b"", [])


async def test_an_oversized_body_is_413() -> None:
    """More than 4 MiB is refused, declared or not, before any policy."""
    world = make_world()
    assert (await world.send("POST", headers={"Content-Length": str(MAX_BODY + 1)})).status == 413
    assert (await world.send("POST", body=b"x" * (MAX_BODY + 1))).status == 413
    assert world.backends.calls == []


async def test_oversized_headers_are_431() -> None:
    """More than 64 KiB of headers is refused before any policy."""
    world = make_world()
    assert (await world.send(headers={"X-A": "x" * MAX_HEADERS})).status == 431
    assert world.backends.calls == []


async def test_a_request_without_a_body_has_none() -> None:
    """The backend gets no body, and `context.Request.Body` is null."""
    world = make_world(
        inbound="<set-header name='X'><value>@((context.Request.Body == null).ToString())</value></set-header>"
    )
    await world.send()
    assert (world.backends.last.body, world.backends.last.headers["X"]) == (None, ["True"])


async def test_head_has_the_headers_and_no_body() -> None:
    """HEAD answers like GET, without the body."""
    world = make_world(operations=[("HEAD", "/op")])
    world.backends.answers["http://backend.test"] = ok(b"", headers={"X-A": "1"})
    reply = await world.send("HEAD")
    assert (reply.status, reply.headers["x-a"], reply.body) == (200, ["1"], b"")


async def test_websockets_are_refused_by_name() -> None:
    """A WebSocket handshake is answered with the reason."""
    reply = await make_world().send(headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert (reply.status, reply.json["message"]) == (501, "WebSocket is not supported by the local gateway.")


async def test_redirects_go_to_the_caller_unless_followed() -> None:
    """ "Forward request": `follow-redirects`."""
    moved = ok(status=302, headers={"Location": "/elsewhere"})
    for follow, expected in (("false", 302), ("true", 200)):
        world = make_world(backend=f"<forward-request follow-redirects='{follow}'/>")
        world.backends.answers = {"http://backend.test/elsewhere": ok(), "http://backend.test": moved}
        assert (await world.send()).status == expected


async def test_fail_on_error_status_code() -> None:
    """ "Forward request": 400 and above goes to on-error."""
    world = make_world(
        backend="<forward-request fail-on-error-status-code='true'/>",
        on_error="<set-header name='X-Source'><value>@(context.LastError.Source)</value></set-header>",
    )
    world.backends.answers["http://backend.test"] = ok(status=404)
    reply = await world.send()
    assert (reply.status, reply.headers["X-Source"]) == (404, ["forward-request"])


async def test_one_connection_carries_requests_one_after_the_other() -> None:
    """RFC 9112, section 9.3: also those that are sent before the first is answered, in their order."""
    world = make_world(operations=[("GET", "/1"), ("GET", "/2")])
    world.backends.answers = {"http://backend.test/base/1": ok(b"one"), "http://backend.test/base/2": ok(b"two")}
    line = world.connect()
    line.feed(head("GET", "/a/1", [HOST]) + head("GET", "/a/2", [HOST]))
    assert [(await line.reply()).text, (await line.reply()).text] == ["one", "two"]
    assert not line.closed


async def test_a_caller_that_asks_for_the_end_gets_it() -> None:
    """RFC 9112, section 9.6: `Connection: close` ends the connection after the answer, and the answer says so."""
    line = make_world().connect()
    line.feed(head("GET", "/a/op", [HOST, ("Connection", "close")]))
    reply = await line.reply()
    await line.until_ended()
    assert (reply.status, reply.headers["connection"]) == (200, ["close"])


async def test_what_is_here_leaves_in_one_write() -> None:
    """Head and body of a short answer are one packet."""
    line = make_world().connect()
    line.feed(GET)
    await line.reply()
    assert len(line.writes) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /a/op HTTP/1.1\r\n\r\n", 400),
        (head("GET", "/a/op", [HOST, ("Host", "other.test")]), 400),
        (b"nonsense\r\n\r\n", 400),
        (head("POST", "/a/op", [HOST, ("Content-Length", "3"), ("Content-Length", "4")]) + b"abcd", 400),
        (head("POST", "/a/op", [HOST, ("Content-Length", "4"), ("Transfer-Encoding", "chunked")]) + b"0\r\n\r\n", 400),
        (head("POST", "/a/op", [HOST, ("Transfer-Encoding", "gzip")]) + b"x", 400),
        (head("GET", "/a/op?" + "x" * MAX_TARGET, [HOST]), 414),
    ],
    ids=["no host", "two hosts", "nonsense", "two lengths", "length and chunked", "unknown coding", "long target"],
)
async def test_what_is_no_request_is_refused_and_ends_the_connection(data: bytes, status: int) -> None:
    """RFC 9112, sections 3.2, 6.1 and 11.2: nothing that two readers could frame in two ways is read on."""
    world = make_world()
    line = world.connect()
    line.feed(data)
    reply = await line.reply()
    assert (reply.status, reply.headers["connection"], world.backends.calls) == (status, ["close"], [])


async def test_a_trailer_is_no_header() -> None:
    """RFC 9110, section 6.5: what follows a chunked body cannot add `Authorization` to its request."""
    world = make_world()
    line = world.connect()
    start = head("POST", "/a/op", [HOST, ("Transfer-Encoding", "chunked")])
    line.feed(start + b"1\r\nx\r\n0\r\nAuthorization: Bearer t\r\n\r\n")
    assert (await line.reply()).status == 200
    assert ("Authorization" in world.backends.last.headers, world.backends.last.body) == (False, b"x")


async def test_a_go_ahead_is_given_where_it_is_asked_for() -> None:
    """RFC 9110, section 10.1.1."""
    line = make_world().connect()
    line.feed(head("POST", "/a/op", [HOST, ("Content-Length", "1"), ("Expect", "100-continue")]))
    assert line.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.feed(b"x")
    assert (await line.reply()).status == 200


async def test_a_target_in_absolute_form_names_its_own_host() -> None:
    """RFC 9112, section 3.2.2."""
    shown = "<set-header name='X'><value>@(context.Request.OriginalUrl.ToString())</value></set-header>"
    world = make_world(inbound=shown)
    await world.send(target="http://other.test:81/a/op?x=1")
    assert world.backends.last.headers["X"] == ["http://other.test:81/a/op?x=1"]


async def test_a_header_that_would_be_two_is_no_answer() -> None:
    """A name that an expression built with a line break makes the answer 500, not a split one."""
    split = """<set-header name='@("X: 1\\r\\nSet-Cookie")'><value>v</value></set-header>"""
    reply = await make_world(outbound=split).send()
    assert (reply.status, "set-cookie" in reply.headers) == (500, False)


async def test_an_answer_that_is_longer_than_it_said_is_cut() -> None:
    """What follows the announced length would be read as the next answer."""
    world = make_world(backend=UNBUFFERED)
    world.backends.answers["http://backend.test"] = streaming(b"ab", b"cd", headers={"Content-Length": "3"})
    with pytest.raises(BrokenLine):
        await world.send()


async def test_a_gateway_that_stops_finishes_what_it_answers() -> None:
    """The answer under way arrives whole and says that it is the last; an idle connection closes at once."""
    world, gate, called = make_world(), asyncio.Event(), asyncio.Event()

    async def slow(call: Any) -> Any:
        called.set()
        await gate.wait()
        return ok(b"whole")

    world.backends.answers["http://backend.test"] = slow
    busy, idle = world.connect(), world.connect()
    busy.feed(GET)
    await asyncio.wait_for(called.wait(), 5)
    await idle.server.stop()
    stopping = asyncio.create_task(busy.server.stop())
    await asyncio.sleep(0)
    assert (busy.closed, idle.closed) == (False, True)
    gate.set()
    reply = await busy.reply()
    await asyncio.wait_for(stopping, 5)
    assert (reply.text, reply.headers["connection"], busy.closed) == ("whole", ["close"], True)


async def test_a_slow_caller_slows_the_backend() -> None:
    """While the caller takes nothing, no more of the answer is read (the backend's connection is not drained)."""
    world = make_world(backend=UNBUFFERED)
    first, second = asyncio.Event(), asyncio.Event()
    first.set()
    world.backends.answers["http://backend.test"] = streaming(b"1", first, b"2", second, b"3")
    line = world.connect()
    line.protocol.pause_writing()
    line.feed(GET)
    await line.until_written(b"1")
    for _ in range(5):
        await asyncio.sleep(0)
    assert b"2\r\n" not in line.written.partition(b"\r\n\r\n")[2].removeprefix(b"1\r\n1\r\n")
    line.protocol.resume_writing()
    second.set()
    assert (await line.reply()).chunks == [b"1", b"2", b"3"]
