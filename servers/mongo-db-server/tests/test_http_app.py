from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from gateway_auth import Gate
from gateway_auth.testing import Signer, gateway_headers
from mongo_db_server import server, settings
from mongo_db_server.tools import ALL

HOST = "reader.mcp.internal:8000"


@asynccontextmanager
async def running(gate: Gate) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        lifespan(gate),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=gate), base_url="http://reader.mcp.internal:8000"
        ) as client,
    ):
        yield client


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Starts and stops the application as a server does, which httpx's transport does not."""
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    serving = asyncio.create_task(app({"type": "lifespan", "state": {}}, events.get, answers.put))
    for event in ("startup", "shutdown"):
        await events.put({"type": f"lifespan.{event}"})
        assert (await answers.get())["type"] == f"lifespan.{event}.complete"
        if event == "startup":
            yield
    await serving


@pytest.fixture
def whole(
    environment: dict[str, str],
    use_environment: Callable[[Mapping[str, str]], None],
    mint: Signer,
) -> Gate:
    """The application as it runs in a container."""
    use_environment(environment | {"MCP_ALLOWED_HOSTS": HOST})
    return server.http_app(settings.load(), fetch_keys=mint.fetch)


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
async def test_both_protocol_generations_on_one_path(version: str, whole: Gate, mint: Signer) -> None:
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
    headers: dict[str, str], status: int, whole: Gate, mint: Signer
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
