"""The front of a server that speaks MCP over HTTP beside it: called through the gate, told nothing of the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import pytest
from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_headers
from gateway_auth import SettingsError
from gateway_auth.front import app
from gateway_auth.front.__main__ import application
from gateway_auth.front.settings import FrontSettings
from gateway_auth.testing import AUTH_ENVIRONMENT, Signer, gateway_headers
from mcp_types import ToolAnnotations

Running = Callable[[Any], AbstractAsyncContextManager[None]]
READS = ToolAnnotations(read_only_hint=True)


@pytest.fixture
def behind() -> Any:
    """Somebody else's server, with sessions as the older versions of the protocol have them."""
    mcp: FastMCP[Any] = FastMCP("behind")

    @mcp.tool(annotations=READS)
    def headers() -> list[str]:
        return sorted(get_http_headers(include_all=True))

    @mcp.tool(annotations=READS)
    def large() -> str:
        return "x" * 10_000

    @mcp.tool(annotations=READS)
    async def slow() -> str:
        await asyncio.sleep(60)
        return "late"

    @mcp.tool
    def write() -> str:
        return "written"

    return mcp.http_app(path="/mcp", host_origin_protection=False)


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
async def test_it_is_called_through_the_gate(mint: Signer, running: Running, behind: Any, version: str) -> None:
    """As a reader: what reads is called, a large answer is that call's error, no header of the gateway's arrives."""
    values = {name.lower(): value for name, value in AUTH_ENVIRONMENT.items()}
    settings = FrontSettings(
        **values, mcp_server_name="front", mcp_front_reads=True, mcp_front_answer_bytes=5000, mcp_front_seconds=1
    )
    gate = app.of_address(settings, "http://127.0.0.1:9000/mcp", mint.fetch, lambda: httpx2.ASGITransport(app=behind))
    transport = httpx2.ASGITransport(app=gate)
    async with (
        running(behind),
        running(gate),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):

        async def call(method: str, name: str) -> Any:
            given = gateway_headers(mint()) | {"accept": "application/json, text/event-stream", "x-secret": "a secret"}
            params: dict[str, Any] = {"name": name, "arguments": {}} if name else {}
            if version == "2026-07-28":
                given |= {"mcp-protocol-version": version, "mcp-method": method, **({"mcp-name": name} if name else {})}
                params["_meta"] = {
                    "io.modelcontextprotocol/protocolVersion": version,
                    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                    "io.modelcontextprotocol/clientCapabilities": {},
                }
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return (await client.post("/mcp", headers=given, json=body)).json()

        assert (await client.get("/readyz")).status_code == 200
        assert {tool["name"] for tool in (await call("tools/list", ""))["result"]["tools"]} == {
            "headers",
            "large",
            "slow",
        }
        seen = set((await call("tools/call", "headers"))["result"]["structuredContent"]["result"])
        assert "authorization" not in seen
        assert {name for name in seen if name.startswith("x-")} == set()
        assert "not open to your role" in (await call("tools/call", "write"))["error"]["message"]
        for bounded in ("large", "slow"):
            refused = await call("tools/call", bounded)
            assert "error" in refused or refused["result"]["isError"], bounded


@pytest.mark.parametrize("given", [[], ["--url", "http://localhost:9001/mcp"]])
def test_its_address_is_a_setting_or_an_argument(settings: Callable[..., FrontSettings], given: list[str]) -> None:
    """The platform says it in MCP_FRONT_URL; nothing at all, or another machine, is refused."""
    assert application(given, settings(mcp_front_url="" if given else "http://127.0.0.1:9001/mcp"))
    with pytest.raises(SettingsError, match="must be http on loopback"):
        application([], settings(mcp_front_url="http://charts.example/mcp"))
    with pytest.raises(SystemExit):
        application([], settings())


def test_calls_of_another_container_are_not_promised(settings: Callable[..., FrontSettings]) -> None:
    """It goes its own way out: `egress` would be believed and not kept."""
    with pytest.raises(SettingsError, match=r"leave `egress` out .* network.containers_egress"):
        application([], settings(mcp_front_url="http://127.0.0.1:9001/mcp", mcp_front_egress="api.example.com"))


@pytest.fixture
def settings() -> Callable[..., FrontSettings]:
    values = {name.lower(): value for name, value in AUTH_ENVIRONMENT.items()}
    return lambda **given: FrontSettings(**values, mcp_server_name="front", **given)
