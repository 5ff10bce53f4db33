"""The smoke test: through the front door, and only calls that change nothing.

Locally as three people and as nobody; on Azure as whoever is signed in, who cannot become somebody else, and as nobody.
"""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from ops.clients.outputs import Platform
from ops.errors import SmokeError

_TIMEOUT = 15.0
_LOOPBACK = ("127.0.0.1", "localhost")
#: In the order in which the gateway looks for a caller's tier (terraform/modules/apim/mcp-apis.tf).
ROLES = ("Mcp.Admin", "Mcp.Read")
_PEOPLE = {"admin": "Mcp.Admin", "reader": "Mcp.Read"}  # the local platform's, and the role of each


@dataclass(frozen=True)
class Seen:
    """What one person gets. `writes`: tools that do not say they only read; `failure`: why a reading call failed."""

    tools: frozenset[str]
    writes: frozenset[str]
    failure: str = ""


def check_server(
    platform: Platform,
    server: str,
    token_for: Callable[[str], str],
    *,
    roles: Collection[str] = ROLES,
    writable: bool = True,
    named: Sequence[str] = (),
) -> list[str]:
    """Check one server; return a line per finding. SmokeError says which promise is broken.

    `roles`: those that its tiers ask for; who has none of them is not called for. `writable`: one of its tiers has a
    read-write connection, so its admins must see tools that write. `named`: patterns of tools that readers have because
    tools.allow names them, whatever they say of themselves.
    """
    endpoint = platform.endpoints[server]
    tokens = {user: token_for(user) for user, role in _PEOPLE.items() if role in roles}
    seen = asyncio.run(_all(endpoint, tokens))
    outsider, nobody = http_status(endpoint, token_for("outsider")), http_status(endpoint)
    return judge(endpoint, seen, outsider=outsider, nobody=nobody, writable=writable, named=named)


@dataclass(frozen=True)
class Called:
    """A tier of a server on Azure: what the call was answered (`text`), or why there was none (`called` False)."""

    tier: str
    called: bool
    text: str


def call_tiers(
    endpoint: str, tiers: Mapping[str, str], roles: Collection[str], see_as: Callable[[str], Seen]
) -> list[Called]:
    """Call a server with the signed-in account's token, as far as its roles lead to a tier.

    `tiers`: the role of each tier; `see_as` makes the calls and raises SmokeError where they fail. One token leads to
    one tier of a server, the gateway's order being that of ROLES; the others are named with the reason.
    """
    reached = next((tier for role in ROLES for tier, wanted in tiers.items() if wanted == role and role in roles), "")
    found = []
    for tier, role in tiers.items():
        if tier == reached:
            seen = see_as(tier)
            _require(not seen.failure, f"a reading call of {tier} fails at {endpoint}: {seen.failure}")
            found.append(Called(tier, True, f"{tier}: {len(seen.tools)} tools, a reading call answered"))
        elif reached:
            found.append(Called(tier, False, f"{tier}: not called, as your account's roles lead to {reached}"))
        else:
            found.append(Called(tier, False, f"{tier}: not called, as your account does not have the role {role}"))
    return found


def judge(
    endpoint: str,
    seen: Mapping[str, Seen],
    *,
    outsider: int,
    nobody: int,
    writable: bool,
    named: Sequence[str] = (),
) -> list[str]:
    """Return what was seen as sentences; SmokeError where it is not what the platform promises.

    `seen`: by person, for whom the server has a tier.
    """
    for name, one in seen.items():
        _require(not one.failure, f"a reading call of the {name} fails at {endpoint}: {one.failure}")
    admin, reader = seen.get("admin"), seen.get("reader")
    if admin:
        missing = reader.tools - admin.tools if reader else frozenset()
        _require(not missing, f"the reader sees tools at {endpoint} that the admin does not: {_list(missing)}")
        _require(
            bool(admin.writes) or not writable, f"the admin sees no write tools at {endpoint}: {_list(admin.tools)}"
        )
    if reader:
        unnamed = {tool for tool in reader.writes if not any(fnmatchcase(tool, pattern) for pattern in named)}
        _require(
            not unnamed,
            f"the reader sees write tools at {endpoint}: {_list(unnamed)}; those that only read and do not say so "
            "belong into tools.allow of the reader's tier in mcp_servers",
        )
    require_challenge(endpoint, nobody)
    _require(outsider == 403, f"{endpoint} answers {outsider} to somebody without a role, where 403 is right")
    told = ", ".join(
        f"{name}: {len(one.tools)}{'' if at else ' tools'}{f', {_readers(one)}' if name == 'reader' else ''}"
        for at, (name, one) in enumerate(seen.items())
    )
    return [*([told] if told else []), f"outsider: {outsider}, no token: {nobody}"]


