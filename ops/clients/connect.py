"""The configuration that each MCP client wants for an endpoint: printed, written into its file, or opened."""

from __future__ import annotations

import base64
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ops.cli import output
from ops.clients import outputs, people, registrations, registry
from ops.clients.outputs import Platform
from ops.clients.registrations import Registration
from ops.config import roles
from ops.config.environment import Environment, env_option
from ops.config.roles import ALIASES
from ops.errors import ToolError, UsageError

#: For a client whose configuration holds no token.
NO_OPTIONS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Client:
    """`configuration`: its text, from URL by server and what `invoke token` is given for each (` --as reader`).

    `file`: where it reads its configuration from; None where a command configures it.

    `opener`: commands that open the client with this endpoint, from the server's name and its URL.
    `links`: addresses that install the server with one click, by name, from the server's name and its URL.
    `cloud`: its vendor calls the endpoint from its own network, so an internal gateway is out of its reach.
    `registrations`: what it sends when it registers, by name in ops/clients/registrations.py.
    """

    title: str
    configuration: Callable[[Mapping[str, str], Mapping[str, str]], str]
    after: str
    file: Path | None = None
    opener: Callable[[str, str], list[str]] | None = None
    links: Callable[[str, str], dict[str, str]] | None = None
    cloud: bool = False
    registrations: tuple[str, ...] = ()

    def links_of(self, name: str, url: str) -> list[tuple[str, str]]:
        """Return an edition and its link, where the client has such links."""
        return [] if self.links is None else list(self.links(name, url).items())


def _vscode(endpoints: Mapping[str, str], _: Mapping[str, str] = NO_OPTIONS) -> str:
    return _json({"servers": {name: {"type": "http", "url": url} for name, url in endpoints.items()}})


def _claude(endpoints: Mapping[str, str], _: Mapping[str, str] = NO_OPTIONS) -> str:
    return "\n".join(shlex.join(claude_add(name, url)) for name, url in endpoints.items())


def claude_add(name: str, url: str) -> list[str]:
    """Return the command that adds a server to Claude Code."""
    return ["claude", "mcp", "add", "--transport", "http", name, url]


def _cursor(endpoints: Mapping[str, str], _: Mapping[str, str] = NO_OPTIONS) -> str:
    return _json({"mcpServers": {name: {"url": url} for name, url in endpoints.items()}})


def _portable(endpoints: Mapping[str, str], _: Mapping[str, str] = NO_OPTIONS) -> str:
    return _json({"mcpServers": {name: {"type": "http", "url": url} for name, url in endpoints.items()}})


def _codex(endpoints: Mapping[str, str], _: Mapping[str, str] = NO_OPTIONS) -> str:
    return "\n".join(shlex.join(codex_add(name, url)) for name, url in endpoints.items())


def codex_add(name: str, url: str) -> list[str]:
    """Return the command that adds a server to Codex, and signs in."""
    return ["codex", "mcp", "add", name, "--url", url]


def _gemini(endpoints: Mapping[str, str], _: Mapping[str, str] = NO_OPTIONS) -> str:
    return _json({"mcpServers": {name: {"httpUrl": url} for name, url in endpoints.items()}})


def _opencode(endpoints: Mapping[str, str], _: Mapping[str, str] = NO_OPTIONS) -> str:
    """Its vendor's document lacks the address that it sends (anomalyco/opencode#50510); with this one it registers."""
    (redirect,) = registrations.REGISTRATIONS["opencode"].redirect_uris
    own = {"oauth": {"redirectUri": redirect}}
    return _json({"mcp": {name: {"type": "remote", "url": url, **own} for name, url in endpoints.items()}})


#: The release that this project's tests sign in with, and the Node that it wants: on an older one npx takes, without a
#: word, a release that has none of these options.
INSPECTOR = "2.12.0"
INSPECTOR_NODE = "22.19"


def _inspector(endpoints: Mapping[str, str], _: Mapping[str, str] = NO_OPTIONS) -> str:
    commands = [command(url) for url in endpoints.values() for command in (inspect_in_browser, inspect_in_terminal)]
    return "\n".join(map(shlex.join, commands))


def inspect_in_browser(url: str) -> list[str]:
    """Return the command that opens the Inspector's page with this endpoint."""
    return ["npx", f"@modelcontextprotocol/inspector@{INSPECTOR}", "--transport", "http", "--server-url", url]


