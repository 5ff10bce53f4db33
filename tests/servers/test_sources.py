"""A server from each source, in a fresh clone: called by a stock client as two roles, gates green, and taken away.

The gallery's rows are read from docs/gallery.md. In this order: what is last takes the servers away.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.shared.exceptions import MCPError

from tests.servers import gallery
from tests.servers.conftest import GATES, Checkout, client
from tests.support import ctrl_c

Connected = Client[StreamableHttpTransport]


async def text(connected: Connected, tool: str, **arguments: Any) -> str:
    """The words of a tool's answer."""
    answer = await connected.call_tool(tool, arguments, raise_on_error=False)
    return "\n".join(getattr(block, "text", "") for block in answer.content)


async def own(connected: Connected, user: str) -> None:
    assert await text(connected, "count-words", text="one two three") == "3"
    assert f'"tier":"{user}"' in (await text(connected, "about")).replace(" ", "")


async def shop(connected: Connected, user: str) -> None:
    """A reader has what GET does; what POST does, nobody knows to be harmless."""
    if user == "admin":
        assert "tea" in await text(connected, "createOrder", item="tea")
    else:
        with pytest.raises(MCPError, match="not open to your role"):
            await connected.call_tool("createOrder", {"item": "tea"})
    assert "orders" in await text(connected, "listOrders")


async def clock(connected: Connected, user: str) -> None:
    told = await text(
        connected, "convert_time", source_timezone="Asia/Kolkata", time="12:00", target_timezone="Asia/Tokyo"
    )
    assert "+3.5h" in told


async def fetch(connected: Connected, user: str) -> None:
    """It reaches nothing here, and says so itself."""
    assert "private" in (await text(connected, "fetch", url="http://127.0.0.1:9/")).lower()


async def notes(connected: Connected, user: str) -> None:
    """Each caller has a process, and with it what the server keeps."""
    entity = {"name": f"of {user}", "entityType": "person", "observations": ["counts"]}
    if user == "admin":
        await text(connected, "create_entities", entities=[entity])
        assert "of admin" in await text(connected, "read_graph")
    else:
        assert "of admin" not in await text(connected, "read_graph")
        with pytest.raises(MCPError, match="not open to your role"):
            await connected.call_tool("create_entities", {"entities": [entity]})


async def files(connected: Connected, user: str) -> None:
    home = (await text(connected, "list_allowed_directories")).splitlines()[-1]
    if user == "admin":
        await text(connected, "write_file", path=f"{home}/note.txt", content="written")
        assert "written" in await text(connected, "read_text_file", path=f"{home}/note.txt")
    else:
        assert "note.txt" not in await text(connected, "list_directory", path=home)
    assert "ccess denied" in await text(connected, "read_text_file", path="/etc/passwd")


async def thinking(connected: Connected, user: str) -> None:
    step = {"thought": "one", "thoughtNumber": 1, "totalThoughts": 1, "nextThoughtNeeded": False}
    assert '"thoughtHistoryLength": 1' in await text(connected, "sequentialthinking", **step)


async def data(connected: Connected, user: str) -> None:
    if user == "admin":
        await text(connected, "create_table", query="CREATE TABLE towns (name TEXT)")
        assert "towns" in await text(connected, "list_tables")
    else:
        assert "towns" not in await text(connected, "list_tables")
        with pytest.raises(MCPError, match="not open to your role"):
            await connected.call_tool("write_query", {"query": "DROP TABLE towns"})


async def everything(connected: Connected, user: str) -> None:
    assert "hello" in await text(connected, "echo", message="hello")


CALLS: dict[str, Callable[[Connected, str], Awaitable[None]]] = {
    "own": own, "shop": shop, "clock": clock, "fetch": fetch, "notes": notes, "files": files, "thinking": thinking,
    "data": data, "everything": everything,
}  # fmt: skip


def test_every_source_and_every_server_of_the_gallery_is_called(checkout: Checkout) -> None:
    """A row that is added to the page is a call to be written here."""
    assert list(checkout.servers) == list(CALLS)


@pytest.mark.parametrize("user", ["admin", "reader"])
@pytest.mark.parametrize("server", CALLS)
def test_a_stock_client_calls_it(checkout: Checkout, server: str, user: str) -> None:
    """Through the gateway, signed in, as each role; a reader has what is said to read."""

    async def call() -> int:
        async with client(checkout.platform, server, user) as connected:
            await CALLS[server](connected, user)
            return len(await connected.list_tools())

    shown = asyncio.run(call())
    wanted = {row.name: {"admin": row.admin, "reader": row.reader} for row in gallery.rows()}
    assert shown == {**wanted, "own": {"admin": 2, "reader": 2}, "shop": {"admin": 2, "reader": 1}}[server][user]