def _readers(reader: Seen) -> str:
    if not reader.writes:
        return "none of them writes"
    return f"of which tools.allow alone says that they may be called: {_list(reader.writes)}"


def require_challenge(endpoint: str, answered: int) -> None:
    """Raise SmokeError unless a call without a token was challenged with 401."""
    _require(answered == 401, f"{endpoint} answers {answered} to a call without a token, where 401 is right")


def http_status(endpoint: str, token: str | None = None) -> int:
    """Return the HTTP status of a bare `tools/list`."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(endpoint, body, headers)  # noqa: S310 - the platform's own URL
    try:
        with urllib.request.build_opener(*proxies(endpoint)).open(request, timeout=_TIMEOUT) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException) as error:
        raise SmokeError(f"{endpoint} does not answer ({error}); see `invoke logs --part gateway`") from error


def load_client_early() -> None:
    """Load the MCP SDK's client beside what else is going on: that takes a second, and a core is free."""
    threading.Thread(target=importlib.import_module, args=("mcp",), daemon=True).start()


def proxies(url: str) -> list[urllib.request.BaseHandler]:
    """Return the handlers with which a URL is asked: this machine's own ports are never reached through a proxy."""
    return [urllib.request.ProxyHandler({})] if _is_loopback(url) else []


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


async def _all(endpoint: str, tokens: Mapping[str, str]) -> dict[str, Seen]:
    found = await asyncio.gather(*(see(endpoint, token, user) for user, token in tokens.items()))
    return dict(zip(tokens, found, strict=True))


async def see(endpoint: str, token: str, user: str) -> Seen:
    """List the tools that a user sees, and call one that reads; SmokeError where the MCP client cannot."""
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    try:
        async with (
            httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT, trust_env=not _is_loopback(endpoint)
            ) as http,
            Client(streamable_http_client(endpoint, http_client=http)) as client,
        ):
            tools = (await client.list_tools()).tools
            failure = await _read(client, tools)
    except Exception as error:
        why = " ".join(str(_innermost(error)).split()).rstrip(".")
        raise SmokeError(f"the {user}'s MCP client cannot use {endpoint}: {why}; see `invoke logs`") from error
    writes = frozenset(tool.name for tool in tools if not _only_reads(tool))
    return Seen(frozenset(tool.name for tool in tools), writes, failure)


async def _read(client: Any, tools: Sequence[Any]) -> str:
    """Call the first tool that only reads and needs no arguments; return why it failed, or nothing."""
    callable_ = [tool.name for tool in tools if _only_reads(tool) and not tool.input_schema.get("required")]
    if not callable_:
        return ""
    answer = await client.call_tool(callable_[0], {})
    return f"{callable_[0]}: {_text(answer)}" if answer.is_error else ""


def _only_reads(tool: Any) -> bool:
    return bool(tool.annotations and tool.annotations.read_only_hint)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _text(answer: Any) -> str:
    return "".join(getattr(part, "text", "") for part in answer.content)


def _require(holds: bool, broken: str) -> None:
    if not holds:
        raise SmokeError(f"{broken}; the platform is up but must not be used like this")


def _list(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
