"""The smoke test: through the front door, and only calls that change nothing.

Locally as three people and as nobody; on Azure as whoever is signed in, who cannot become somebody else, and as nobody.
"""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from ops.clients.outputs import Platform
from ops.config.roles import OUTSIDER
from ops.errors import SmokeError

_TIMEOUT = 15.0
#: Seconds: `trip_duration` of terraform/modules/apim/mcp-apis.tf, and one more.
BREAKER_OPEN = 11.0
#: What the gateway's policies say then (mcp-error, mcp-api).
_NO_SERVER = ("The gateway could not complete this request", "No server could take this request")
_LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Seen:
    """What one person gets. `writes`: tools that do not say they only read; `failure`: why a reading call failed."""

    tools: frozenset[str]
    writes: frozenset[str]
    failure: str = ""


@dataclass(frozen=True)
class Tier:
    """A tier of a server, and what is promised of it.

    `user`: who is signed in for it, empty where nobody gets it. `reads`: its role only reads; `writable`: its
    connection is read-write, so that it must have tools that write. `named`: patterns of tools that it has because
    tools.allow names them, whatever they say of themselves; `listed`: it has a list of tools.
    """

    name: str
    user: str = ""
    reads: bool = False
    writable: bool = False
    named: Sequence[str] = ()
    listed: bool = False


@dataclass(frozen=True)
class Judgement:
    """A sentence for each thing that holds, and what a person should know although the platform is as it should be."""

    lines: list[str]
    warnings: list[str]


def check_server(
    platform: Platform,
    server: str,
    token_for: Callable[[str], str],
    tiers: Sequence[Tier],
    *,
    strangers: Sequence[str] = (),
    of_others: bool = False,
) -> Judgement:
    """Check one server. SmokeError says which promise is broken.

    `tiers`: in the order in which the gateway looks for a caller's tier. `strangers`: who has roles elsewhere only.
    `of_others`: what answers its calls is not of this platform; see `require_reading_call`.
    """
    endpoint = platform.endpoints[server]
    seen = asyncio.run(_all(endpoint, {tier.name: token_for(tier.user) for tier in tiers if tier.user}))
    refused = {user: http_status(endpoint, token_for(user)) for user in (OUTSIDER, *strangers)}
    return judge(endpoint, seen, tiers, refused=refused, nobody=http_status(endpoint), of_others=of_others)


def after_breakers(check: Callable[[], Judgement], sleep: Callable[[float], None] = time.sleep) -> Judgement:
    """Check; where the gateway had no server for a call, once more when circuit breakers are closed again.

    A server with one slot is away while it is replaced, and whoever calls it then opens its breaker.
    """
    try:
        return check()
    except SmokeError as error:
        if not any(words in str(error) for words in _NO_SERVER):
            raise
        sleep(BREAKER_OPEN)
        return check()


@dataclass(frozen=True)
class Called:
    """A tier of a server on Azure: what the call was answered (`text`), or why there was none (`called` False)."""

    tier: str
    called: bool
    text: str
    warnings: Sequence[str] = ()


def call_tiers(
    endpoint: str,
    tiers: Mapping[str, str],
    roles: Collection[str],
    see_as: Callable[[str], Seen],
    *,
    of_others: bool = False,
) -> list[Called]:
    """Call a server with the signed-in account's token, as far as its roles lead to a tier.

    `tiers`: the role of each tier, in the gateway's order; `see_as` makes the calls and raises SmokeError where they
    fail. One token leads to one tier of a server, the first that fits; the others are named with the reason.
    """
    reached = next((tier for tier, role in tiers.items() if role in roles), "")
    found = []
    for tier, role in tiers.items():
        if tier == reached:
            seen = see_as(tier)
            warnings = require_reading_call(endpoint, tier, seen, of_others=of_others)
            found.append(Called(tier, True, f"{tier}: {answered(seen)}", warnings))
        elif reached:
            found.append(Called(tier, False, f"{tier}: not called, as your account's roles lead to {reached}"))
        else:
            found.append(Called(tier, False, f"{tier}: not called, as your account does not have the role {role}"))
    return found


