"""Real programs that sign in, list tools and call one, each as its own documentation says."""

from __future__ import annotations

import contextlib
import json
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.clients import connect
from tests.conformance import suite
from tests.conformance.desktop import Desktop

HERE = Path(__file__).parent
SERVER = "mongodb"


@dataclass(frozen=True)
class Seen:
    """What a program showed: the names of the tools, and the tool's answer as text.

    None where a program shows it to a model only, which takes an account of its vendor; then it said that it is
    connected.
    """

    tools: set[str] | None
    answer: str | None


Use = Callable[[Desktop, str, str, dict[str, Any]], Seen]


def inspector_cli(desktop: Desktop, endpoint: str, tool: str, arguments: Mapping[str, Any]) -> Seen:
    """The second command that `invoke connect --client inspector` prints, to the letter; tokens kept in a file."""
    command = ["env", "MCP_INSPECTOR_SECRET_STORE=file", *connect.inspect_in_terminal(endpoint)]
    listed = _json(desktop.run(*command, cwd=HERE, terminal=True))
    given = [f"{name}={value}" for name, value in arguments.items()]
    call = [*command[:-1], "tools/call", "--tool-name", tool, *(["--tool-arg", *given] if given else [])]
    return Seen({one["name"] for one in listed["tools"]}, desktop.run(*call, cwd=HERE, terminal=True))


def mcp_remote(desktop: Desktop, endpoint: str, tool: str, arguments: dict[str, Any]) -> Seen:
    """As a client that speaks to local servers only would start it."""
    with desktop.conversation("mcp-remote", endpoint) as server:
        about = {"name": "desktop", "version": "1"}
        server.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about})
        server.notify("notifications/initialized", {})
        listed = server.request("tools/list", {})
        answer = server.request("tools/call", {"name": tool, "arguments": arguments})
    return Seen({one["name"] for one in listed["tools"]}, json.dumps(answer))


def mcporter(desktop: Desktop, endpoint: str, tool: str, arguments: Mapping[str, Any]) -> Seen:
    file = desktop.home / "mcporter.json"
    file.write_text(json.dumps({"mcpServers": {SERVER: {"url": endpoint, "auth": "oauth"}}, "imports": []}), "utf-8")
    if not desktop.opened:
        desktop.run("mcporter", "--config", str(file), "auth", SERVER)
    listed = _json(desktop.run("mcporter", "--config", str(file), "list", SERVER, "--json"))
    given = [f"{name}={value}" for name, value in arguments.items()]
    answer = desktop.run("mcporter", "--config", str(file), "call", f"{SERVER}.{tool}", *given, "--output", "json")
    return Seen({one["name"] for one in listed["tools"]}, answer)


def codex(desktop: Desktop, endpoint: str, tool: str, arguments: dict[str, Any]) -> Seen:
    """Its `mcp add` signs in; its app server, which its editors use, lists and calls without a model."""
    file = desktop.home / ".codex" / "config.toml"
    if not desktop.opened:
        file.parent.mkdir()
        file.write_text('mcp_oauth_credentials_store = "file"\n', encoding="utf-8")
        desktop.run("codex", "mcp", "add", SERVER, "--url", endpoint)
    with desktop.conversation("codex", "app-server") as server:
        server.request("initialize", {"clientInfo": {"name": "desktop", "version": "1"}})
        server.notify("initialized", {})
        (status,) = server.request("mcpServerStatus/list", {})["data"]
        thread = server.request("thread/start", {"cwd": str(desktop.home)})["thread"]["id"]
        called = {"server": SERVER, "tool": tool, "arguments": arguments, "threadId": thread}
        answer = server.request("mcpServer/tool/call", called)
    return Seen(set(status["tools"]), json.dumps(answer))


def claude_code(desktop: Desktop, endpoint: str, _: str, __: dict[str, Any]) -> Seen:
    """The command that `invoke connect --client claude` prints; only a model may call, and that takes an account."""
    (program,) = suite.MODULES.glob("@anthropic-ai/claude-code-*/claude")
    if not desktop.opened:
        desktop.run(str(program), *connect.claude_add(SERVER, endpoint)[1:])
        desktop.run(str(program), "mcp", "login", SERVER, terminal=True)
    said = desktop.run(str(program), "mcp", "get", SERVER)
    assert "Connected" in said, said
    return Seen(None, None)


def opencode(desktop: Desktop, endpoint: str, _: str, __: dict[str, Any]) -> Seen:
    """With the setting that docs/connect.md names; only a model may call, and that takes an account."""
    (program,) = suite.MODULES.glob("opencode-*/bin/opencode")
    file = desktop.home / ".config" / "opencode" / "opencode.json"
    if not desktop.opened:
        file.parent.mkdir(parents=True)
        redirect = {"redirectUri": "http://127.0.0.1:19876/mcp/oauth/callback"}
        file.write_text(json.dumps({"mcp": {SERVER: {"type": "remote", "url": endpoint, "oauth": redirect}}}), "utf-8")
        desktop.run(str(program), "mcp", "auth", SERVER)
    said = desktop.run(str(program), "mcp", "list")
    assert "connected (OAuth)" in said, said
    return Seen(None, None)


def _typescript(package: str) -> Use:
    def use(desktop: Desktop, endpoint: str, tool: str, arguments: dict[str, Any]) -> Seen:
        program = HERE / "programs" / "typescript.mjs"
        store = desktop.home / "tokens.json"
        said = desktop.run("node", str(program), package, endpoint, str(store), tool, json.dumps(arguments))
        return _printed(said)

    return use


def _python(kind: str) -> Use:
    def use(desktop: Desktop, endpoint: str, tool: str, arguments: dict[str, Any]) -> Seen:
        program = HERE / "programs" / "python_client.py"
        return _printed(desktop.run(sys.executable, str(program), kind, endpoint, tool, json.dumps(arguments)))

    return use


def _printed(said: str) -> Seen:
    found = _json(said)
    return Seen(set(found["tools"]), json.dumps(found["answer"]))


def _json(said: str) -> Any:
    """The JSON document that begins on a line of its own; programs write other lines around it."""
    lines = said.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("{", "[")):
            with contextlib.suppress(ValueError):
                return json.JSONDecoder().raw_decode("\n".join(lines[number:]))[0]
    raise AssertionError(f"no JSON in:\n{said}")


#: By name in ops/clients/registrations.py. opencode's registry entries are for one processor only.
PROGRAMS: dict[str, Use] = {
    "claude-code": claude_code,
    "codex": codex,
    "fastmcp": _python("fastmcp"),
    "inspector-cli": inspector_cli,
    "mcp-remote": mcp_remote,
    "mcporter": mcporter,
    "python-sdk": _python("sdk"),
    "typescript-client": _typescript("@modelcontextprotocol/client"),
    "typescript-sdk": _typescript("@modelcontextprotocol/sdk"),
    **({"opencode": opencode} if platform.machine() in ("x86_64", "AMD64") else {}),
}
#: They show tools to a model only, and the model takes an account of its vendor.
MODEL_ONLY = {"claude-code", "opencode"}
#: It does not sign in by itself again: it says that somebody has to.
TOLD_AGAIN = {"mcporter"}
#: What they got is gone with the process; tests/integration/sign_in has them as an administrator, and their refresh.
WITHOUT_A_STORE = {"fastmcp", "python-sdk"}
