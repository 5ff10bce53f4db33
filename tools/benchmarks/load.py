"""One load generator for all measurements: raw HTTP over kept connections, so that what differs is the server.

Contenders take turns, round by round, in one run on one machine: what slows the machine slows all of them.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Target:
    """What is called: a URL with headers, and a JSON-RPC message."""

    name: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Measured:
    """Latencies in seconds, and how long each round took."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def call_tool(tool: str, arguments: Mapping[str, Any], version: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of one tools/call on either protocol generation."""
    params: dict[str, Any] = {"name": tool, "arguments": dict(arguments)}
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": version,
    }
    if version >= "2026":
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return headers, json.dumps(message).encode()


async def measure(
    targets: Sequence[Target], *, connections: int, calls: int, rounds: int = 5, warm_up: int = 50
) -> dict[str, Measured]:
    """`calls` per round and target over `connections` kept connections; an answer that is no result ends the run."""
    measured = {target.name: Measured() for target in targets}
    limit = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=limit, trust_env=False) as session:
        for target in targets:
            await _round(session, target, connections, warm_up)
        for _ in range(rounds):
            for target in targets:
                started = time.perf_counter()
                measured[target.name].latencies += await _round(session, target, connections, calls)
                measured[target.name].seconds += time.perf_counter() - started
    return measured


async def _round(session: aiohttp.ClientSession, target: Target, connections: int, calls: int) -> list[float]:
    remaining = iter(range(calls))
    latencies: list[float] = []

    async def worker() -> None:
        for _ in remaining:
            started = time.perf_counter()
            async with session.post(target.url, data=target.body, headers=target.headers) as answer:
                text = await answer.read()
            latencies.append(time.perf_counter() - started)
            if answer.status != 200 or b'"result"' not in text or b'"isError":true' in text:
                raise SystemExit(f"{target.name} answered {answer.status}: {text[:300]!r}")

    await asyncio.gather(*(worker() for _ in range(connections)))
    return latencies


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    shown = Table(title=title, title_justify="left")
    for column in columns:
        shown.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        shown.add_row(*row)
    Console(width=120).print(shown)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