def inspect_in_terminal(url: str) -> list[str]:
    """Return the command that lists the endpoint's tools in the terminal."""
    npx, program, *options = inspect_in_browser(url)
    return [npx, program, "--cli", *options, "--method", "tools/list"]


def _vscode_links(name: str, url: str) -> dict[str, str]:
    """Return one for each edition: the server as URL-encoded JSON (VS Code, "MCP developer guide", URL handler)."""
    server = quote(json.dumps({"name": name, "type": "http", "url": url}, separators=(",", ":")), safe="")
    return {
        "VS Code": f"vscode:mcp/install?{server}",
        "VS Code Insiders": f"vscode-insiders:mcp/install?{server}",
    }


def _cursor_links(name: str, url: str) -> dict[str, str]:
    """Return the one that Cursor has (Cursor, "MCP Install Links": a name, and the server as JSON in base64)."""
    server = base64.b64encode(json.dumps({"url": url}, separators=(",", ":")).encode()).decode()
    path = "anysphere.cursor-deeplink/mcp/install"
    return {"Cursor": f"cursor://{path}?name={quote(name, safe='')}&config={quote(server, safe='')}"}


def _vscode_add(name: str, url: str) -> list[str]:
    """Return the command of VS Code that takes one server as JSON."""
    return ["code", "--add-mcp", json.dumps({"name": name, "type": "http", "url": url})]


#: A first call of a server's, by its name: of the one that the project brings. Of others the tools are listed.
_FIRST_CALL = {"mongodb": ("tools/call", {"name": "list-databases", "arguments": {}})}


def _curl(endpoints: Mapping[str, str], options: Mapping[str, str] = NO_OPTIONS) -> str:
    """Return a line per server, to paste into a POSIX shell; a fresh token comes from the task each time."""
    return "\n".join(curl_line(name, url, options.get(name, "")) for name, url in endpoints.items())


def curl_line(name: str, url: str, options: str = "") -> str:
    """Return one call of a server, to paste into a POSIX shell. `options`: what `invoke token` is given."""
    method, params = _FIRST_CALL.get(name, ("tools/list", {}))
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    # Both media types and the version are the transport's ("Transports", MCP 2025-11-25).
    sent = ("Content-Type: application/json", "Accept: application/json, text/event-stream")
    headers = " ".join(f"-H {shlex.quote(one)}" for one in (*sent, "MCP-Protocol-Version: 2025-11-25"))
    token = f'-H "Authorization: Bearer $(invoke token{options})"'
    return f"curl -sS {token} {headers} -d {shlex.quote(json.dumps(message))} {shlex.quote(url)}"


CLIENTS: dict[str, Client] = {
    "vscode": Client(
        "VS Code: .vscode/mcp.json, then start the server there and sign in",
        _vscode,
        "press Start above the server's name in .vscode/mcp.json",
        file=Path(".vscode/mcp.json"),
        opener=_vscode_add,
        links=_vscode_links,
        registrations=("vscode",),
    ),
    "claude": Client(
        "Claude: run this, then /mcp to sign in; on claude.ai add the same URL as a connector",
        _claude,
        "type /mcp in a session of Claude Code and choose Authenticate",
        opener=claude_add,
        cloud=True,
        registrations=("claude-code", "claude"),
    ),
    "cursor": Client(
        "Cursor: ~/.cursor/mcp.json, then sign in from its MCP settings",
        _cursor,
        "press Connect beside the server's name in Cursor's MCP settings",
        file=Path("~/.cursor/mcp.json"),
        links=_cursor_links,
        registrations=("cursor",),
    ),
    "json": Client(
        "Any client that reads .mcp.json (Claude Code and Copilot do): put this there",
        _portable,
        "let the client connect; it finds the sign-in by itself",
        file=Path(".mcp.json"),
    ),
    "inspector": Client(
        f"MCP Inspector: run one of these with Node {INSPECTOR_NODE} or later; the second needs no page",
        _inspector,
        "switch the server on in the Inspector's page, or open the address that the second command writes",
        opener=lambda _, url: inspect_in_browser(url),
        registrations=("inspector", "inspector-cli"),
    ),
    "codex": Client(
        "Codex: run this; it signs in at once",
        _codex,
        "sign in; later `codex mcp login` and the server's name",
        opener=codex_add,
        registrations=("codex",),
    ),
    "gemini": Client(
        "Gemini CLI: ~/.gemini/settings.json, then /mcp auth and the server's name",
        _gemini,
        "type /mcp auth and the server's name",
        file=Path("~/.gemini/settings.json"),
        registrations=("gemini-cli",),
    ),
    "opencode": Client(
        "opencode: opencode.json, then opencode mcp auth and the server's name",
        _opencode,
        "run opencode mcp auth and the server's name",
        file=Path("opencode.json"),
        registrations=("opencode",),
    ),
    "curl": Client(
        "curl: one call, signed in as somebody who may call the server, or on Azure as whoever `az login` signed in",
        _curl,
        "run the line in the project's folder; `invoke token --as reader` is another person's token",
    ),
}


