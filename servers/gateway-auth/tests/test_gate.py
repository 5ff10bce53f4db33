from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import pytest
from gateway_auth import CALLER, Gate, GateSettings, guard, read_settings
from gateway_auth.keys import KeyStore
from gateway_auth.testing import AUTH_ENVIRONMENT, Signer, gateway_headers
from gateway_auth.tokens import Expected, TokenVerifier

MAX_BODY = 1000


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what a tool would see: who calls, and the body."""
    message = await receive()
    caller = CALLER.get()
    seen = [caller.subject, caller.client, caller.request_bytes, caller.correlation_id, message["body"].decode()]
    body = json.dumps(seen).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def healthy(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def gate(expected: Expected, keys: KeyStore) -> Gate:
    return Gate(
        app,
        verifier=TokenVerifier(expected, keys),
        tier="reader",
        max_body=MAX_BODY,
        health={"/healthz": healthy},
    )


@pytest.fixture
async def client(gate: Gate) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://127.0.0.1") as client:
        yield client


async def test_gateway_reaches_the_server(client: httpx2.AsyncClient, mint: Signer) -> None:
    """Behind the gateway's token the caller headers are believed and the body arrives whole."""
    response = await client.post("/mcp", headers=gateway_headers(mint()), content="hello")
    assert response.json() == ["caller-1", "client-1", 5, "request-1", "hello"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic dTpw", "Bearer nonsense"])
@pytest.mark.parametrize("path", ["/mcp", "/", "/healthz/", "/anything"])
async def test_no_token_gets_401(authorization: str | None, path: str, client: httpx2.AsyncClient) -> None:
    """Without the gateway's token every path but the health ones answers 401 with a challenge."""
    response = await client.post(path, headers=gateway_headers("", authorization=authorization))
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_callers_own_token_gets_401(client: httpx2.AsyncClient, mint: Signer) -> None:
    """The token a person signed in with stops at the gateway."""
    token = mint(aud="00000000-0000-4000-8000-0000000000aa", scp="Mcp.Access", roles=["Mcp.Admin"])
    response = await client.post("/mcp", headers=gateway_headers(token))
    assert response.status_code == 401


@pytest.mark.parametrize("tier", [None, "admin", "READER", "reader,admin"])
async def test_other_tier_gets_403(tier: str | None, client: httpx2.AsyncClient, mint: Signer) -> None:
    """A request routed to the wrong tier is refused, even from the gateway."""
    response = await client.post("/mcp", headers=gateway_headers(mint(), x_mcp_tier=tier))
    assert (response.status_code, response.json()) == (
        403,
        {"error": "X-Mcp-Tier must be reader, the tier of this server."},
    )


@pytest.mark.parametrize("caller", [None, "", " ", "a b", "x" * 129, "ren\u00e9", "a\x7f"])
async def test_a_caller_without_a_name_gets_403(caller: str | None, client: httpx2.AsyncClient, mint: Signer) -> None:
    """Callers without a name would share one: its limits and its confirmations."""
    encoded = None if caller is None else caller.encode("latin-1").decode("latin-1")
    headers = {name: value.encode("latin-1") for name, value in gateway_headers(mint(), x_mcp_caller=encoded).items()}
    response = await client.post("/mcp", headers=headers)
    assert response.status_code == 403
    assert response.json()["error"].startswith("X-Mcp-Caller must name the caller")


@pytest.mark.parametrize(("client_id", "status"), [("a b", 403), ("x" * 129, 403), ("", 200), (None, 200)])
async def test_an_odd_client_gets_403(
    client_id: str | None, status: int, client: httpx2.AsyncClient, mint: Signer
) -> None:
    """A token may come without a client, but not with one that no issuer writes."""
    response = await client.post("/mcp", headers=gateway_headers(mint(), x_mcp_client=client_id))
    assert response.status_code == status


@pytest.mark.parametrize("claims", [{"oid": "00000000-0000-4000-8000-00000000ffff"}, {"roles": []}])
async def test_other_identity_gets_403(claims: dict[str, Any], client: httpx2.AsyncClient, mint: Signer) -> None:
    """Another application's valid token is not a way in."""
    response = await client.post("/mcp", headers=gateway_headers(mint(**claims)))
    assert response.status_code == 403
    assert "www-authenticate" not in response.headers


async def test_a_token_for_another_api_is_the_call_s_alone(expected: Expected, keys: KeyStore, mint: Signer) -> None:
    """The server finds it by name, in no header and in nothing that it writes; the next call does not have it."""
    seen: list[tuple[str | None, str, list[bytes]]] = []

    async def server(scope: Any, receive: Any, send: Any) -> None:
        caller = CALLER.get()
        seen.append((caller.downstream_token, repr(caller), [value for _, value in scope["headers"]]))
        await app(scope, receive, send)

    gate = Gate(server, verifier=TokenVerifier(expected, keys), tier="reader", max_body=MAX_BODY, health={})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://127.0.0.1") as client:
        for token in ("for-files", None):
            answer = await client.post("/mcp", headers=gateway_headers(mint(), x_mcp_downstream_token=token))
            assert answer.status_code == 200
    assert [token for token, _, _ in seen] == ["for-files", None]
    assert not any("for-files" in text or b"for-files" in values for _, text, values in seen)


@pytest.mark.parametrize(
    "name", ["authorization", "x-mcp-tier", "x-mcp-caller", "x-mcp-client", "x-mcp-downstream-token"]
)
async def test_repeated_header_is_refused(name: str, client: httpx2.AsyncClient, mint: Signer) -> None:
    """A header that decides occurs once."""
    headers = [*gateway_headers(mint(), x_mcp_downstream_token="for-files").items(), (name, "other")]
    assert (await client.post("/mcp", headers=headers)).status_code == 401


async def test_health_needs_no_token(client: httpx2.AsyncClient) -> None:
    """Probes have no token."""
    assert (await client.get("/healthz")).status_code == 204


async def asked(gate: Gate, token: str, *messages: dict[str, Any], **headers: str) -> tuple[list[Any], int]:
    """What the gate sends for these messages of the server's, and how many of them it has read."""
    rest, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        return rest.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    given = gateway_headers(token) | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "path": "/mcp",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    await gate(scope, receive, send)
    return sent, len(messages) - len(rest)


def part(size: int, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


@pytest.mark.parametrize(
    ("messages", "headers", "status", "read"),
    [
        ([part(MAX_BODY, more=False)], {}, 200, 1),
        ([part(MAX_BODY, more=False)], {"content_length": str(MAX_BODY)}, 200, 1),
        # Chunked: nothing says how much will come, so what comes is counted, and no more is read than that.
        ([part(600, more=True), part(400, more=True), part(0, more=False)], {"transfer_encoding": "chunked"}, 200, 3),
        ([part(600, more=True), part(401, more=True), part(9, more=False)], {"transfer_encoding": "chunked"}, 413, 2),
        ([part(MAX_BODY + 1, more=False)], {}, 413, 1),
        # What is declared too large is refused before it is read; what is declared wrongly is counted.
        ([part(1, more=False)], {"content_length": str(MAX_BODY + 1)}, 413, 0),
        ([part(1, more=False)], {"content_length": "9" * 5000}, 413, 0),
        ([part(600, more=True), part(600, more=False)], {"content_length": "5"}, 413, 2),
        ([part(600, more=True), part(600, more=False)], {"content_length": "\u0661"}, 413, 2),
    ],
)
async def test_a_body_has_a_limit_however_it_is_framed(
    messages: list[dict[str, Any]], headers: dict[str, str], status: int, read: int, gate: Gate, mint: Signer
) -> None:
    """No more than the limit is held, and what is refused does not reach the application."""
    sent, used = await asked(gate, mint(), *messages, **headers)
    assert (sent[0]["status"], used) == (status, read)
    if status == 413:
        reason = f"The request is larger than {MAX_BODY} bytes (`MCP_REQUEST_BYTES_CEILING`)."
        assert json.loads(sent[1]["body"]) == {"error": reason}


async def test_a_body_is_not_read_before_the_token_is_good(gate: Gate, mint: Signer) -> None:
    """Strangers cannot make the server hold anything."""
    sent, read = await asked(gate, mint(aud="another"), part(1, more=False))
    assert (sent[0]["status"], read) == (401, 0)


async def test_a_caller_who_hangs_up_in_the_middle_asks_nothing(gate: Gate, mint: Signer) -> None:
    """Half a request is not run, and nobody is left to answer."""
    sent, _ = await asked(gate, mint(), part(10, more=True), {"type": "http.disconnect"})
    assert sent == []


async def test_a_websocket_is_refused(gate: Gate) -> None:
    """MCP has no such transport, and what follows would meet no check: closed before it is accepted."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await gate({"type": "websocket", "path": "/mcp", "headers": []}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_headers_are_believed_only_behind_the_token(gate: Gate, mint: Signer) -> None:
    """Whoever comes without it names nobody: the application is not asked, and no caller is left behind."""
    sent, _ = await asked(gate, "nonsense", part(0, more=False))
    assert sent[0]["status"] == 401
    assert CALLER.get().subject is None
    await asked(gate, mint(), part(0, more=False))
    assert CALLER.get().subject is None


async def test_no_keys_gets_503(expected: Expected, mint: Signer) -> None:
    """A server that cannot judge says so; it neither lets in nor blames the token."""

    async def down() -> Mapping[str, Any]:
        raise OSError

    gate = Gate(app, verifier=TokenVerifier(expected, KeyStore(down)), tier="reader", max_body=10, health={})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://x") as client:
        response = await client.post("/mcp", headers=gateway_headers(mint()))
    assert response.status_code == 503


async def test_it_is_made_of_the_environment(mint: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same variables for every server; without more, `/healthz` needs no token."""
    for name, value in {**AUTH_ENVIRONMENT, "MCP_REQUEST_BYTES_CEILING": "2000"}.items():
        monkeypatch.setenv(name, value)
    gate = guard(app, read_settings(GateSettings), fetch=mint.fetch)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://x") as client:
        answers = [
            await client.get("/healthz"),
            await client.post("/mcp", headers=gateway_headers(mint()), content="hello"),
            await client.post("/mcp", headers=gateway_headers(mint()), content="x" * 2001),
            await client.post("/mcp", headers=gateway_headers(mint(), x_mcp_tier="admin")),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 413, 403]
    assert answers[0].json() == {"status": "live"}
