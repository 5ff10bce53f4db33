"""Servers of somebody else, from PyPI, from npm and elsewhere: added, deployed and called by a stock client."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.shared.exceptions import MCPError

from tests.support import own_platform
from tests.support.platform_under_test import Platform
from tests.support.remote_server import RemoteServer

# About 70 seconds: 15 and 30 for the locks and packages, the rest for one deployment.
pytestmark = [pytest.mark.usefixtures("local_only"), pytest.mark.minutes(2)]

CLOCK = "mcp-server-time==2026.10.19"
NOTES = "@modelcontextprotocol/server-memory@2026.8.31"


KEY = "what-the-vendor-gave"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[RemoteServer]:
    with RemoteServer(KEY) as server:
        yield server


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory, elsewhere: RemoteServer) -> Iterator[Platform]:
    """A platform that hosts all three beside the first server."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("a server from npm needs Node.js 20 or later, which this machine does not have")
    folder = tmp_path_factory.mktemp("hosted")
    (folder / "home-secrets.json").write_text(json.dumps({"vendor-key": KEY}), encoding="utf-8")
    platform = own_platform.copied(folder, "servers")
    platform.invoke("add-server", "vendor", "--remote", elsewhere.url, "--header", "Authorization=vendor-key")
    platform.invoke("add-server", "clock", "--pypi", CLOCK)
    platform.invoke("add-server", "notes", "--npm", NOTES, "--sessions", "caller")
    changed = own_platform.values(platform)
    # An operator's decision: this tool says nothing of itself that a reading tier would go by.
    changed["mcp_servers"]["notes"]["tiers"]["reader"]["tools"] = {"allow": ["read_graph", "create_entities"]}
    # It keeps a file beside its code otherwise, where nobody may write on Azure.
    changed["mcp_servers"]["notes"]["environment"] = {"MEMORY_FILE_PATH": "{HOME}/memory.jsonl"}
    own_platform.set_values(platform, changed)
    with own_platform.deployed(platform):
        yield platform


@asynccontextmanager
async def client(platform: Platform, server: str, user: str, mode: Any = "auto") -> Any:
    """A stock client, signed in as one person."""
    url = platform.status["servers"][server]["url"]
    transport = StreamableHttpTransport(url, headers={"Authorization": f"Bearer {platform.token(user)}"})
    async with Client(transport, mode=mode) as connected:
        yield connected


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("user", ["admin", "reader"])
def test_a_server_from_pypi(hosted: Platform, user: str, mode: str) -> None:
    """In both eras of the protocol, for both roles."""

    async def call() -> tuple[set[str], Any]:
        async with client(hosted, "clock", user, mode) as connected:
            tools = {tool.name for tool in await connected.list_tools()}
            given = {"source_timezone": "Europe/Berlin", "time": "12:00", "target_timezone": "Asia/Tokyo"}
            return tools, await connected.call_tool("convert_time", given)

    tools, answer = asyncio.run(call())
    assert tools == {"get_current_time", "convert_time"}
    assert json.loads(answer.content[0].text)["time_difference"] in ("+7.0h", "+8.0h")


def test_a_server_from_npm_with_sessions(hosted: Platform) -> None:
    """Each caller has a process, and with it what a server keeps; a list opens to readers what it names, alone."""
    entity = {"entities": [{"name": "Ada", "entityType": "person", "observations": ["counts"]}]}

    async def call() -> tuple[Any, Any, set[str]]:
        async with client(hosted, "notes", "reader") as reader, client(hosted, "notes", "admin") as admin:
            await reader.call_tool("create_entities", entity)
            shown = {tool.name for tool in await reader.list_tools()}
            with pytest.raises(MCPError, match="not open to your role"):
                await reader.call_tool("delete_entities", {"entityNames": ["Ada"]})
            return await reader.call_tool("read_graph", {}), await admin.call_tool("read_graph", {}), shown

    mine, other, shown = asyncio.run(call())
    assert [entity["name"] for entity in mine.structured_content["entities"]] == ["Ada"]
    assert other.structured_content["entities"] == []
    assert shown == {"create_entities", "read_graph"}


def test_a_server_elsewhere(hosted: Platform, elsewhere: RemoteServer) -> None:
    """Its tools that only read are the readers', its sessions are whose they are, and no token of ours reaches it."""

    async def call() -> tuple[set[str], list[str]]:
        async with client(hosted, "vendor", "admin", "legacy") as admin, client(hosted, "vendor", "reader") as reader:
            await admin.call_tool("tell", {"text": "mine"})
            shown = {tool.name for tool in await reader.list_tools()}
            with pytest.raises(MCPError, match="not open to your role"):
                await reader.call_tool("tell", {"text": "theirs"})
            answers = [await admin.call_tool("recall"), await reader.call_tool("recall")]
            return shown, [answer.content[0].text for answer in answers]

    begun = len(elsewhere.seen)
    assert asyncio.run(call()) == ({"recall"}, ["mine", "nothing"])
    sent = elsewhere.seen[begun:]
    session = next(headers["mcp-session-id"] for headers in sent if "mcp-session-id" in headers)
    url = hosted.status["servers"]["vendor"]["url"]
    taken = hosted.call("tools/list", user="reader", url=url, headers={"Mcp-Session-Id": session})
    assert (taken.status, {headers["authorization"] for headers in sent}) == (404, {f"Bearer {KEY}"})
    assert [name for headers in sent for name in headers if name.startswith("x-mcp-")] == []
    assert "eyJ" not in json.dumps(sent)
    assert hosted.status["servers"]["vendor"]["remote"] == elsewhere.url


def test_its_credential_is_in_no_state_and_no_log(hosted: Platform) -> None:
    """Terraform names the secret and does not read it; what the gateway reads instead is the local vault's."""
    home = Path(hosted.variables["TWIN_HOME"])
    holders = [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert {path.relative_to(home).as_posix() for path in holders} == {
        "cloud.json",
        "run/state.json",
        "run/state.gateway.json",
    }


@pytest.mark.parametrize(("user", "status"), [("outsider", 403), (None, 401)])
def test_who_may_not_does_not(hosted: Platform, user: str | None, status: int) -> None:
    """The gateway's rules are the first server's; a front itself lets in nobody else."""
    server = hosted.status["servers"]["clock"]
    assert hosted.call("tools/list", user=user, url=server["url"]).status == status
    assert hosted.call("tools/list", user="reader", url=server["tiers"]["reader"] + "/mcp").status == 401