def options_of(environment: Environment, platform: Platform) -> dict[str, str]:
    """Return what `invoke token` is given for each server: somebody who may call it, and the environment."""
    env, callers = env_option(environment.name), people.signs_in_as(environment, platform)
    named = {server: f" --as {shlex.quote(who)}" for server, who in callers.items() if who != ALIASES[0]}
    return {server: f"{named.get(server, '')}{env}" for server in platform.endpoints}


def configuration(
    platform: Platform, client: str, *, exposure: str = "public", options: Mapping[str, str] = NO_OPTIONS
) -> tuple[str, str]:
    """Return what to do with it, and the text; UsageError for a client that is unknown or cannot reach the gateway.

    `options`: what `invoke token` is given, by server.
    """
    if client not in CLIENTS:
        raise UsageError(f"client {client!r} is unknown; it is one of: {', '.join(CLIENTS)}")
    wanted = CLIENTS[client]
    if exposure == "internal" and wanted.cloud:
        raise UsageError(
            f"{client} calls connectors from its vendor's network, which cannot reach an internal gateway "
            '(gateway_exposure = "internal"); use another client on a machine inside the network'
        )
    return wanted.title, wanted.configuration(platform.endpoints, options)


def print_configuration(
    environment: Environment, client: str | None, *, write: bool = False, as_json: bool = False
) -> None:
    """Print the configuration on stdout, what to do with it on stderr; without a client, each that can be reached.

    Then stdout holds more than one of them, so a heading there names the client of each.
    """
    if write and not client:
        raise UsageError("--write needs --client NAME: each client has a file of its own")
    platform = outputs.deployed(environment)
    exposure = str(environment.variables.get("gateway_exposure") or "public")
    options = options_of(environment, platform)
    if as_json:
        if client:
            configuration(platform, client, exposure=exposure, options=options)  # refuses as without --json
        found = document(platform, exposure, options)
        named = {name: one for name, one in found["clients"].items() if client in (None, name)}
        output.data_json({**found, "clients": named, "entries": entries(platform, client)})
        return
    for name in [client] if client else list(CLIENTS):
        if client is None and exposure == "internal" and CLIENTS[name].cloud:
            output.warn(f"{name} is left out: it cannot reach an internal gateway")
            continue
        title, text = configuration(platform, name, exposure=exposure, options=options)
        if write:
            output.say(f"written: {written(name, platform)}")
        else:
            if client:
                output.say(title)
                output.data(text)
            else:
                output.data(f"# {name} ({title})\n{text}\n")
            for edition, link in install_links(platform, name):
                output.say(f"{edition}, with one click: {link}")
    if client:
        _offer(client, platform, write=write)
    output.facts(expectations(environment, platform, CLIENTS[client].after if client else ""), title="\nAt sign-in")
    if rows := served_by(platform, client):
        output.facts(rows, title="\nThe entry of mcp_clients that serves it")
    if rows := registry.pointers(platform):
        output.facts(rows, title="\nThe MCP registry, where clients find the servers")


def install_links(platform: Platform, client: str) -> list[tuple[str, str]]:
    """Return an edition and a link for each server; none where the client has no such links."""
    return [pair for name, url in platform.endpoints.items() for pair in CLIENTS[client].links_of(name, url)]


def document(platform: Platform, exposure: str = "public", options: Mapping[str, str] = NO_OPTIONS) -> dict[str, Any]:
    """Return what clients need, as JSON has it.

    `{"endpoints": {server: url}, "registry": url, "clients": {client: {"file", "configuration", "links"}}}`

    Commands are text.
    """
    reach = {name: client for name, client in CLIENTS.items() if exposure == "public" or not client.cloud}
    return {
        "endpoints": dict(platform.endpoints),
        "registry": platform.registry,
        "clients": {
            name: {
                "file": str(client.file) if client.file else None,
                "configuration": client.configuration(platform.endpoints, options),
                "links": [link for _, link in install_links(platform, name)],
            }
            for name, client in reach.items()
        },
    }


