"""Requests that two readers would read differently (RFC 9112 section 11.2, request smuggling), and unfriendly ones."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.support.platform_under_test import Platform
from tests.support.raw_http import exchange, post

LIST = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {}}).encode()
DELETE = json.dumps(
    {"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {"name": "delete-many", "arguments": {}}}
).encode()
VERSION = "MCP-Protocol-Version: 2025-11-25"


def _chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _inner(path: str, token: str) -> bytes:
    return post(path, LIST, f"Authorization: Bearer {token}", VERSION)


# Name → header lines, body, whether Content-Length is sent (None: the true one; "": none).
SMUGGLED: dict[str, tuple[list[str], bytes, str | None]] = {
    "length and chunks": (["Transfer-Encoding: chunked"], _chunks(LIST), None),
    "chunks, and a length of zero": (["Transfer-Encoding: chunked"], _chunks(LIST), "0"),
    "two lengths": (["Content-Length: 5"], LIST, None),
    "lengths in a list": ([], LIST, "5, 60"),
    "length with a sign": ([], LIST, f"+{len(LIST)}"),
    "length negative": ([], LIST, "-1"),
    "length in hexadecimal": ([], LIST, "0x3c"),
    "length with an underscore": ([], LIST, "6_0"),
    "length of 400 digits": ([], LIST, "9" * 400),
    "length empty": (["Content-Length:"], LIST, ""),
    "chunked twice": (["Transfer-Encoding: chunked, chunked"], _chunks(LIST), ""),
    "chunked not last": (["Transfer-Encoding: chunked, identity"], _chunks(LIST), ""),
    "unknown transfer coding": (["Transfer-Encoding: xchunked"], LIST, ""),
    "vertical tab before chunked": (["Transfer-Encoding: \x0bchunked"], _chunks(LIST), ""),
    "space before the colon": (["Transfer-Encoding : chunked"], _chunks(LIST), None),
    "folded header": (["X-Folded: a\r\n  b", "Transfer-Encoding: chunked"], _chunks(LIST), None),
    "chunk size with a sign": (["Transfer-Encoding: chunked"], b"+5\r\nhello\r\n0\r\n\r\n", ""),
    "chunk size in words": (["Transfer-Encoding: chunked"], b"five\r\nhello\r\n0\r\n\r\n", ""),
    "chunk size of 40 digits": (["Transfer-Encoding: chunked"], b"f" * 40 + b"\r\nhello\r\n0\r\n\r\n", ""),
    "chunk longer than it says": (["Transfer-Encoding: chunked"], b"2\r\nhello\r\n0\r\n\r\n", ""),
    "bare line feed in a header": (["X-A: b\nTransfer-Encoding: chunked"], LIST, None),
    "bare carriage return in a header": (["X-A: b\rX-C: d"], LIST, None),
    "null byte in a header": (["X-A: b\x00c"], LIST, None),
    "header without a name": ([": value"], LIST, None),
    "header name with a space": (["X A: b"], LIST, None),
    "header name with a bracket": (["X(A): b"], LIST, None),
    "header line without a colon": (["nonsense"], LIST, None),
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_an_ambiguous_request_is_refused_and_ends_the_connection(platform: Platform, name: str) -> None:
    """One 4xx, or silence and the end: a request hidden behind it is never answered on the same connection."""
    lines, body, length = SMUGGLED[name]
    path = urlsplit(platform.endpoint).path
    token = platform.token("admin")
    sent = post(path, body, f"Authorization: Bearer {token}", VERSION, *lines, length=length)

    answer = exchange(platform.gateway, sent + _inner(path, token))

    assert all(400 <= status < 500 for status in answer.statuses[:1]), answer.text
    assert len(answer.statuses) <= 1, answer.text
    assert b'"tools"' not in answer.raw


# Name → header lines beside one valid credential of a reader.
DUPLICATES: dict[str, list[str]] = {
    "two credentials": ["Authorization: Bearer x.y.z"],
    "two tiers": ["X-Mcp-Tier: admin", "X-Mcp-Tier: reader"],
    "the tier in other letters": ["x-MCP-tier: admin"],
    "the tier with an underscore": ["X_Mcp_Tier: admin"],
    "the caller, spoofed": ["X-Mcp-Caller: somebody", "X-Mcp-Client: somebody"],
    "a method override": ["X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE"],
    "the original address": ["X-Original-URL: /admin", "X-Rewrite-URL: /admin"],
    "a forwarded host": ["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"],
    "a forwarded address": ["X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1"],
    "connection names the credential": ["Connection: keep-alive, Authorization"],
    "connection names the tier": ["Connection: X-Mcp-Tier"],
    "the gateway's own identity header": ["X-IDENTITY-HEADER: guess"],
}


@pytest.mark.parametrize("name", DUPLICATES)
def test_headers_that_only_the_gateway_may_set_change_nothing(platform: Platform, name: str) -> None:
    """A reader stays a reader, or is refused; nobody's name but the caller's is believed."""
    token = platform.token("reader")
    path = urlsplit(platform.endpoint).path
    sent = post(path, LIST, f"Authorization: Bearer {token}", VERSION, "Connection: close", *DUPLICATES[name])

    answer = exchange(platform.gateway, sent)

    assert answer.statuses[0] in (200, 400, 401, 403, 502), answer.text
    assert "insert-many" not in answer.text
    assert "evil" not in answer.text
    assert ("list-databases" in answer.text) is (answer.statuses[0] == 200)


PATHS = [
    "/mongodb//mcp",
    "//mongodb/mcp",
    "/mongodb/./mcp",
    "/mongodb/x/../mcp",
    "/mongodb/%2e%2e/mongodb/mcp",
    "/mongodb%2fmcp",
    "/mongodb/mcp%00",
    "/mongodb/mcp;x=y",
    "/mongodb/mcp/../healthz",
    "/mongodb/healthz",
    "/mongodb/readyz",
    "/healthz",
    "/metrics",
    "/mongodb\\mcp",
    "/mongodb/%6dcp/..;/healthz",
    "/mongodb-admin-a/mcp",
    "/oauth/../mongodb/mcp",
    "/.well-known/../mongodb/mcp",
    "/mongodb/mcp/x",
    "*",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_other_spelling_of_an_address_gets_past_the_token(platform: Platform, path: str) -> None:
    """Without a token there is no answer but a refusal, whichever way the path is written."""
    answer = exchange(platform.gateway, post(path, LIST, VERSION, "Connection: close"))
    assert answer.statuses[0] in (400, 401, 404, 405), answer.text
    assert b'"tools"' not in answer.raw
    assert b'"ok"' not in answer.raw


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "CONNECT", "HEAD", "PROPFIND", "get", "POST\x00"])
def test_other_methods_are_refused(platform: Platform, method: str) -> None:
    """Only what has an operation is served; TRACE never echoes the credential."""
    path = urlsplit(platform.endpoint).path
    token = platform.token("admin")
    sent = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    answer = exchange(platform.gateway, sent.encode("latin-1"))
    assert answer.statuses[0] in (400, 404, 405, 501), answer.text
    assert token not in answer.text


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET\r\n\r\n", b"\r\n" * 50, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
     b"POST /mongodb/mcp HTTP/9.9\r\nHost: x\r\n\r\n", b"POST /mongodb/mcp HTTP/1.1\r\n\r\n", b"\x00" * 200],
    ids=["TLS", "no version", "empty lines", "HTTP/2", "HTTP/9.9", "no host", "nulls"],
)  # fmt: skip
def test_what_is_not_http_1_is_refused(platform: Platform, sent: bytes) -> None:
    answer = exchange(platform.gateway, sent, timeout=2)
    assert all(400 <= status < 600 for status in answer.statuses), answer.text
    assert "Traceback" not in answer.text


def test_a_header_section_without_end_is_cut_off(platform: Platform) -> None:
    line = "X-Filler: " + "f" * 8000 + "\r\n"
    answer = exchange(platform.gateway, f"POST /mongodb/mcp HTTP/1.1\r\nHost: x\r\n{line * 40}\r\n".encode())
    assert answer.statuses[0] in (400, 413, 431), answer.text


def test_a_body_beyond_the_limit_is_refused(platform: Platform) -> None:
    """Neither the gateway nor the server holds more than its limit."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":"' + b"x" * (21 * 2**20) + b'"}}'
    path = urlsplit(platform.endpoint).path
    answer = exchange(platform.gateway, post(path, body, f"Authorization: Bearer {platform.token('admin')}", VERSION))
    assert answer.statuses == [413], answer.text


