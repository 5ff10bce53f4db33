"""What a server behind the front may call. Connections are in memory; a real client's are in tests/servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gateway_auth.front.egress import Hosts, Proxy


class Written:
    """A writer that keeps what is written. `answer`: what the other end says once it was written to, and then ends."""

    def __init__(self, answer: bytes = b"") -> None:
        self.data = b""
        self.closed = False
        self.answers = asyncio.StreamReader()
        self._answer = answer

    def write(self, data: bytes) -> None:
        if not self.data:
            self.answers.feed_data(self._answer)
            self.answers.feed_eof()
        self.data += data

    async def drain(self) -> None:
        """There is room."""

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=16 * 1024)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def ask(patterns: str, request: bytes, answer: bytes = b"from there") -> tuple[bytes, list[Any], bytes]:
    """What the client reads; where a connection was opened; what was sent there."""
    opened: list[Any] = []
    client, sent = Written(), Written(answer)

    async def connect(host: str, port: int) -> Any:
        opened.append((host, port))
        return sent.answers, sent

    await Proxy(Hosts(patterns), connect).handle(fed(request), client)  # type: ignore[arg-type]
    assert client.closed
    return client.data, opened, sent.data


@pytest.mark.parametrize(
    ("patterns", "host", "port", "allowed"),
    [
        ("", "api.example.com", 443, False),
        ("api.example.com", "api.example.com", 443, True),
        ("api.example.com", "API.Example.com.", 80, True),
        ("api.example.com", "api.example.com", 22, False),
        ("api.example.com:8443", "api.example.com", 8443, True),
        ("api.example.com:8443", "api.example.com", 443, False),
        ("api.example.com", "api.example.com.evil.test", 443, False),
        ("api.example.com", "evilapi.example.com", 443, False),
        ("*.example.com", "a.b.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "evilexample.com", 443, False),
        ("a.test, *", "anything.test", 443, True),
        ("*", "anything.test", 25, False),
    ],
)
def test_hosts(patterns: str, host: str, port: int, allowed: bool) -> None:
    assert Hosts(patterns).allow(host, port) is allowed


async def test_a_tunnel_to_an_allowed_host() -> None:
    """Nothing of it is read here."""
    request = b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n\r\nhello"
    read, opened, sent = await ask("api.example.com", request)
    assert opened == [("api.example.com", 443)]
    assert (read.split(b"\r\n\r\n")[0], sent) == (b"HTTP/1.1 200 Connection established", b"hello")


async def test_a_request_without_tls() -> None:
    """In the form that a server expects, without what was for the proxy; one for each connection."""
    request = b"GET http://api.example.com/a?b=c HTTP/1.1\r\nHost: api.example.com\r\nProxy-Authorization: x\r\n\r\n"
    read, opened, sent = await ask("api.example.com", request)
    assert (read, opened) == (b"from there", [("api.example.com", 80)])
    assert sent == b"GET /a?b=c HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("method", ["CONNECT other.test:443", "GET http://other.test/secret?key=1"])
async def test_what_is_not_allowed_is_told(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    """To the program, and in the log by host alone; no connection is opened."""
    read, opened, _ = await ask("api.example.com", f"{method} HTTP/1.1\r\n\r\n".encode())
    assert opened == []
    assert read.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"is not in egress of this server's entry in mcp_servers; add it there." in read
    logged = capfd.readouterr().err
    assert "[egress] the server behind called other.test:" in logged
    assert "secret" not in logged


@pytest.mark.parametrize("request_", [b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET http:// HTTP/1.1\r\n\r\n"])
async def test_what_is_no_request_to_a_proxy_is_refused(request_: bytes) -> None:
    assert (await ask("*", request_))[0].startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_a_host_that_cannot_be_reached_is_said() -> None:
    async def connect(host: str, port: int) -> Any:
        raise OSError("no route")

    client = Written()
    request = fed(b"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n")
    await Proxy(Hosts("*"), connect).handle(request, client)  # type: ignore[arg-type]
    assert client.data.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert client.closed
