from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ops.clients import connect, outputs
from ops.clients.registrations import REGISTRATIONS, Registration
from ops.config.environment import Environment
from ops.errors import ToolError, UsageError
from tests.unit.ops.checks.test_status import PLATFORM
from tests.unit.ops.conftest import Make

ROOT = Path(__file__).parents[4]
URL = "http://127.0.0.1:8080/mongodb/mcp"


# What each client's own documentation says of a remote server: where the names stand, what must and what may be there.
# VS Code, "MCP configuration reference" (servers; type http or sse; url; headers). Cursor, "Model Context Protocol"
# (mcpServers; url; headers). Claude Code, "Connect Claude Code to tools via MCP" and VS Code's portable format, the
# same file .mcp.json (mcpServers; type; url; headers). Gemini CLI, "MCP servers with the Gemini CLI" (mcpServers;
# httpUrl; headers). opencode, "MCP servers" (mcp; type remote; url; oauth; enabled; headers).
FORMATS = {
    "vscode": ("servers", {"type": "http", "url": URL}, {"headers"}),
    "cursor": ("mcpServers", {"url": URL}, {"headers"}),
    "json": ("mcpServers", {"type": "http", "url": URL}, {"headers"}),
    "gemini": ("mcpServers", {"httpUrl": URL}, {"headers"}),
    "opencode": (
        "mcp",
        {"type": "remote", "url": URL, "oauth": {"redirectUri": "http://127.0.0.1:19876/mcp/oauth/callback"}},
        {"enabled", "headers"},
    ),
}


@pytest.mark.parametrize("client", FORMATS)
def test_files_are_as_the_client_documents_them(client: str) -> None:
    """The required members with their values, under the name that the client reads, and nothing it does not know."""
    top, required, optional = FORMATS[client]
    document = json.loads(connect.configuration(PLATFORM, client)[1])
    assert document.keys() == {top}
    server = document[top]["mongodb"]
    assert {name: server[name] for name in required} == required
    assert server.keys() <= required.keys() | optional


COMMANDS = {
    # Claude Code, "Connect Claude Code to tools via MCP": claude mcp add --transport http <name> <url>
    "claude": r"claude mcp add --transport http [a-z0-9-]+ https?://\S+",
    # codex mcp add --help: Usage: codex mcp add <NAME> --url <URL>
    "codex": r"codex mcp add [a-z0-9-]+ --url https?://\S+",
    # The Inspector's own --help: --transport and --server-url, --cli and --method; its page, and its command line.
    "inspector": (
        r"npx @modelcontextprotocol/inspector@\d+\.\d+\.\d+ --transport http --server-url https?://\S+\n"
        r"npx @modelcontextprotocol/inspector@\d+\.\d+\.\d+ --cli --transport http --server-url https?://\S+ "
        r"--method tools/list"
    ),
    # curl(1): -H is a header, -d a body, which makes it a POST.
    "curl": r"curl -sS -H \"Authorization: Bearer \$\(invoke token\)\"( -H '[^']+')+ -d '[^']+' https?://\S+",
}


@pytest.mark.parametrize("client", COMMANDS)
def test_commands_are_as_the_client_documents_them(client: str) -> None:
    assert re.fullmatch(COMMANDS[client], connect.configuration(PLATFORM, client)[1])


def test_no_client_is_left_unchecked() -> None:
    assert {*FORMATS, *COMMANDS} == set(connect.CLIENTS)


@pytest.mark.parametrize("client", COMMANDS)
def test_command_lines_name_the_endpoint(client: str) -> None:
    """Clients that are configured by a command get one per server."""
    assert all(URL in line.split() for line in connect.configuration(PLATFORM, client)[1].splitlines())


def test_the_inspector_is_the_release_that_signs_in_here_and_its_node_is_said() -> None:
    """`npx` takes an older release, without these options, where Node is too old for the newest."""
    lock = json.loads((ROOT / "tests/conformance/package-lock.json").read_text(encoding="utf-8"))
    locked = lock["packages"]["node_modules/@modelcontextprotocol/inspector"]
    title, commands = connect.configuration(PLATFORM, "inspector")
    assert commands.count(f"@modelcontextprotocol/inspector@{locked['version']} ") == 2
    assert locked["engines"]["node"].startswith(f">={connect.INSPECTOR_NODE}.")
    assert f"Node {connect.INSPECTOR_NODE} or later" in title


