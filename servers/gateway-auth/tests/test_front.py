"""The front with a real process behind it, called through the gate as the gateway calls."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from gateway_auth.front import app
from gateway_auth.front.child import Lines, Oversized, write_log
from gateway_auth.front.egress import Hosts, Proxy
from gateway_auth.front.settings import FrontSettings
from gateway_auth.testing import AUTH_ENVIRONMENT, Signer, gateway_headers

SERVER = Path(__file__).with_name("stdio_server.py")
ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


class Unheard(Proxy):
    """A proxy that listens at no port."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        yield


Call = Callable[..., Any]
Front = Callable[..., AbstractAsyncContextManager[Call]]
Running = Callable[[Any], AbstractAsyncContextManager[None]]


@pytest.fixture
def front(mint: Signer, running: Running) -> Front:
    """Start a front of a command; what it yields makes a call and returns its JSON-RPC answer."""

    @asynccontextmanager
    async def start(command: tuple[str, ...] = (sys.executable, str(SERVER)), **given: Any) -> AsyncIterator[Call]:
        values = {name.lower(): value for name, value in AUTH_ENVIRONMENT.items()}
        settings = FrontSettings(**values, mcp_server_name="strange", **given)
        gate = app.of_command(settings, command, mint.fetch, Unheard(Hosts("")))
        transport = httpx2.ASGITransport(app=gate)
        async with running(gate), httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:

            async def call(method: str, caller: str = "caller-1", **params: Any) -> Any:
                if method.startswith("/"):
                    return (await client.get(method)).status_code
                headers = gateway_headers(mint(), x_mcp_caller=caller) | ACCEPT
                body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                return (await client.post("/mcp", headers=headers, json=body, timeout=30)).json()

            yield call

    return start


async def tool(call: Call, name: str, caller: str = "caller-1") -> Any:
    """What a tool's text says; the error where there is one."""
    answer = await call("tools/call", caller, name=name, arguments={})
    if "error" in answer:
        return answer["error"]["message"]
    result = answer["result"]
    text = result["content"][0]["text"]
    return f"is_error: {text}" if result.get("isError") else json.loads(text)


