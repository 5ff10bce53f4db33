"""Makes the calls, in process, through the whole application, and holds it to its promises."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, redirect_stderr
from dataclasses import dataclass, field
from typing import Any

import pymongo
from mongo_db_server.server import http_app
from mongo_db_server.settings import Settings, Tier

from tests.support.memory import Memory
from tests.support.server_process import Issuer
from tools.fuzz.calls import Calls, Request
from tools.fuzz.seeded import SETTINGS, VISIBLE, SeededDatabase

ROUND = 200  # calls; then the other tier, on a database put back
AT_ONCE = 4
HANG_SECONDS = 60.0
_INTERNAL_ERROR = -32603


@dataclass
class Outcome:
    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    memory: Memory = field(default_factory=lambda: Memory(os.getpid()))


class _Log(io.TextIOBase):
    """The server's log while it is fuzzed: a call that failed for no reason of the caller's is a finding."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def write(self, text: str) -> int:
        if '"outcome":"failed"' in text or '"level":"error"' in text:
            self.failed.append(text)
        return len(text)


class Server:
    """The application of one tier. Its database credential may write, so that only its own rules hold it back."""

    def __init__(self, tier: Tier, uri: str, issuer: Issuer) -> None:
        trusted = {name.lower(): value for name, value in issuer.settings().items()}
        given: dict[str, Any] = {**trusted, **SETTINGS, "mcp_tier": tier, "mongodb_uri": uri}
        settings = Settings(**given)

        async def keys() -> dict[str, Any]:
            return issuer.key_set

        self.tier = tier
        self._gate: Any = http_app(settings, fetch_keys=keys)
        usual = {
            "Host": "localhost",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        self._headers = {**usual, **issuer.headers(tier, 24 * 3600)}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = self._gate._app._app
        async with app.router.lifespan_context(app):
            yield

    async def post(self, request: Request) -> tuple[int, bytes]:
        """Status and body. Raises what the application raises."""
        headers = [(n.lower().encode(), v.encode()) for n, v in {**self._headers, **request.headers()}.items()]
        incoming = [{"type": "http.request", "body": request.body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return incoming.pop() if incoming else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
            "method": "POST",
            "path": "/mcp",
        }
        scope |= {"raw_path": b"/mcp", "query_string": b"", "scheme": "http", "root_path": "", "headers": headers}
        scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {}}
        await self._gate(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    def forget(self) -> None:
        """What it has learned of views: it remembers them for a few seconds, and every round puts them back."""
        for tool in self._gate._app._dispatcher._tools.values():
            tool.runtime.views.forget(VISIBLE)

    async def schemas(self) -> dict[str, Any]:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        _, body = await self.post(Request("2025-11-25", "tools/list", {}, json.dumps(message).encode()))
        return {tool["name"]: tool["inputSchema"] for tool in json.loads(body)["result"]["tools"]}


class Fuzz:
    def __init__(self, uri: str, seed: int, say: Callable[[str], None]) -> None:
        self._uri, self._seed, self._say = uri, seed, say
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(uri)
        self.database = SeededDatabase(self._client)
        self.outcome = Outcome()
        self._log = _Log()

    async def run(self, count: int, issuer: Issuer) -> Outcome:
        """Calls both tiers in turn, until there were `count` calls or there is something to look at."""
        with redirect_stderr(self._log):
            reader, admin = (Server(tier, self._uri, issuer) for tier in ("reader", "admin"))
            async with reader.running(), admin.running():
                sources = [(one, Calls(await one.schemas(), self._seed + at)) for at, one in enumerate((reader, admin))]
                while self.outcome.calls < count and len(self.outcome.findings) < 10:
                    for server, calls in sources:
                        await self._round(server, calls)
                    gc.collect()
                    self.outcome.memory.sample()
                    if self.outcome.calls % 5_000 < 2 * ROUND:
                        self._say(f"{self.outcome.calls} calls, {self.outcome.memory.samples[-1]:.0f} MiB")
        self._client.close()
        if self.outcome.memory.grew:
            self.outcome.findings.append(f"memory grew: {self.outcome.memory.quarters()}")
        return self.outcome

    async def _round(self, server: Server, calls: Calls) -> None:
        self.database.seed()
        server.forget()
        only_hidden = server.tier == "admin"
        before = self.database.digest(hidden=only_hidden)
        left = iter(range(ROUND))
        made: list[Request] = []

        async def caller() -> None:
            for _ in left:
                request = calls.next()
                made.append(request)
                await self._one(server, calls, request)

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
        if self.database.digest(hidden=only_hidden) != before:
            bodies = "\n".join(request.body.decode("utf-8", "replace")[:1_000] for request in made)
            self._found(f"{server.tier}: the database was changed by one of:\n{bodies}")

    async def _one(self, server: Server, calls: Calls, request: Request) -> None:
        answer = await self._judged(server, request)
        token = _confirmation(answer)
        if token is not None and server.tier == "admin":
            arguments = {**request.params["arguments"], "confirmation": token}
            if request.params["name"] == "drop-database":
                arguments["confirm_database"] = VISIBLE
            again = calls.request(request.version, "tools/call", {**request.params, "arguments": arguments})
            await self._judged(server, again)

    async def _judged(self, server: Server, request: Request) -> Any:
        self.outcome.calls += 1
        what = f"{server.tier} {request.version} {request.body[:2_000]!r}"
        try:
            async with asyncio.timeout(HANG_SECONDS):
                status, body = await server.post(request)
        except TimeoutError:
            return self._found(f"no answer in {HANG_SECONDS:.0f} s: {what}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            return self._found(f"{error!r}: {what}")
        self.outcome.statuses[status] += 1
        text = body.decode("utf-8", "replace")
        if status >= 500:
            self._found(f"status {status} {text[:500]}: {what}")
        leaked = [canary for canary in self.database.canaries if canary in text]
        if leaked:
            self._found(f"shows {leaked[0]} in {text[:1_000]}: {what}")
        answer = _parsed(text)
        self.outcome.answers[_kind(answer)] += 1
        # FastMCP answers every refusal to read a resource with that code.
        internal = _code(answer) == _INTERNAL_ERROR and request.method != "resources/read"
        if self._log.failed or internal:
            self._found(f"{self._log.failed[:1]} {text[:500]}: {what}")
            self._log.failed.clear()
        return answer

    def _found(self, finding: str) -> None:
        self.outcome.findings.append(finding)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _code(answer: Any) -> Any:
    error = answer.get("error") if isinstance(answer, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def _kind(answer: Any) -> str:
    result = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(result, dict):
        return "refused before it was a call"
    return "tool error" if result.get("isError") else "result"


def _confirmation(answer: Any) -> str | None:
    result = answer.get("result") if isinstance(answer, dict) else None
    content = result.get("structuredContent") if isinstance(result, dict) else None
    return content.get("confirmation") if isinstance(content, dict) else None


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
