"""Who calls the platform while it is broken: readers and writers of each server, one who signs in, a registry's client.

A writer remembers each document that the server said it had written: what is not in the database afterwards was lost.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import httpx2

from twin.sign_in import SignInError, sign_in

VERSION = "2026-07-28"
DATABASE = "faults"
#: Seconds between two calls of one caller.
PAUSE = 0.25
#: Seconds that a caller waits for an answer: more than the gateway gives a server (`timeout`, 120 by default).
PATIENCE = 150.0
#: Seconds from which on a caller sees that something is wrong, though its call is answered.
SLOW = 5.0
NO_ANSWER = 0
_META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "faults", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Told(NamedTuple):
    """What a caller was told: HTTP status, words (none where the call succeeded), whether their form is right."""

    status: int
    said: str = ""
    clear: bool = True


@dataclass(frozen=True)
class Call:
    """One call that ended; `began` and `ended` by `time.monotonic`."""

    who: str
    began: float
    ended: float
    told: Told

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def troubled(self) -> bool:
        return bool(self.told.said) or self.seconds >= SLOW


@dataclass(frozen=True)
class Target:
    """Where callers find the platform, and as whom they sign in there."""

    gateway: str
    authority: str
    client_id: str
    scope: str


@dataclass
class Callers:
    """`servers`: key of mcp_servers → how many readers and writers it has. `written`: acknowledged, by server."""

    target: Target
    servers: dict[str, tuple[int, int]]
    calls: list[Call] = field(default_factory=list)
    written: dict[str, list[str]] = field(default_factory=dict)
    under_way: dict[str, float] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _signing_in: dict[str, asyncio.Lock] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Every caller, by the name under which its calls are kept."""
        return [*self.of_tools, "registry", "sign-in"]

    @property
    def of_tools(self) -> list[str]:
        """Those that call tools."""
        return [f"{role} {number} of {server}" for server, role, number in self._tool_callers()]

    async def run(self) -> None:
        """Call until cancelled."""
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        async with (
            httpx2.AsyncClient(timeout=PATIENCE, trust_env=False, limits=limits) as http,
            asyncio.TaskGroup() as group,
        ):
            for server, role, number in self._tool_callers():
                name = f"{role} {number} of {server}"
                once = self._write if role == "writer" else self._read
                group.create_task(self._repeat(name, partial(once, http, server, name)))
            group.create_task(self._repeat("registry", partial(self._registry, http)))
            group.create_task(self._repeat("sign-in", self._sign_in, pause=1.0))

    def replace_token(self, user: str, change: Callable[[str], str]) -> None:
        """Let everybody who calls as `user` go on with another token."""
        self._tokens[user] = change(self._tokens[user])

    def forget_tokens(self) -> None:
        """Everybody signs in anew: the platform was made anew."""
        self._tokens.clear()

    @property
    def users(self) -> list[str]:
        return list(self._tokens)

    def _tool_callers(self) -> list[tuple[str, str, int]]:
        return [
            (server, role, number)
            for server, numbers in self.servers.items()
            for role, many in zip(("reader", "writer"), numbers, strict=True)
            for number in range(1, many + 1)
        ]

    async def _repeat(self, name: str, once: Callable[[], Awaitable[Told]], pause: float = PAUSE) -> None:
        while True:
            began = self.under_way[name] = time.monotonic()
            told = await once()
            del self.under_way[name]
            self.calls.append(Call(name, began, time.monotonic(), told))
            await asyncio.sleep(pause)

    async def _write(self, http: httpx2.AsyncClient, server: str, name: str) -> Told:
        identity = f"{name} {time.time_ns()}"
        arguments = {"database": DATABASE, "collection": server, "documents": [{"_id": identity}]}
        told, _ = await self._tool(http, server, "admin", "insert-many", arguments)
        if not told.said:
            self.written.setdefault(server, []).append(identity)
        return told

    async def _read(self, http: httpx2.AsyncClient, server: str, name: str) -> Told:
        """The last document that was acknowledged: not to find it is a failed call."""
        newest = next(reversed(self.written.get(server, [])), None)
        arguments = {
            "database": DATABASE,
            "collection": server,
            "filter": {"_id": newest} if newest else {},
            "limit": 1,
        }
        told, result = await self._tool(http, server, "reader", "find", arguments)
        if newest and not told.said and not result["structuredContent"]["documents"]:
            return Told(told.status, "an acknowledged document is not there", clear=False)
        return told

    async def _tool(
        self, http: httpx2.AsyncClient, server: str, user: str, tool: str, arguments: dict[str, Any]
    ) -> tuple[Told, dict[str, Any]]:
        token = self._tokens.get(user) or await self._renewed(user, "")
        if not token:
            return Told(NO_ANSWER, "no token: the sign-in failed"), {}
        params = {"name": tool, "arguments": arguments, "_meta": _META}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": VERSION,
            "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
        }
        try:
            answer = await http.post(f"{self.target.gateway}/{server}/mcp", json=message, headers=headers)
        except httpx2.HTTPError as error:
            return Told(NO_ANSWER, f"no answer ({type(error).__name__})"), {}
        if answer.status_code == 401:
            await self._renewed(user, token)
        return understood(answer)

    async def _renewed(self, user: str, refused: str) -> str:
        """A token other than the refused one; the one at hand, or none, where the sign-in fails."""
        async with self._signing_in.setdefault(user, asyncio.Lock()):
            if self._tokens.get(user, "") == refused:
                try:
                    self._tokens[user] = await self._signed_in(user)
                except SignInError:
                    return self._tokens.get(user, "")
            return self._tokens[user]

    async def _signed_in(self, user: str) -> str:
        where = self.target
        return await asyncio.to_thread(sign_in, where.authority, where.client_id, where.scope, user)

    async def _sign_in(self) -> Told:
        try:
            await self._signed_in("reader")
        except SignInError as error:
            return Told(NO_ANSWER, general(f"sign-in: {error}"))
        return Told(200)

    async def _registry(self, http: httpx2.AsyncClient) -> Told:
        try:
            answer = await http.get(f"{self.target.gateway}/v0.1/servers")
        except httpx2.HTTPError as error:
            return Told(NO_ANSWER, f"no answer ({type(error).__name__})")
        try:
            if answer.status_code == 200 and answer.json()["servers"]:
                return Told(200)
        except (ValueError, KeyError, TypeError):
            pass
        return Told(answer.status_code, f"registry: {general(answer.text)}", clear=False)


def understood(answer: httpx2.Response) -> tuple[Told, dict[str, Any]]:
    """What the server or the gateway said, which is JSON-RPC or not clear; and the result where there is one."""
    status = answer.status_code
    try:
        document = answer.json()
        if "error" in document:
            message = document["error"]["message"]
            return Told(status, general(message) or "nothing", bool(message) and status != 200), {}
        result: dict[str, Any] = document["result"]
        if result.get("isError"):
            return Told(status, general(result["content"][0]["text"]), status == 200), {}
        return Told(status, "" if status == 200 else general(answer.text), status == 200), result
    except (ValueError, KeyError, TypeError, IndexError):
        return Told(status, general(answer.text) or "an empty answer", clear=False), {}


_PARTICULAR = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "…"),
    (re.compile(r"127\.0\.0\.1:\d+"), "…"),
    (re.compile(r"\b[0-9a-f]{12,}\b"), "…"),
    (re.compile(r"\d+(\.\d+)?"), "N"),
    (re.compile(r"\s+"), " "),
]


def general(text: str) -> str:
    """One line without ids, addresses and numbers, so that equal answers are counted as one."""
    for pattern, instead in _PARTICULAR:
        text = pattern.sub(instead, text)
    return text.strip()[:200]
