"""The server as a process: environment in, HTTP out."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pymongo
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from pymongo.errors import OperationFailure

from tests.support import server_process
from tests.support.server_process import Issuer

pytestmark = pytest.mark.minutes(1)

Start = Callable[[dict[str, str]], Any]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with closing(Issuer()) as issuer:
        yield issuer


@pytest.fixture
def environment(issuer: Issuer, mongodb_uri: str) -> dict[str, str]:
    return server_process.environment(issuer, mongodb_uri, MCP_TIER="reader")


@pytest.fixture
def headers(issuer: Issuer) -> dict[str, str]:
    return {"authorization": f"Bearer {issuer.token()}", "x-mcp-tier": "reader", "x-mcp-caller": "caller-1"}


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_stock_client_calls_a_tool(
    mode: str, start: Start, environment: dict[str, str], headers: dict[str, str]
) -> None:
    """A client of either generation lists and calls, and the log says who called what, once."""
    server = start(environment)
    transport = StreamableHttpTransport(f"http://127.0.0.1:{server.port()}/mcp", headers=headers)
    async with Client(transport, mode=mode) as client:
        assert "find" in {tool.name for tool in await client.list_tools()}
        result = await client.call_tool("list-databases", {})
    assert isinstance(result.structured_content["databases"], list)
    assert server.stop() == 0
    (line,) = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert (line["caller"], line["tool"], line["outcome"]) == ("caller-1", "list-databases", "ok")
    assert line["request_bytes"] > 0


async def test_health(start: Start, environment: dict[str, str]) -> None:
    """Alive and ready without a token; `/mcp` is not to be had without one."""
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{start(environment).port()}") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.post("/mcp", json={})).status_code == 401


async def test_alive_but_not_ready_without_a_database(start: Start, environment: dict[str, str]) -> None:
    """The server starts while the database is away, and says so."""
    server = start(environment | {"MONGODB_URI": "mongodb://127.0.0.1:1/"})
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port()}", timeout=10) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503


def test_sigterm_is_no_failure(start: Start, environment: dict[str, str]) -> None:
    """A stop that was asked for ends with exit code 0, soon."""
    server = start(environment)
    server.port()
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5


async def test_sigterm_lets_a_call_finish(
    start: Start, environment: dict[str, str], headers: dict[str, str], mongodb_uri: str
) -> None:
    """A call that runs when the stop arrives still gets its answer."""
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as database:
        data = {"failCommands": ["listDatabases"], "blockConnection": True, "blockTimeMS": 2500}
        try:
            database.admin.command({"configureFailPoint": "failCommand", "mode": {"times": 1}, "data": data})
        except OperationFailure as error:
            pytest.skip(f"this database has no fail points: {error.code}")
    server = start(environment)
    transport = StreamableHttpTransport(f"http://127.0.0.1:{server.port()}/mcp", headers=headers)
    async with Client(transport, mode="2026-07-28") as client:
        await client.list_tools()
        running = asyncio.create_task(client.call_tool("list-databases", {}))
        await asyncio.sleep(0.7)
        server.process.send_signal(signal.SIGTERM)
        assert not (await running).is_error
    assert await asyncio.to_thread(server.stop) == 0


@pytest.mark.parametrize("change", [{"MCP_TIER": "owner"}, {"MONGODB_URI": "mongodb://account:s3cret@"}])
def test_wrong_setting_ends_with_exit_code_2(change: dict[str, str], start: Start, environment: dict[str, str]) -> None:
    """The one line it writes names the setting and no secret."""
    server = start(environment | change)
    assert server.process.wait(60) == 2
    assert server.process.stdout is not None
    assert server.process.stdout.read() == ""
    written = server.log.read_text()
    assert next(iter(change)) in json.loads(written)["message"]
    assert "s3cret" not in written


async def test_a_caller_who_hangs_up_ends_his_call_at_the_database(
    start: Start, environment: dict[str, str], headers: dict[str, str], mongodb_uri: str
) -> None:
    """The call is over soon, no cursor stays open, and the log says that it was cancelled."""
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as database:
        database.hangup.many.insert_many([{"n": n} for n in range(3000)])
        before = database.admin.command("serverStatus")["metrics"]["cursor"]["open"]["total"]
        data = {"failCommands": ["getMore"], "blockConnection": True, "blockTimeMS": 1500}
        try:
            database.admin.command({"configureFailPoint": "failCommand", "mode": {"times": 1}, "data": data})
        except OperationFailure as error:
            pytest.skip(f"this database has no fail points: {error.code}")
        server = start(environment)
        params = {"name": "find", "arguments": {"database": "hangup", "collection": "many", "limit": 2500}}
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        more = {"accept": "application/json", "mcp-protocol-version": "2025-11-25"}
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port()}") as client:
            with pytest.raises(httpx2.ReadTimeout):
                await client.post("/mcp", json=request, headers=headers | more, timeout=1)
        assert await asyncio.to_thread(server.stop) == 0
        (line,) = [json.loads(line) for line in server.log.read_text().splitlines()]
        assert (line["tool"], line["outcome"]) == ("find", "cancelled")
        database.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        for _ in range(100):
            if database.admin.command("serverStatus")["metrics"]["cursor"]["open"]["total"] <= before:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the cursor is still open at the database")
        database.drop_database("hangup")


async def test_progress_is_told_while_a_call_runs(
    start: Start, environment: dict[str, str], headers: dict[str, str], mongodb_uri: str
) -> None:
    """A caller who asks for progress hears of it, and then gets the answer."""
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as database:
        database.progress.many.insert_many([{"n": n} for n in range(600)])
        server = start(environment)
        transport = StreamableHttpTransport(f"http://127.0.0.1:{server.port()}/mcp", headers=headers)
        heard: list[float] = []

        async def hear(done: float, total: float | None, message: str | None) -> None:
            heard.append(done)

        async with Client(transport, mode="legacy") as client:
            arguments = {"database": "progress", "collection": "many", "limit": 600}
            result = await client.call_tool("find", arguments, progress_handler=hear)
        assert (result.structured_content["returned"], heard) == (600, [250, 500])
        database.drop_database("progress")
