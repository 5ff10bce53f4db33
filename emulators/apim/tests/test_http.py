"""HTTP through the gateway: headers, bodies, streams, callers that leave."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.server import ServerState

from emulators.apim import connection as callers
from emulators.apim import http_server
from emulators.apim.connection import MAX_HEADERS, MAX_TARGET
from emulators.apim.failures import UpstreamError
from emulators.apim.http_server import MAX_BODY
from emulators.apim.tests.harness import CutOff, FakeStream, make_gateway, ok, streaming

UNBUFFERED = "<forward-request buffer-response='false'/>"


async def test_hop_by_hop_headers_stay_on_their_hop() -> None:
    """RFC 9110, section 7.6.1: neither direction forwards them, nor what Connection names."""
    gateway = make_gateway()
    hop = {"Connection": "keep-alive, X-Named", "Keep-Alive": "1", "TE": "trailers", "Upgrade": "h2c", "X-Named": "n"}
    gateway.backends.answers["http://backend.test"] = ok(headers={**hop, "X-Kept": "k", "Transfer-Encoding": "chunked"})
    reply = await gateway.send(headers={**hop, "X-Kept": "k", "Proxy-Authorization": "p", "Expect": "100-continue"})
    assert dict(gateway.backends.last.headers) == {"x-kept": ["k"], "X-Forwarded-For": ["203.0.113.7"]}
    assert dict(reply.headers) == {"x-kept": ["k"], "content-length": ["4"]}


async def test_x_forwarded_for_grows() -> None:
    """The caller's address is appended."""
    gateway = make_gateway()
    await gateway.send(headers={"X-Forwarded-For": "198.51.100.1"})
    assert gateway.backends.last.headers["X-Forwarded-For"] == ["198.51.100.1,203.0.113.7"]


async def test_repeated_headers_and_cookies_are_kept_apart() -> None:
    """Two Set-Cookie headers stay two."""
    gateway = make_gateway()
    answer = ok()
    answer.headers.add("Set-Cookie", "a=1")
    answer.headers.add("Set-Cookie", "b=2")
    gateway.backends.answers["http://backend.test"] = answer
    reply = await gateway.send(headers=[("X-A", "1"), ("X-A", "2")])
    assert (gateway.backends.last.headers["X-A"], reply.headers["set-cookie"]) == (["1", "2"], ["a=1", "b=2"])


async def test_unbuffered_chunks_go_on_as_they_arrive() -> None:
    """`buffer-response="false"`: the caller has the first event before the backend sends the second."""
    gateway, gate = make_gateway(backend=UNBUFFERED), asyncio.Event()
    gateway.backends.answers["http://backend.test"] = streaming(b"data: 1\n\n", gate, b"data: 2\n\n")
    caller = gateway.call()
    await caller.until_sent(b"data: 1\n\n")
    assert b"data: 2" not in caller.body
    gate.set()
    assert (await caller.reply()).chunks == [b"data: 1\n\n", b"data: 2\n\n"]


async def test_buffered_chunks_are_gathered_to_8_kb() -> None:
    """ "Forward request": with `buffer-response="true"`, the default, small chunks wait, as in API Management."""
    gateway = make_gateway()
    gateway.backends.answers["http://backend.test"] = streaming(*[b"x" * 5000] * 3)
    assert [len(chunk) for chunk in (await gateway.send()).chunks] == [10_000, 5_000]


async def test_a_backend_that_breaks_off_breaks_the_caller_s_connection() -> None:
    """Half an answer never looks whole: the gateway does not end the response."""
    gateway = make_gateway(backend=UNBUFFERED)
    gateway.backends.answers["http://backend.test"] = streaming(
        b"half", UpstreamError("BackendConnectionFailure", "gone")
    )
    with pytest.raises(CutOff, match="half"):
        await gateway.send()