def test_slow_callers_do_not_keep_others_waiting(platform: Platform) -> None:
    """Sixty connections that never finish their request: an honest one is answered as ever."""
    parts = urlsplit(platform.gateway)
    assert parts.hostname is not None
    assert parts.port is not None
    slow = [socket.create_connection((parts.hostname, parts.port), 5) for _ in range(60)]
    try:
        for index, connection in enumerate(slow):
            connection.sendall(
                b"POST /mongodb/mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n" + b"\r\n{" * (index % 2)
            )
        began = time.monotonic()
        assert platform.call("tools/list", user="reader").status == 200
        assert time.monotonic() - began < 10
    finally:
        for connection in slow:
            connection.close()


def test_a_pipelined_request_needs_its_own_token(platform: Platform) -> None:
    """Authority belongs to a request, not to a connection."""
    path = urlsplit(platform.endpoint).path
    first = post(path, LIST, f"Authorization: Bearer {platform.token('admin')}", VERSION)
    second = post(path, DELETE, VERSION, "Connection: close")
    answer = exchange(platform.gateway, first + second)
    assert answer.statuses == [200, 401], answer.text


def test_a_websocket_is_refused_by_name(platform: Platform) -> None:
    path = urlsplit(platform.endpoint).path
    sent = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {platform.token('admin')}\r\n\r\n"
    )
    answer = exchange(platform.gateway, sent.encode())
    assert answer.statuses[0] >= 400, answer.text
    assert "101" not in answer.text.split("\r\n")[0]
