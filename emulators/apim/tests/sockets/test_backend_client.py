"""Answers of backends, byte by byte: what is whole, what is broken off, what is sent again, and what is added."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulators.apim.backend_client import MAX_READ, BackendClient
from emulators.apim.failures import BROKEN_OFF, NOT_CONNECTED, UpstreamError
from emulators.apim.messages import Response, parse_url
from emulators.apim.tests.sockets.conftest import Backend


async def send(
    client: BackendClient, method: str = "GET", url: str = "http://backend.test/x", headers: Any = (), body: Any = None
) -> Response:
    target = parse_url(url)
    assert target is not None
    return await client.send(method, target, list(headers), body, 5)


async def read(response: Response) -> bytes:
    await response.materialise()
    assert response.body is not None
    return response.body.data


@pytest.mark.parametrize(
    "answer",
    [
        "HTTP/1.1 200 Fine\nContent-Length: 4\nX-A: 1\nX-A: 2\n\nbody",
        "HTTP/1.1 200 Fine\nTransfer-Encoding: chunked\nX-A: 1\nX-A: 2\n\n2\nbo\n2\ndy\n0\nX-Late: 1\n\n",
        "HTTP/1.1 200 Fine\nX-A: 1\nX-A: 2\n\nbody!",
        "HTTP/1.1 103 Early Hints\nX-A: 0\n\nHTTP/1.1 200 Fine\nContent-Length: 4\nX-A: 1\nX-A: 2\n\nbody",
    ],
    ids=["length", "chunks and a trailer", "until it closes", "after an interim answer"],
)
async def test_a_whole_answer(backend: Backend, client: BackendClient, answer: str) -> None:
    """RFC 9112, sections 6.3 and 7.1; repeated headers stay apart, trailers are dropped."""
    backend.says(answer)
    response = await send(client)
    assert (await read(response), response.status, response.reason) == (b"body", 200, "Fine")
    assert (response.headers["x-a"], "X-Late" in response.headers) == (["1", "2"], False)


@pytest.mark.parametrize(
    "answer",
    ["HTTP/1.1 200 OK\nContent-Length: 9\n\nhalf!", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n4\nhalf\n!"],
    ids=["length", "chunks"],
)
async def test_an_answer_that_stops_early_is_an_error(backend: Backend, client: BackendClient, answer: str) -> None:
    """Half an answer never looks whole."""
    backend.says(answer)
    response = await send(client)
    with pytest.raises(UpstreamError, match=BROKEN_OFF):
        await response.materialise()


@pytest.mark.parametrize("answer", ["!", "HTTP/1.1 2!"], ids=["nothing", "half a line"])
async def test_a_backend_that_breaks_off_before_its_headers(
    backend: Backend, client: BackendClient, answer: str
) -> None:
    """It may have done its work: the message says so, and a policy that retries must not take it for unsent."""
    backend.says(answer)
    with pytest.raises(UpstreamError, match=BROKEN_OFF) as raised:
        await send(client, "POST", body=b"x")
    assert (raised.value.reason, len(backend.requests)) == ("BackendConnectionFailure", 1)


async def test_a_kept_connection_that_was_closed_meanwhile(backend: Backend, client: BackendClient) -> None:
    """RFC 9110, section 9.2.2: only idempotent requests are sent again: others may have arrived."""
    whole = "HTTP/1.1 200 OK\nContent-Length: 0\n\n"
    backend.says(whole, "!", whole)
    await read(await send(client))
    assert (await send(client)).status == 200
    assert (len(backend.requests), backend.connections) == (3, 2)
    backend.says(whole, "!", whole)
    await read(await send(client))
    with pytest.raises(UpstreamError, match=BROKEN_OFF):
        await send(client, "POST", body=b"x")
    assert len(backend.requests) == 5


async def test_connections_are_kept(backend: Backend, client: BackendClient) -> None:
    """One request after the other goes over one connection."""
    for _ in range(3):
        await read(await send(client, "POST", body=b"x"))
    assert backend.connections == 1


async def test_nobody_who_listens_is_told_apart_from_one_who_broke_off(client: BackendClient) -> None:
    """Nothing was sent: API Management's policies may send it to another backend."""
    with pytest.raises(UpstreamError, match=NOT_CONNECTED):
        await send(client, "POST", "http://127.0.0.1:9/x", body=b"x")


async def test_nothing_is_dialled_that_is_not_this_machine(client: BackendClient, backend: Backend) -> None:
    """Names that the platform does not know do not resolve, unless the configuration allows them."""
    for url in ("http://example.com/", "http://backend.test:81/", "http://169.254.169.254/metadata"):
        with pytest.raises(UpstreamError, match="does not resolve"):
            await send(client, url=url)
    allowed = BackendClient({}, [f"localhost.:{backend.port}"])
    with pytest.raises(UpstreamError, match="does not resolve"):
        await send(allowed, url="http://localhost.:1/")
    await allowed.close()


