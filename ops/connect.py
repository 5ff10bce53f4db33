"""The configuration that each MCP client wants for an endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ops import output, status
from ops.environment import Environment
from ops.errors import UsageError
from ops.platform import Platform


@dataclass(frozen=True)
class Client:
    """`cloud`: its vendor calls the endpoint from its own network, so an internal gateway is out of its reach."""

    title: str
    configuration: Callable[[Mapping[str, str]], str]
    cloud: bool = False


def _vscode(endpoints: Mapping[str, str]) -> str:
    return _json({"servers": {name: {"type": "http", "url": url} for name, url in endpoints.items()}})


def _claude(endpoints: Mapping[str, str]) -> str:
    return "\n".join(f"claude mcp add --transport http {name} {url}" for name, url in endpoints.items())


def _cursor(endpoints: Mapping[str, str]) -> str:
    return _json({"mcpServers": {name: {"url": url} for name, url in endpoints.items()}})


def _portable(endpoints: Mapping[str, str]) -> str:
    return _json({"mcpServers": {name: {"type": "http", "url": url} for name, url in endpoints.items()}})


def _inspector(endpoints: Mapping[str, str]) -> str:
    return "\n".join(
        f"npx @modelcontextprotocol/inspector --transport http --server-url {url}" for url in endpoints.values()
    )


CLIENTS: dict[str, Client] = {
    "vscode": Client("VS Code: .vscode/mcp.json, then start the server there and sign in", _vscode),
    "claude": Client(
        "Claude: run this, then /mcp to sign in; on claude.ai add the same URL as a connector", _claude, cloud=True
    ),
    "cursor": Client("Cursor: ~/.cursor/mcp.json, then sign in from its MCP settings", _cursor),
    "json": Client("Any client that reads .mcp.json (Claude Code and Copilot do): put this there", _portable),
    "inspector": Client("MCP Inspector: run this, then connect", _inspector),
}


def configuration(platform: Platform, client: str, *, exposure: str = "public") -> tuple[str, str]:
    """(what to do with it, the text itself); UsageError for an unknown client or one that cannot reach the gateway."""
    if client not in CLIENTS:
        raise UsageError(f"client {client!r} is unknown; it is one of: {', '.join(CLIENTS)}")
    wanted = CLIENTS[client]
    if exposure == "internal" and wanted.cloud:
        raise UsageError(
            f"{client} calls connectors from its vendor's network, which cannot reach an internal gateway "
            '(gateway_exposure = "internal"); use another client on a machine inside the network'
        )
    return wanted.title, wanted.configuration(platform.endpoints)


def show(environment: Environment, client: str | None) -> None:
    """The configuration on stdout, what to do with it on stderr; without a client, all that can reach the gateway."""
    reached = status.deployed(environment)
    exposure = str(environment.variables.get("gateway_exposure") or "public")
    for name in [client] if client else list(CLIENTS):
        if client is None and exposure == "internal" and CLIENTS[name].cloud:
            output.warn(f"{name} is left out: it cannot reach an internal gateway")
            continue
        title, text = configuration(reached, name, exposure=exposure)
        output.say(title)
        output.data(text)


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, indent=2)
