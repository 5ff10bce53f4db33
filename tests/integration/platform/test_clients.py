"""Stock MCP clients, on both protocol generations, as admin and as reader, through the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastmcp import Client as FastMcpClient
from mcp import Client as SdkClient
from mcp.client.streamable_http import streamable_http_client

from tests.support.platform_under_test import Platform

READING = {"list-databases", "list-collections", "collection-schema", "find", "count", "aggregate"}
WRITING = {"insert-many", "update-many", "delete-many"}
MODES = {"2026-07-28": "2026-07-28", "2025-11-25": "legacy"}

Connect = Callable[[str, str, str], AbstractAsyncContextManager[Any]]


@asynccontextmanager
async def fastmcp_client(url: str, token: str, mode: str) -> AsyncIterator[Any]:
    async with FastMcpClient(url, auth=token, mode=mode) as client:
        yield client


@asynccontextmanager
async def sdk_client(url: str, token: str, mode: str) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False) as http,
        SdkClient(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.fixture(params=[fastmcp_client, sdk_client], ids=["fastmcp", "sdk"])
def connect(request: pytest.FixtureRequest) -> Connect:
    chosen: Connect = request.param
    return chosen


@pytest.fixture(params=MODES.values(), ids=MODES.keys())
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def names(listed: Any) -> set[str]:
    return {tool.name for tool in getattr(listed, "tools", listed)}


async def find_one(client: Any) -> Any:
    databases = await client.call_tool("list-databases", {})
    assert not databases.is_error
    return await client.call_tool("find", {"database": "platform", "collection": "services", "limit": 1})


async def test_admin_lists_all_tools_and_finds(platform: Platform, connect: Connect, mode: str) -> None:
    """The admin sees reading and writing tools, and find answers."""
    async with connect(platform.endpoint, platform.token("admin"), mode) as client:
        assert names(await client.list_tools()) >= READING | WRITING
        assert not (await find_one(client)).is_error


async def test_reader_lists_reading_tools_and_finds(platform: Platform, connect: Connect, mode: str) -> None:
    """The reader sees no writing tool, and find answers."""
    async with connect(platform.endpoint, platform.token("reader"), mode) as client:
        seen = names(await client.list_tools())
        assert seen >= READING
        assert not seen & WRITING
        assert not (await find_one(client)).is_error


async def test_admin_writes_what_the_reader_then_reads(platform: Platform, connect: Connect, mode: str) -> None:
    """One insert by the admin is one document for the reader; the admin takes it away again."""
    mark = f"{connect.__name__}-{mode}"
    place = {"database": "platform", "collection": "integration"}
    async with connect(platform.endpoint, platform.token("admin"), mode) as admin:
        inserted = await admin.call_tool("insert-many", {**place, "documents": [{"mark": mark}]})
        assert not inserted.is_error
        async with connect(platform.endpoint, platform.token("reader"), mode) as reader:
            counted = await reader.call_tool("count", {**place, "filter": {"mark": mark}})
        asked = await admin.call_tool("delete-many", {**place, "filter": {"mark": mark}})
        token = asked.structured_content["confirmation"]
        deleted = await admin.call_tool("delete-many", {**place, "filter": {"mark": mark}, "confirmation": token})
    assert counted.structured_content["count"] == 1
    assert deleted.structured_content["deleted"] == 1


async def test_reader_is_refused_a_writing_tool(platform: Platform, connect: Connect, mode: str) -> None:
    """A tool that the reader does not see cannot be called by guessing its name, and nothing is written."""
    place = {"database": "platform", "collection": "services"}
    async with connect(platform.endpoint, platform.token("reader"), mode) as client:
        before = await client.call_tool("count", place)
        refused = await _refused(client, "delete-many", {**place, "filter": {}, "all_documents": True})
        after = await client.call_tool("count", place)
    assert "delete-many" in refused or "Unknown tool" in refused
    assert before.structured_content["count"] == after.structured_content["count"] > 0


async def _refused(client: Any, tool: str, arguments: dict[str, Any]) -> str:
    try:
        result = await client.call_tool(tool, arguments)
    except Exception as error:  # noqa: BLE001  each client has its own
        return str(error)
    assert result.is_error, f"{tool} answered {result}"
    return " ".join(block.text for block in result.content)


async def test_eight_callers_at_once_get_their_own_answers(platform: Platform) -> None:
    """Concurrent callers of both tiers never see each other's tools."""

    async def tools(user: str) -> set[str]:
        async with fastmcp_client(platform.endpoint, platform.token(user), "2026-07-28") as client:
            return names(await client.list_tools())

    for user in ("admin", "reader"):
        platform.token(user)
    seen = await asyncio.gather(*(tools("admin" if n % 2 else "reader") for n in range(8)))
    assert [bool(tools & WRITING) for tools in seen] == [bool(n % 2) for n in range(8)]