async def test_a_late_backend(backend: Backend, client: BackendClient) -> None:
    """`timeout` is the wait for the headers; the connection is given up."""

    async def never(*connection: Any) -> None:
        await asyncio.Event().wait()

    backend.script = never
    target = parse_url("http://backend.test/x")
    assert target is not None
    with pytest.raises(UpstreamError, match=r"did not answer in 0\.1 s") as raised:
        await client.send("GET", target, [], None, 0.1)
    assert raised.value.reason == "Timeout"


async def test_nothing_is_added_to_a_request(backend: Backend, client: BackendClient) -> None:
    """Headers go as they are, in their order and spelling, and no others; the body has its length."""
    await send(client, "POST", headers=[("X-B", "1"), ("x-a", "2"), ("X-B", "3"), ("X-Ü", "é")], body=b"ab")
    assert backend.head == [
        "POST /x HTTP/1.1", "Host: backend.test", "X-B: 1", "x-a: 2", "X-B: 3", "X-Ã\x9c: Ã©", "Content-Length: 2"
    ]  # fmt: skip
    await send(client)
    assert backend.head == ["GET /x HTTP/1.1", "Host: backend.test"]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://backend.test/a%2Fb/%7e/ü b?q=%C3&r=a+b", "/a%2Fb/%7e/%C3%BC%20b?q=%C3&r=a+b"),
        ("http://backend.test//a/./b/../c", "//a/./b/../c"),
        ("http://backend.test", "/"),
        ("http://backend.test/?", "/"),
    ],
)
async def test_targets_stay_as_they_are_written(backend: Backend, client: BackendClient, url: str, target: str) -> None:
    """Nothing is normalised or escaped twice; spaces and letters beyond ASCII are escaped."""
    await send(client, url=url)
    assert backend.head[0] == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize("pair", [("X-A", "1\r\nX-B: 2"), ("X-A\r\nX-B", "1"), ("X-A", "1\0")])
async def test_no_head_is_split(backend: Backend, client: BackendClient, pair: tuple[str, str]) -> None:
    """A line break in a name or value would be another header (RFC 9112, section 11.1): nothing is sent."""
    with pytest.raises(UpstreamError, match="cannot be written"):
        await send(client, headers=[pair])
    assert backend.requests == []


async def test_redirects_cookies_and_compression_are_left_alone(backend: Backend, client: BackendClient) -> None:
    """They are the policies' and the caller's business."""
    backend.says("HTTP/1.1 302 Found\nLocation: /y\nSet-Cookie: a=1\nContent-Encoding: gzip\nContent-Length: 3\n\nabc")
    first, second = await send(client), await send(client)
    assert (first.status, await read(first)) == (302, b"abc")
    assert (first.headers["content-encoding"], first.headers["set-cookie"]) == (["gzip"], ["a=1"])
    assert (second.status, backend.head) == (302, ["GET /x HTTP/1.1", "Host: backend.test"])


async def test_no_proxy_of_the_environment_is_asked(
    backend: Backend, client: BackendClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform on this machine does not depend on who started it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert (await send(client)).status == 200


async def test_head_has_no_body_whatever_its_headers_say(backend: Backend, client: BackendClient) -> None:
    """RFC 9110, section 9.3.2."""
    backend.says("HTTP/1.1 200 OK\nContent-Length: 5\n\n")
    assert await read(await send(client, "HEAD")) == b""


async def test_what_is_not_http_is_refused(backend: Backend, client: BackendClient) -> None:
    """Bytes that are no answer are an error at once, not a wait for more."""
    backend.says("SSH-2.0-x\n\n")
    with pytest.raises(UpstreamError, match=r"not HTTP/1\.1"):
        await send(client)


@pytest.mark.parametrize("status", ["101 Switching Protocols", "600 Odd", "999 Odd"])
async def test_a_status_that_is_no_answer_is_refused(backend: Backend, client: BackendClient, status: str) -> None:
    """Another protocol that nobody asked for, and what no caller could be given (RFC 9110, section 15)."""
    backend.says(f"HTTP/1.1 {status}\nContent-Length: 0\n\n")
    with pytest.raises(UpstreamError, match=f"status {status[:3]}"):
        await send(client)


async def test_what_nobody_asked_for_is_no_answer(backend: Backend, client: BackendClient) -> None:
    """What follows an answer on its connection is not taken for the next one's."""
    fine = "HTTP/1.1 200 OK\nContent-Length: 4\n\nfine"
    backend.says(f"{fine}HTTP/1.1 200 OK\nContent-Length: 4\n\nevil", fine)
    assert [await read(await send(client)) for _ in range(3)] == [b"fine"] * 3


async def test_an_answer_nobody_reads_cuts_the_connection(backend: Backend, client: BackendClient) -> None:
    """The backend notices that its caller has gone."""
    backend.says("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n4\nhalf\n")
    (await send(client)).discard()
    await asyncio.wait_for(backend.closed.wait(), 5)


async def test_an_answer_that_is_too_large_to_read_is_refused(backend: Backend, client: BackendClient) -> None:
    """Policies read 16 MiB at most."""

    async def endless(reader: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 2**16)
            await writer.drain()

    backend.script = endless
    with pytest.raises(UpstreamError, match=f"larger than {MAX_READ}"):
        await read(await send(client))