def written(client: str, platform: Platform, *, folder: Path | None = None) -> Path:
    """Add the endpoints to the client's file, in which everything else stays; return the file.

    UsageError where the client has no file, ToolError where it holds something that is not JSON.
    """
    wanted = CLIENTS[client]
    if wanted.file is None:
        raise UsageError(
            f"{client} has no file to write: run the command that `invoke connect --client {client}` prints"
        )
    path = (folder or Path()) / wanted.file.expanduser()
    added = json.loads(wanted.configuration(platform.endpoints, NO_OPTIONS))
    kept = _kept(path)
    for top, servers in added.items():
        kept[top] = {**(kept.get(top) or {}), **servers}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_json(kept) + "\n", encoding="utf-8")
    return path


Asked = Callable[[str, Registration], str | None]


def entries(platform: Platform, client: str | None = None, ask: Asked = registrations.ask) -> dict[str, str | None]:
    """Return, by registration, the entry of `mcp_clients` that the façade answers with: it is asked, not guessed.

    Empty: it refuses that registration. None: it cannot be asked.
    """
    names = {number: name for name, number in platform.client_ids.items()}
    found: dict[str, str | None] = {}
    for name in CLIENTS[client].registrations if client else registrations.REGISTRATIONS:
        sent = registrations.REGISTRATIONS[name].at(next(iter(platform.endpoints.values())))
        number = ask(platform.gateway, sent)
        found[name] = number and names.get(number, number)
        if number is None:  # nor would it answer the others
            break
    return found


def served_by(platform: Platform, client: str | None, ask: Asked = registrations.ask) -> list[tuple[str, str]]:
    """Return, by client, which entry serves it, or what has to be done."""
    missing = "none: add its redirect URIs to mcp_clients and deploy (docs/connect.md)"
    unknown = "not known: the gateway answers no registration"
    rows = []
    for name, entry in entries(platform, client, ask).items():
        sent = registrations.REGISTRATIONS[name]
        none = f"none: {sent.remedy}" if sent.remedy else missing
        rows.append((sent.title, unknown if entry is None else entry or none))
    return rows


def expectations(environment: Environment, platform: Platform, first: str) -> list[tuple[str, str]]:
    """Return what a person meets, in order: which page, which account, what it may do."""
    if environment.is_local:
        everybody = people.known(environment, platform)
        then = [
            ("a browser opens", f"with {len(everybody) or 'the'} people to choose from, and no password"),
            *((one.name, _may(environment, platform, one)) for one in everybody),
        ]
    else:
        then = [
            ("a browser opens", "with Microsoft's page: pick your work account"),
            ("the first time", "consent to the API's one scope, Mcp.Access"),
            ("refused, 403", "your account has no role: ask an owner of the tier's group"),
        ]
    return [("first", first), *then] if first else then


def _may(environment: Environment, platform: Platform, person: people.Person) -> str:
    """Say which tier of which server a person gets, and whether it only reads."""
    reads = {role.name: role.reads for role in roles.roles(environment)}
    found: dict[str, list[str]] = {}
    for server in platform.endpoints:
        wanted = roles.tiers(environment, server)
        if tier := people.tier_of(person, wanted):
            found.setdefault("reads" if reads[wanted[tier]] else "reads and writes", []).append(server)
    if not found:
        return "is refused: no role"
    return "; ".join(f"{does} ({', '.join(servers)})" for does, servers in found.items())


def _offer(client: str, platform: Platform, *, write: bool) -> None:
    """Ask a person whether to open the client, where it is installed; a machine is never asked."""
    opener = CLIENTS[client].opener
    if write or opener is None or not (sys.stdin.isatty() and sys.stdout.isatty() and output.console.is_terminal):
        return
    for name, url in platform.endpoints.items():
        command = opener(name, url)
        if not shutil.which(command[0]):
            return
        if output.ask(f"Run `{shlex.join(command)}` now? Only 'yes' goes on: ") == "yes":
            code = subprocess.run(command, check=False).returncode
            if code:
                raise ToolError(f"`{command[0]}` ended with code {code}; the configuration above does the same by hand")


def _kept(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8") or "{}")
    except ValueError as error:
        raise ToolError(
            f"{path} is not plain JSON ({error}), so nothing was written; put what `invoke connect` prints there"
        ) from error
    if not isinstance(found, dict):
        raise ToolError(f"{path} holds no JSON object, so nothing was written; move it away and run this again")
    return found


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, indent=2)