HOSTILE = ["a&config=e30=", "a#b", 'a"b', "a b", "a/../b", "ü", "a%26b"]


@pytest.mark.parametrize("name", ["mongodb", *HOSTILE])
@pytest.mark.parametrize("url", [URL, f"{URL}?a=b&c=d#e", 'https://x.example/"},"command":"sh'])
def test_a_link_installs_this_server_and_nothing_else(name: str, url: str) -> None:
    """Neither name nor address can add to what the client reads out of it: no second server, no command."""
    for edition, link in connect.CLIENTS["vscode"].links_of(name, url):
        scheme, _, given = link.partition("?")
        assert scheme == {"VS Code": "vscode", "VS Code Insiders": "vscode-insiders"}[edition] + ":mcp/install"
        assert json.loads(unquote(given)) == {"name": name, "type": "http", "url": url}
        assert not set(given) & set('&=#?/ "')
    ((_, link),) = connect.CLIENTS["cursor"].links_of(name, url)
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == (
        "cursor",
        "anysphere.cursor-deeplink",
        "/mcp/install",
        "",
    )
    given_by_name = parse_qs(parts.query, strict_parsing=True)
    assert given_by_name.keys() == {"name", "config"}
    assert given_by_name["name"] == [name]
    assert json.loads(base64.b64decode(given_by_name["config"][0])) == {"url": url}


def test_connect_prints_the_links_of_each_server() -> None:
    two = replace(PLATFORM, endpoints={"a": f"{URL}/a", "b": f"{URL}/b"})
    assert [edition for edition, _ in connect.install_links(two, "vscode")] == ["VS Code", "VS Code Insiders"] * 2
    assert connect.install_links(two, "claude") == []
    document = connect.document(two)
    assert len(document["clients"]["cursor"]["links"]) == 2


def test_unknown_client() -> None:
    """An unknown client is refused with the known ones."""
    with pytest.raises(UsageError, match="vscode, claude, cursor, json, inspector, codex, gemini, opencode, curl"):
        connect.configuration(PLATFORM, "netscape")


def test_the_facade_says_which_entry_serves_a_client() -> None:
    """It is asked with what the client sends; nothing here repeats the façade's rule."""
    asked: list[tuple[str, tuple[str, ...]]] = []

    def ask(gateway: str, sent: Registration) -> str:
        asked.append((gateway, sent.redirect_uris))
        return "" if sent.title.startswith("MCP Inspector, c") else PLATFORM.client_ids["desktop"]

    assert connect.entries(PLATFORM, "inspector", ask) == {"inspector": "desktop", "inspector-cli": ""}
    assert asked[0] == (PLATFORM.gateway, REGISTRATIONS["inspector"].redirect_uris)
    assert connect.served_by(PLATFORM, "inspector", ask)[1][1].startswith("none: add its redirect URIs")


def test_a_client_that_no_address_helps_is_told_apart() -> None:
    """Who reads the list does not add Warp's address to an entry in vain."""
    rows = dict(connect.served_by(PLATFORM, None, lambda gateway, sent: ""))
    assert "mcp-remote" in rows["Warp"]
    assert rows["Cursor"].startswith("none: add its redirect URIs")


def test_where_the_facade_does_not_answer_connect_says_so() -> None:
    """And asks once."""
    assert connect.entries(PLATFORM, None, lambda gateway, sent: None) == {"vscode": None}
    assert connect.served_by(PLATFORM, "cursor", lambda gateway, sent: None)[0][1].startswith("not known")


def test_a_connection_with_an_address_of_its_own_is_told_apart() -> None:
    """Codex's depends on the endpoint, ChatGPT's and Copilot Studio's on the connector."""
    codex = REGISTRATIONS["codex"].at("http://127.0.0.1:8080/mongodb/mcp")
    assert codex.redirect_uris == ("http://127.0.0.1:37819/callback/cZkA31CMVmEe",)
    assert {"chatgpt-connector", "copilot-studio"} < {name for name, one in REGISTRATIONS.items() if not one.entry}