@pytest.mark.parametrize("server", ["own", "clock", "notes"])
def test_a_client_of_the_older_protocol_calls_it(checkout: Checkout, server: str) -> None:
    """Of a server of one's own, of one from PyPI, and of one from npm with sessions."""

    async def call() -> None:
        async with client(checkout.platform, server, "admin", mode="legacy") as connected:
            await CALLS[server](connected, "admin")

    asyncio.run(call())


@pytest.mark.parametrize("server", ["own", "clock"])
@pytest.mark.parametrize(("user", "status"), [("outsider", 403), (None, 401)])
def test_who_may_not_does_not(checkout: Checkout, server: str, user: str | None, status: int) -> None:
    """The gateway's rules are the first server's; behind it nobody but the gateway is let in, with any token."""
    found = checkout.platform.status["servers"][server]
    assert checkout.platform.call("tools/list", user=user, url=found["url"]).status == status
    direct = found["tiers"]["reader"] + "/mcp"
    assert checkout.platform.call("tools/list", user=user and "reader", url=direct).status == 401


def test_the_first_server_is_as_it_was(checkout: Checkout) -> None:
    """It answers beside the others, and is still the endpoint."""
    url = checkout.platform.status["servers"]["mongodb"]["url"]
    called = checkout.platform.call("tools/call", {"name": "list-databases", "arguments": {}}, user="reader", url=url)
    assert (called.status, checkout.platform.status["endpoint"]) == (200, url)


def test_adding_one_again_changes_nothing(checkout: Checkout) -> None:
    """Neither the folders nor the entries."""
    before = checkout.git("status", "--short"), checkout.git("diff")
    for name in ("own", "shop"):
        checkout.platform.invoke(*checkout.servers[name])
    assert (checkout.git("status", "--short"), checkout.git("diff")) == before


@contextmanager
def developing(checkout: Checkout, server: str) -> Iterator[subprocess.Popen[str]]:
    """`invoke dev` of a server, ended as a person ends it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", "dev", server],
        cwd=checkout.root,
        env={**os.environ, **checkout.platform.variables},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=ctrl_c.heed,
    )
    last = threading.Timer(240, process.kill)  # what it does not say would be waited for without end
    last.start()
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[1]
        last.cancel()
    assert (process.returncode, "runs as it was deployed again" in said) == (0, True), said


def test_a_change_is_served_while_it_is_developed(checkout: Checkout) -> None:
    """Within seconds and without a deployment; a mistake is said and mended; afterwards the image runs again."""

    def counted() -> str:
        async def call() -> str:
            async with client(checkout.platform, "own", "reader") as connected:
                return await text(connected, "count-words", text="one two three")

        return asyncio.run(call())

    tools = checkout.root / "servers/own/src/own_server/tools.py"
    before = tools.read_text(encoding="utf-8")
    changed = before.replace("len(text.split())", "len(text.split()) + 100")
    assert changed != before
    try:
        with developing(checkout, "own") as process:
            wait_for(process, "watching")
            tools.write_text("no Python\n", encoding="utf-8")
            wait_for(process, "does not serve")
            tools.write_text(changed, encoding="utf-8")
            wait_for(process, "own runs from own/src/own_server/tools.py")
            assert counted() == "103"
    finally:
        tools.write_text(before, encoding="utf-8")
    assert counted() == "3"


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Read what it says until it says that."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"it ended without {words!r}:\n{''.join(said)}")


@pytest.mark.parametrize("session", GATES)
def test_the_gates_stay_green(checkout: Checkout, session: str) -> None:
    """With all of them there, and nothing recorded anew."""
    checkout.require_green(session, "own")


def test_taking_them_away_leaves_nothing(checkout: Checkout) -> None:
    """The clone is as it was cloned, but for what version control does not hold; and the gates made no file either."""
    variables = checkout.root / "terraform/environments/local/terraform.tfvars"
    for row in gallery.rows():  # remove-server takes what a person wrote into an entry away too
        assert not row.entry or row.entry in variables.read_text(encoding="utf-8")
    for name in checkout.servers:
        checkout.platform.invoke("remove-server", name, "--yes")
    assert checkout.git("status", "--short") == ""