def judge(
    endpoint: str,
    seen: Mapping[str, Seen],
    tiers: Sequence[Tier],
    *,
    refused: Mapping[str, int],
    nobody: int,
    of_others: bool = False,
) -> Judgement:
    """Return what was seen as sentences; SmokeError where it is not what the platform promises.

    `seen`: by tier, of which somebody could be signed in. `refused`: what was answered to people without a role here.
    """
    warnings = [w for name, one in seen.items() for w in require_reading_call(endpoint, name, one, of_others=of_others)]
    called = [tier for tier in tiers if tier.name in seen]
    best = next((tier for tier in called if not tier.reads), None)
    for tier in called:
        _judge_tier(endpoint, tier, seen, best)
    require_challenge(endpoint, nobody)
    for user, answered in refused.items():
        who = "somebody without a role" if user == OUTSIDER else f"{user}, whose roles are of other servers"
        _require(answered == 403, f"{endpoint} answers {answered} to {who}, where 403 is right")
    nowhere = ", ".join(tier.name for tier in tiers if tier not in called)
    lines = [
        *(f"tier {tier.name}, as {tier.user}: {_told(tier, seen[tier.name])}" for tier in called),
        *([f"not called, as nobody here gets it: tier {nowhere}"] if nowhere else []),
        f"without a role here, as {' and '.join(refused)}: 403",
        f"without a token: {nobody}",
    ]
    return Judgement(lines, warnings)


def require_reading_call(endpoint: str, who: str, seen: Seen, *, of_others: bool) -> list[str]:
    """Raise SmokeError where a tool's answer to a reading call was an error.

    `of_others`: the answer is somebody else's program or API, which may be away while the platform is as it should be;
    that it was asked, and answered, proves the way. Then the error is a warning, in the server's words.
    """
    if not seen.failure:
        return []
    _require(of_others, f"a reading call of {who} fails at {endpoint}: {seen.failure}")
    return [
        f"a reading call of {who} at {endpoint} ends with an error of the server's own: {seen.failure}; the way there "
        "is open, so look at its API, its credential (`secrets`, `remote`) and the hosts that it may call (`egress`)"
    ]


def answered(seen: Seen) -> str:
    """Return how many tools there are, and how the reading call ended."""
    return f"{_count(seen)}, a reading call answered{' with an error' if seen.failure else ''}"


def _told(tier: Tier, seen: Seen) -> str:
    return f"{_count(seen)}, {_readers(seen)}" if tier.reads else _count(seen)


def _count(seen: Seen) -> str:
    return "1 tool" if len(seen.tools) == 1 else f"{len(seen.tools)} tools"


def _judge_tier(endpoint: str, tier: Tier, seen: Mapping[str, Seen], best: Tier | None) -> None:
    one = seen[tier.name]
    if not tier.reads:
        _require(
            bool(one.writes) or not tier.writable or tier.listed,
            f"{tier.name} sees no write tools at {endpoint}: {_list(one.tools)}",
        )
        return
    if best and not tier.listed and not best.listed:
        missing = one.tools - seen[best.name].tools
        _require(not missing, f"{tier.name} sees tools at {endpoint} that {best.name} does not: {_list(missing)}")
    unnamed = {tool for tool in one.writes if not any(fnmatchcase(tool, pattern) for pattern in tier.named)}
    _require(
        not unnamed,
        f"{tier.name}, whose role only reads, sees write tools at {endpoint}: {_list(unnamed)}; those that only read "
        "and do not say so belong into tools.allow of that tier in mcp_servers",
    )


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
        raise SmokeError(f"the MCP client of {user} cannot use {endpoint}: {_why(error)}; see `invoke logs`") from error
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


def _why(error: BaseException) -> str:
    """Return the words of the innermost error, or what it is called: a timeout says nothing of itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(str(error).split()).rstrip(".") or f"{type(error).__name__} (it waits {_TIMEOUT:g} s)"


def _text(answer: Any) -> str:
    return "".join(getattr(part, "text", "") for part in answer.content)


def _require(holds: bool, broken: str) -> None:
    if not holds:
        raise SmokeError(f"{broken}; the platform is up but must not be used like this")


def _list(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