async def test_a_process_behind_the_gate(
    front: Front, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked, bounded, restarted and ended, and sees nothing of the platform."""
    monkeypatch.setenv("ITS_KEY", "its")
    monkeypatch.setenv("ITS_FILE", "{HOME}/file")
    monkeypatch.setenv("NOT_ITS_KEY", "not its")
    async with front(mcp_front_environment="ITS_KEY, ITS_FILE", mcp_front_answer_bytes=100_000) as call:
        assert [await call("/healthz"), await call("/readyz")] == [200, 200]

        seen = await tool(call, "environment")
        home = Path(seen.pop("HOME"))
        assert (seen.pop("ITS_KEY"), seen.pop("ITS_FILE")) == ("its", f"{home}/file")
        proxy = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy", "NODE_USE_ENV_PROXY"}
        assert set(seen) - {"LC_CTYPE"} == {"PATH", "TMPDIR", "LANG", *proxy}
        assert home.is_dir()  # noqa: ASYNC240 - one look

        assert [await tool(call, "count", caller) for caller in ("one", "two")] == [1, 2]
        assert await tool(call, "noise") == "quiet again"
        assert await tool(call, "fail") == 'is_error: "fail"'
        for name in ("large", "large-id-first"):
            assert "larger than 100000 bytes; ask for less" in str(await tool(call, name))
        assert await tool(call, "count") == 3, "an answer that is too large ends no other call"

        for name in ("close", "die"):
            assert "closed" in str(await tool(call, name)).lower()
            assert await tool(call, "count") == 1, "a new process"
    assert not home.exists(), "what it wrote is gone with it"  # noqa: ASYNC240 - one look
    logged = capfd.readouterr().err
    assert "[server] a line of the log\n" in logged
    assert "[server] (a line too long to show)\n" in logged
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    count = next(line for line in lines if line["name"] == "count")
    assert {
        key: count[key] for key in ("server", "tier", "caller", "client", "method", "outcome", "correlation_id")
    } == {
        "server": "strange",
        "tier": "reader",
        "caller": "one",
        "client": "client-1",
        "method": "tools/call",
        "outcome": "ok",
        "correlation_id": "request-1",
    }
    assert {line["outcome"] for line in lines if line["name"] == "fail"} == {"error"}
    assert "its" not in logged.replace("this is no JSON-RPC", "").split()


async def test_nobody_writes_among_the_packages(front: Front, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What one caller's process keeps there would reach the next; root too heeds the folder's mode."""
    tmp_path.chmod(0o555)  # noqa: ASYNC240 - one call
    monkeypatch.setenv("PACKAGES", str(tmp_path))
    async with front(mcp_front_environment="PACKAGES") as call:
        assert await tool(call, "keep") == [errno.EACCES, len("of a caller")]
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - one look


async def test_a_process_for_each_caller(front: Front) -> None:
    """Nobody meets what somebody else left behind, and there are no more processes than allowed."""
    async with front(mcp_front_sessions="caller", mcp_front_processes=2) as call:
        assert await call("/readyz") == 200
        counted = [await tool(call, "count", caller) for caller in ("one", "two", "one")]
        assert counted == [1, 1, 2]
        assert "the most it may" in str(await tool(call, "count", "three"))
        assert await tool(call, "count", "two") == 2


async def test_a_call_ends_in_time(front: Front) -> None:
    """However long the server behind takes."""
    async with front(mcp_front_seconds=0.5) as call:
        assert "timed out" in str(await tool(call, "sleep")).lower()


@pytest.mark.parametrize("command", [("no-such-program",), (sys.executable, "-c", "raise SystemExit(1)")])
async def test_what_does_not_start_is_said(
    front: Front, command: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """To the caller in one sentence, to the log with the reason; the front itself lives."""
    async with front(command) as call:
        assert await call("/readyz") == 503
        assert "The server behind does not start" in (await call("tools/list"))["error"]["message"]
        assert await call("/healthz") == 200
    assert "the server behind does not start: " in capfd.readouterr().err


@pytest.mark.parametrize(
    ("lists", "open_"),
    [
        ({}, {"environment", "count", "write", "sleep"}),
        ({"mcp_front_reads": True}, {"environment", "count", "sleep"}),
        ({"mcp_front_reads": True, "mcp_front_tools_allow": "w*,count"}, {"write", "count"}),
        ({"mcp_front_tools_deny": "c*"}, {"environment", "write", "sleep"}),
        ({"mcp_front_tools_allow": ""}, set()),
        (
            {"mcp_front_tools_deny": "c*", "mcp_front_resources": True, "mcp_front_prompts": True},
            {"environment", "write", "sleep"},
        ),
    ],
)
async def test_lists_are_a_boundary(front: Front, lists: dict[str, Any], open_: set[str]) -> None:
    """What tools/list does not show cannot be called, and where there is a list nothing else gives what it forbids."""
    asked = {"environment", "count", "write", "sleep"}
    async with front(**lists) as call:
        shown = {tool["name"] for tool in (await call("tools/list"))["result"]["tools"]}
        assert shown & asked == open_
        for name in sorted(asked - open_):
            assert "not open to your role" in str(await tool(call, name))
        listed = set(lists) - {"mcp_front_reads"} and "mcp_front_prompts" not in lists
        read = await call("resources/read", uri="note://one")
        prompt = await call("prompts/get", name="ask")
        counts = [len((await call(f"{what}/list"))["result"][what]) for what in ("resources", "prompts")]
        if listed:
            assert "not open" in read["error"]["message"]
            assert "not open" in prompt["error"]["message"]
            assert counts == [0, 0]
        else:
            assert read["result"]["contents"][0]["text"] == "the note"
            assert counts == [1, 1]
        completed = await call(
            "completion/complete", ref={"type": "ref/prompt", "name": "ask"}, argument={"name": "a", "value": ""}
        )
        assert completed["error"]["code"] == -32601


def test_a_log_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk: whoever reads the server's output goes on reading it."""

    class FullDisk:
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self) -> None:
            """Nothing is there."""

    monkeypatch.setattr("sys.stderr", FullDisk())
    write_log("[server] a line")


def test_lines_are_cut_and_never_held() -> None:
    """However they are framed: of a line that is too long both ends are kept, and the next one is whole."""
    for size in (1, 7, 1000):
        lines = Lines(1024)
        text = b'{"jsonrpc":"2.0","id":7,"result":"' + b"x" * 5000 + b'"}\nnext\n'
        found = [line for at in range(0, len(text), size) for line in lines.feed(text[at : at + size])]
        assert isinstance(found[0], Oversized)
        assert (found[0].id, found[1:]) == (7, [b"next"])