async def test_a_backend_that_breaks_off_while_policies_need_the_body_is_500() -> None:
    """Before the first byte reached the caller, an error can still be told."""
    gateway = make_gateway(outbound="<find-and-replace from='a' to='b'/>")
    gateway.backends.answers["http://backend.test"] = streaming(
        b"half", UpstreamError("BackendConnectionFailure", "gone")
    )
    assert (await gateway.send()).status == 500


async def test_a_stream_is_closed_after_use_and_where_it_is_not_used() -> None:
    """The backend's connection is given back, or cut, in every case."""
    answer = streaming(b"x")
    stream = answer.stream
    assert isinstance(stream, FakeStream)
    for outbound in ("", "<return-response/>"):
        stream.closed = False
        gateway = make_gateway(backend=UNBUFFERED, outbound=outbound)
        gateway.backends.answers["http://backend.test"] = answer
        await gateway.send()
        assert stream.closed


async def test_a_caller_that_leaves_cancels_the_backend_call() -> None:
    """A disconnect while the backend works ends the call upstream."""
    gateway, called, cancelled = make_gateway(), asyncio.Event(), asyncio.Event()

    async def slow(call: Any) -> Any:
        called.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    gateway.backends.answers["http://backend.test"] = slow
    caller = gateway.call()
    await asyncio.wait_for(called.wait(), 5)
    caller.leave()
    await asyncio.wait_for(cancelled.wait(), 5)
    assert caller.status == 0


async def test_a_caller_that_leaves_in_the_middle_of_an_answer_ends_the_backend_s() -> None:
    """The backend's connection is cut, and nobody waits for the rest."""
    gateway = make_gateway(backend=UNBUFFERED)
    gateway.backends.answers["http://backend.test"] = answer = streaming(b"1", asyncio.Event(), b"2")
    caller = gateway.call()
    await caller.until_sent(b"1")
    caller.leave()
    with pytest.raises(CutOff):
        await caller.reply()
    assert isinstance(answer.stream, FakeStream)
    assert answer.stream.closed


async def test_a_caller_that_leaves_during_its_body_costs_nothing() -> None:
    """Half a request is dropped."""
    gateway = make_gateway()
    caller = gateway.call("POST", parts=[b"half"], unfinished=True)
    caller.leave()
    with pytest.raises(CutOff):
        await caller.reply()
    assert (caller.status, gateway.backends.calls) == (0, [])


async def test_an_oversized_body_is_413() -> None:
    """More than 4 MiB is refused, declared or not, before any policy."""
    gateway = make_gateway()
    assert (await gateway.send("POST", headers={"Content-Length": str(MAX_BODY + 1)})).status == 413
    assert (await gateway.send("POST", body=b"x" * (MAX_BODY + 1))).status == 413
    assert gateway.backends.calls == []


async def test_oversized_headers_are_431() -> None:
    """More than 64 KiB of headers is refused before any policy."""
    gateway = make_gateway()
    assert (await gateway.send(headers={"X-A": "x" * MAX_HEADERS})).status == 431
    assert gateway.backends.calls == []


async def test_a_request_without_a_body_has_none() -> None:
    """The backend gets no body, and `context.Request.Body` is null."""
    gateway = make_gateway(
        inbound="<set-header name='X'><value>@((context.Request.Body == null).ToString())</value></set-header>"
    )
    await gateway.send()
    assert (gateway.backends.last.body, gateway.backends.last.headers["X"]) == (None, ["True"])


async def test_head_has_the_headers_and_no_body() -> None:
    """HEAD answers like GET, without the body."""
    gateway = make_gateway(operations=[("HEAD", "/op")])
    gateway.backends.answers["http://backend.test"] = ok(b"", headers={"X-A": "1"})
    reply = await gateway.send("HEAD")
    assert (reply.status, reply.headers["x-a"], reply.body) == (200, ["1"], b"")


