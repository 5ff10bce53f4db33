"""HTTP through the gateway: headers, bodies, streams, callers that leave."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.gateway.world import Pieces, World, make_world, ok, streaming
from twin.gateway.app import MAX_BODY, MAX_HEADERS, WATCH_AFTER, BrokenOff
from twin.gateway.failures import UpstreamError

UNBUFFERED = "<forward-request buffer-response='false'/>"


async def test_hop_by_hop_headers_stay_on_their_hop() -> None:
    """RFC 9110, section 7.6.1: neither direction forwards them, nor what Connection names."""
    world = make_world()
    hop = {"Connection": "close, X-Named", "Keep-Alive": "1", "TE": "trailers", "Upgrade": "h2c", "X-Named": "n"}
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
    received: list[bytes] = []

    async def send(message: Any) -> None:
        if message.get("body"):
            received.append(message["body"])
            gate.set()

    await asyncio.wait_for(run(world, send), 5)
    assert received == [b"data: 1\n\n", b"data: 2\n\n"]


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
    with pytest.raises(BrokenOff, match="gone"):
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


async def run(world: World, send: Any, receive: Any = None, method: str = "GET", body: bytes = b"") -> None:
    """One request with a hand-made ASGI server."""
    scope = {
        "type": "http",
        "method": method,
        "path": "/a/op",
        "raw_path": b"/a/op",
        "query_string": b"",
        "headers": [(b"host", b"gw.test")],
        "client": ("203.0.113.7", 1),
        "scheme": "http",
    }

    async def whole() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    await world.app(scope, receive or whole, send)


async def test_a_caller_that_leaves_cancels_the_backend_call() -> None:
    """A disconnect while the backend works ends the call upstream."""
    world, cancelled = make_world(), asyncio.Event()

    async def slow(call: Any) -> Any:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    world.backends.answers["http://backend.test"] = slow
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await asyncio.wait_for(run(world, send, receive), WATCH_AFTER + 5)
    assert (cancelled.is_set(), sent) == (True, [])


async def test_a_caller_that_leaves_during_its_body_costs_nothing() -> None:
    """Half a request is dropped."""
    world = make_world()
    first: dict[str, Any] = {"type": "http.request", "body": b"x", "more_body": True}
    messages = [first, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await run(world, send, receive, "POST")
    assert (sent, world.backends.calls) == ([], [])


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
    """A WebSocket handshake is closed with the reason."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await make_world().app({"type": "websocket"}, None, send)  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1003, "reason": "WebSocket is not supported"}]


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
