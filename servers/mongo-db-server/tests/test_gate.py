from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mongo_db_server import server, settings
from mongo_db_server.caller import CALLER
from mongo_db_server.gate import Gate
from mongo_db_server.keys import KeyStore
from mongo_db_server.tokens import Expected, TokenVerifier
from mongo_db_server.tools import ALL

Mint = Callable[..., str]
MAX_BODY = 1000
HOST = "reader.mcp.internal:8000"


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
async def client(expected: Expected, keys: KeyStore) -> AsyncIterator[httpx2.AsyncClient]:
    gate = Gate(
        app,
        verifier=TokenVerifier(expected, keys),
        tier="reader",
        max_body=MAX_BODY,
        health={"/healthz": healthy},
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://127.0.0.1") as client:
        yield client


def gateway_headers(token: str, **replaced: str | None) -> dict[str, str]:
    usual = {
        "authorization": f"Bearer {token}",
        "x-mcp-tier": "reader",
        "x-mcp-caller": "caller-1",
        "x-mcp-client": "client-1",
        "x-correlation-id": "request-1",
    }
    given = usual | {name.replace("_", "-"): value for name, value in replaced.items()}
    return {name: value for name, value in given.items() if value is not None}


async def test_gateway_reaches_the_server(client: httpx2.AsyncClient, mint: Mint) -> None:
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


async def test_callers_own_token_gets_401(client: httpx2.AsyncClient, mint: Mint) -> None:
    """The token a person signed in with stops at the gateway."""
    token = mint(aud="00000000-0000-4000-8000-0000000000aa", scp="Mcp.Access", roles=["Mcp.Admin"])
    response = await client.post("/mcp", headers=gateway_headers(token))
    assert response.status_code == 401


@pytest.mark.parametrize("tier", [None, "admin", "READER", "reader,admin"])
async def test_other_tier_gets_403(tier: str | None, client: httpx2.AsyncClient, mint: Mint) -> None:
    """A request routed to the wrong tier is refused, even from the gateway."""
    response = await client.post("/mcp", headers=gateway_headers(mint(), x_mcp_tier=tier))
    assert (response.status_code, response.json()) == (
        403,
        {"error": "X-Mcp-Tier must be reader, the tier of this server."},
    )


@pytest.mark.parametrize("claims", [{"oid": "00000000-0000-4000-8000-00000000ffff"}, {"roles": []}])
async def test_other_identity_gets_403(claims: dict[str, Any], client: httpx2.AsyncClient, mint: Mint) -> None:
    """Another application's valid token is not a way in."""
    response = await client.post("/mcp", headers=gateway_headers(mint(**claims)))
    assert response.status_code == 403
    assert "www-authenticate" not in response.headers


@pytest.mark.parametrize("name", ["authorization", "x-mcp-tier", "x-mcp-caller", "x-mcp-client"])
async def test_repeated_header_is_refused(name: str, client: httpx2.AsyncClient, mint: Mint) -> None:
    """A header that decides occurs once."""
    headers = [*gateway_headers(mint()).items(), (name, "other")]
    assert (await client.post("/mcp", headers=headers)).status_code == 401


async def test_health_needs_no_token(client: httpx2.AsyncClient) -> None:
    """Probes have no token."""
    assert (await client.get("/healthz")).status_code == 204


async def test_body_above_the_ceiling_gets_413(client: httpx2.AsyncClient, mint: Mint) -> None:
    """A body is held up to the ceiling, declared or not."""
    headers = gateway_headers(mint())
    assert (await client.post("/mcp", headers=headers, content=b"x" * MAX_BODY)).status_code == 200
    assert (await client.post("/mcp", headers=headers, content=b"x" * (MAX_BODY + 1))).status_code == 413


async def test_no_keys_gets_503(expected: Expected, mint: Mint) -> None:
    """A server that cannot judge says so; it neither lets in nor blames the token."""

    async def down() -> Mapping[str, Any]:
        raise OSError

    gate = Gate(app, verifier=TokenVerifier(expected, KeyStore(down)), tier="reader", max_body=10, health={})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://x") as client:
        response = await client.post("/mcp", headers=gateway_headers(mint()))
    assert response.status_code == 503


@asynccontextmanager
async def running(gate: Gate) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        gate._app._app.router.lifespan_context(gate._app._app),  # type: ignore[attr-defined]  # ASGITransport sends none
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=gate), base_url="http://reader.mcp.internal:8000"
        ) as client,
    ):
        yield client


@pytest.fixture
def whole(
    environment: dict[str, str],
    use_environment: Callable[[Mapping[str, str]], None],
    fetch: Callable[[], Awaitable[Mapping[str, Any]]],
) -> Gate:
    """The application as it runs in a container."""
    use_environment(environment | {"MCP_ALLOWED_HOSTS": HOST})
    return server.http_app(settings.load(), fetch_keys=fetch)


def listing(version: str) -> tuple[dict[str, str], dict[str, Any]]:
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": version,
        "mcp-method": "tools/list",
    }
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return headers, {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}


@pytest.mark.parametrize("version", ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"])
async def test_both_protocol_generations_on_one_path(version: str, whole: Gate, mint: Mint) -> None:
    """A client of either generation lists the same tools, without a session."""
    headers, body = listing(version)
    async with running(whole) as client:
        response = await client.post("/mcp", headers=gateway_headers(mint()) | headers, json=body)
    assert response.status_code == 200, response.text
    assert "mcp-session-id" not in response.headers
    listed = [tool["name"] for tool in response.json()["result"]["tools"]]
    assert listed == [tool.name for tool in ALL if tool.operation.allowed_in("reader")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example"}, 421), ({"origin": "https://evil.example"}, 403)],
)
async def test_foreign_host_and_origin_are_refused(
    headers: dict[str, str], status: int, whole: Gate, mint: Mint
) -> None:
    """Even with the gateway's token, a rebound name or a browser's page is turned away."""
    version_headers, body = listing("2026-07-28")
    async with running(whole) as client:
        response = await client.post("/mcp", headers=gateway_headers(mint()) | version_headers | headers, json=body)
    assert response.status_code == status


async def test_live_while_the_database_is_away(whole: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe reaches the server under any name, and the database does not decide whether it lives."""
    async with running(whole) as client:
        response = await client.get("/healthz", headers={"host": "10.0.0.7:8000"})
    assert (response.status_code, response.json()) == (200, {"status": "live"})