async def test_websockets_are_refused_by_name() -> None:
    """A WebSocket handshake is answered with the reason."""
    reply = await make_gateway().send(headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert (reply.status, reply.json["message"]) == (501, "WebSocket is not supported by the local gateway.")


async def test_redirects_go_to_the_caller_unless_followed() -> None:
    """ "Forward request": `follow-redirects`."""
    moved = ok(status=302, headers={"Location": "/elsewhere"})
    for follow, expected in (("false", 302), ("true", 200)):
        gateway = make_gateway(backend=f"<forward-request follow-redirects='{follow}'/>")
        gateway.backends.answers = {"http://backend.test/elsewhere": ok(), "http://backend.test": moved}
        assert (await gateway.send()).status == expected


async def test_fail_on_error_status_code() -> None:
    """ "Forward request": 400 and above goes to on-error."""
    gateway = make_gateway(
        backend="<forward-request fail-on-error-status-code='true'/>",
        on_error="<set-header name='X-Source'><value>@(context.LastError.Source)</value></set-header>",
    )
    gateway.backends.answers["http://backend.test"] = ok(status=404)
    reply = await gateway.send()
    assert (reply.status, reply.headers["X-Source"]) == (404, ["forward-request"])


async def test_a_request_has_one_length() -> None:
    """RFC 9112, section 6.1: both ways to say it could be read in two ways."""
    gateway = make_gateway()
    reply = await gateway.send("POST", headers={"Content-Length": "4"}, parts=[b"abcd"])
    assert (reply.status, reply.headers["connection"], gateway.backends.calls) == (400, ["close"], [])


async def test_a_body_in_parts_is_read_whole() -> None:
    """A chunked request arrives at the backend with its whole body."""
    gateway = make_gateway()
    await gateway.send("POST", parts=[b"ab", b"", b"cd"])
    assert gateway.backends.last.body == b"abcd"


async def test_a_long_target_is_414() -> None:
    """More than 16 KiB of path and query is refused before any policy."""
    gateway = make_gateway()
    assert (await gateway.send(target="/a/op?" + "x" * MAX_TARGET)).status == 414
    assert gateway.backends.calls == []


async def test_a_body_that_does_not_arrive_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that sends half of it and waits is told so, and keeps nothing busy."""
    monkeypatch.setattr(http_server, "ARRIVAL", 0.01)
    monkeypatch.setattr(http_server, "LINGER", 0.01)
    gateway = make_gateway()
    reply = await gateway.call("POST", parts=[b"half"], unfinished=True).reply()
    assert (reply.status, gateway.backends.calls) == (408, [])


async def test_a_target_in_absolute_form_names_its_own_host() -> None:
    """RFC 9112, section 3.2.2."""
    shown = "<set-header name='X'><value>@(context.Request.OriginalUrl.ToString())</value></set-header>"
    gateway = make_gateway(inbound=shown)
    await gateway.send(target="http://other.test:81/a/op?x=1")
    assert gateway.backends.last.headers["X"] == ["http://other.test:81/a/op?x=1"]


async def test_a_header_that_would_be_two_is_no_answer() -> None:
    """A name that an expression built with a line break makes the answer 500, not a split one."""
    split = """<set-header name='@("X: 1\\r\\nSet-Cookie")'><value>v</value></set-header>"""
    reply = await make_gateway(outbound=split).send()
    assert (reply.status, "set-cookie" in reply.headers) == (500, False)


async def test_an_answer_that_is_longer_than_it_said_is_cut() -> None:
    """What follows the announced length would be read as the next answer."""
    gateway = make_gateway(backend=UNBUFFERED)
    gateway.backends.answers["http://backend.test"] = streaming(b"ab", b"cd", headers={"Content-Length": "3"})
    with pytest.raises(CutOff):
        await gateway.send()


async def test_a_slow_caller_slows_the_backend() -> None:
    """While the caller takes nothing, no more of the answer is read."""
    gateway = make_gateway(backend=UNBUFFERED)
    read: list[int] = []

    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            read.append(number)
            yield b"x"

    answer = streaming()
    assert isinstance(answer.stream, FakeStream)
    answer.stream.chunks = parts  # type: ignore[method-assign]
    gateway.backends.answers["http://backend.test"] = answer
    caller = gateway.call()
    caller.slow()
    for _ in range(20):
        await asyncio.sleep(0)
    assert read == []
    caller.take()
    assert (await caller.reply()).body == b"xxx"
    assert read == [0, 1, 2]


class Slow(asyncio.Transport):
    """Says how much waits to be sent, one number after the other."""

    def __init__(self, *waiting: int) -> None:
        address = ("127.0.0.1", 1)
        dummy = SimpleNamespace(
            setsockopt=lambda *_: None, getpeername=lambda: address, getsockname=lambda: address, family=socket.AF_INET
        )
        super().__init__({"socket": dummy})
        self.waiting, self.aborted, self.closed = list(waiting), False, False

    def get_write_buffer_size(self) -> int:
        return self.waiting.pop(0)

    def is_closing(self) -> bool:
        return self.aborted or self.closed

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("waiting", "resumed", "left"),
    [((9, 7, 5, 5, 1), False, [1]), ((9, 9, 1), False, [1]), ((9, 7), True, [7])],
    ids=["the first interval without progress", "none at all", "all of it in time"],
)
async def test_only_who_takes_nothing_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, waiting: tuple[int, ...], resumed: bool, left: list[int]
) -> None:
    """A caller may be as slow as it likes, as long as it takes something in each interval."""
    monkeypatch.setattr(callers, "STALL", 0)
    config = http_server.server_config(http_server.Application(make_gateway().app))
    connection, transport = callers.Connection(config, ServerState(), {}), Slow(*waiting)
    connection.connection_made(transport)
    connection.pause_writing()
    if resumed:
        connection.resume_writing()
    for _ in waiting:
        await asyncio.sleep(0)
    assert (transport.waiting, transport.aborted) == (left, not resumed)


@pytest.mark.parametrize("waiting", [0, 1])
async def test_an_idle_connection_ends_whatever_waits(waiting: int) -> None:
    """The end of an answer that is never taken does not keep it open."""
    config = http_server.server_config(http_server.Application(make_gateway().app))
    connection, transport = callers.Connection(config, ServerState(), {}), Slow(waiting)
    connection.connection_made(transport)
    connection.timeout_keep_alive_handler()
    assert (transport.aborted, transport.closed) == (waiting > 0, waiting == 0)


@pytest.mark.parametrize(
    ("target", "host"),
    [("/a/op", "a b"), ("/a/op", "x/y"), ("/a/op", "a@b"), ("http:///a/op", "gw.test"), ("/a/op", "[x]")],
)
async def test_a_host_that_is_none_is_400(target: str, host: str) -> None:
    """RFC 9112, section 3.2: an invalid Host, and an absolute target without one."""
    assert (await make_gateway().send(target=target, headers={"Host": host})).status == 400


@pytest.mark.parametrize("host", ["gw.test", "gw.test:8080", "[::1]:80", "127.0.0.1", "%61"])
async def test_hosts_that_are_some(host: str) -> None:
    """Names, addresses, ports."""
    assert (await make_gateway().send(headers={"Host": host})).status == 200


async def test_a_host_that_a_policy_sets_is_sent() -> None:
    """ "Send request", an example sets Host; the caller's own is not passed on, and only one is sent."""
    own = "<set-header name='Host'><value>other.example</value></set-header>"
    request = f"<send-request response-variable-name='r'><set-url>http://backend.test/x</set-url>{own}</send-request>"
    gateway = make_gateway(inbound=request + own)
    await gateway.send()
    assert [call.headers["host"] for call in gateway.backends.calls] == [["other.example"]] * 2
    gateway = make_gateway(inbound="<set-header name='Host' exists-action='delete'/>")
    await gateway.send()
    assert "host" not in gateway.backends.last.headers