def test_internal_gateway_is_out_of_a_cloud_clients_reach() -> None:
    """A client that calls from its vendor's network is refused where the gateway is internal; others are not."""
    with pytest.raises(UsageError, match="cannot reach an internal gateway"):
        connect.configuration(PLATFORM, "claude", exposure="internal")
    assert connect.configuration(PLATFORM, "vscode", exposure="internal")[1]


def test_what_a_file_holds_stays(tmp_path: Path) -> None:
    """Other servers and settings are kept; ours is added, or replaced."""
    path = tmp_path / ".vscode" / "mcp.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"inputs": [1], "servers": {"other": {}, "mongodb": {"url": "old"}}}), encoding="utf-8")
    assert connect.written("vscode", PLATFORM, folder=tmp_path) == path
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "inputs": [1],
        "servers": {"other": {}, "mongodb": {"type": "http", "url": URL}},
    }


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = connect.written("json", PLATFORM, folder=tmp_path)
    assert path == tmp_path / ".mcp.json"
    assert path.read_text(encoding="utf-8") == connect.configuration(PLATFORM, "json")[1] + "\n"


@pytest.mark.parametrize("text", ['{"servers": {}, // mine\n}', "[]"])
def test_a_file_that_is_no_plain_object_is_left_alone(tmp_path: Path, text: str) -> None:
    """Comments would be lost, so a person does it."""
    path = tmp_path / ".vscode" / "mcp.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ToolError, match="nothing was written"):
        connect.written("vscode", PLATFORM, folder=tmp_path)
    assert path.read_text(encoding="utf-8") == text


def test_what_a_command_configures_is_not_written() -> None:
    with pytest.raises(UsageError, match="has no file to write"):
        connect.written("inspector", PLATFORM)


def test_a_machine_gets_every_client_that_reaches_the_gateway() -> None:
    found = connect.document(PLATFORM, "internal")
    assert found["endpoints"] == {"mongodb": URL}
    assert set(found["clients"]) == set(connect.CLIENTS) - {"claude"}
    assert found["clients"]["cursor"]["file"] == "~/.cursor/mcp.json"


@pytest.fixture
def deployed(make: Make, monkeypatch: pytest.MonkeyPatch) -> Environment:
    environment = make()
    outputs.save(PLATFORM, environment.home)
    monkeypatch.setattr(connect, "entries", lambda platform, client=None, ask=None: {client or "codex": "desktop"})
    return environment


def test_json_is_about_the_client_that_is_named(deployed: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    """The same object with that client alone; a name that no client has is refused as without --json."""
    connect.print_configuration(deployed, "cursor", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (list(found["clients"]), found["entries"]) == (["cursor"], {"cursor": "desktop"})
    connect.print_configuration(deployed, None, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (list(found["clients"]), found["entries"]) == (list(connect.CLIENTS), {"codex": "desktop"})
    with pytest.raises(UsageError, match="client 'emacs' is unknown"):
        connect.print_configuration(deployed, "emacs", as_json=True)


def test_each_client_s_part_has_its_heading(deployed: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --client JSON and commands come one after the other on stdout: each says whose it is."""
    connect.print_configuration(deployed, None)
    parts = re.split(r"^# (\w+) \(.*\)\n", capsys.readouterr().out, flags=re.MULTILINE)
    assert parts[0] == ""
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    platform = outputs.deployed(deployed)
    assert {name: text.strip() for name, text in found.items()} == {
        name: connect.configuration(platform, name)[1] for name in connect.CLIENTS
    }
    connect.print_configuration(deployed, "cursor")
    assert capsys.readouterr().out == connect.configuration(platform, "cursor")[1] + "\n"


def test_the_registry_is_told_once(deployed: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    connect.print_configuration(deployed, None)
    assert capsys.readouterr().err.count("The MCP registry, where") == 1
