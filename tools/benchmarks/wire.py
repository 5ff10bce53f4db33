"""The lean load generator: prepared bytes over kept connections. It costs so little that it may share the cores.

A round is a number of calls to one target. Targets take turns, and each round also notes what its process spent.
"""

from __future__ import annotations

import asyncio
import math
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Wire:
    """`request` is one whole HTTP/1.1 request, or one for each connection in turn; `pid` the process whose CPU time
    counts, `beside` one that works for it, such as a database (None: not measured). `parts`: processes of each part,
    whose CPU time is noted together."""

    name: str
    port: int
    request: bytes | Sequence[bytes]
    pid: int | None = None
    beside: int | None = None
    parts: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def of(self, connection: int) -> bytes:
        if isinstance(self.request, bytes):
            return self.request
        return self.request[connection % len(self.request)]


@dataclass
class Found:
    """Latencies in seconds; rates per second and CPU seconds per call, one per round (`beside`: `Wire`).

    `parts`: the same, by the part's name.
    """

    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def cpu_per_call(self) -> float | None:
        return statistics.median(self.cpu) if self.cpu else None


def request(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as bytes."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


class _Caller(asyncio.Protocol):
    """One connection: the next request leaves when the answer to the last is whole."""

    def __init__(self, target: Wire, number: int, turns: _Turns) -> None:
        self.target, self.turns = target, turns
        self.request = target.of(number)
        self.pending = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.call()

    def call(self) -> None:
        if self.turns.take():
            self.sent = time.perf_counter()
            self.transport.write(self.request)  # type: ignore[attr-defined]
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.pending += data
        if not _whole(self.pending):
            return
        self.turns.latencies.append(time.perf_counter() - self.sent)
        whole = self.pending.startswith(b"HTTP/1.1 200") and b'"result"' in self.pending
        if not whole or b'"isError":true' in self.pending:
            self.turns.fail(f"{self.target.name} answered {self.pending[:300]!r}")
        self.pending = b""
        self.call()

    def connection_lost(self, error: Exception | None) -> None:
        self.turns.closed(self.target.name)


def _whole(data: bytes) -> bool:
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return False
    _, length, rest = head.lower().partition(b"\r\ncontent-length:")
    return len(body) >= int(rest.partition(b"\r\n")[0]) if length else body.endswith(b"0\r\n\r\n")


class _Turns:
    """What the connections of one round share."""

    def __init__(self, calls: int, connections: int) -> None:
        self.left, self.open = calls, connections
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0 and not self.done.done()

    def fail(self, message: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(message))

    def closed(self, name: str) -> None:
        self.open -= 1
        if self.left >= 0:
            self.fail(f"{name} closed a connection")
        elif not self.open and not self.done.done():
            self.done.set_result(None)


async def _round(target: Wire, connections: int, calls: int) -> tuple[list[float], float]:
    loop, turns = asyncio.get_running_loop(), _Turns(calls, connections)
    started = time.perf_counter()
    for number in range(connections):
        await loop.create_connection(partial(_Caller, target, number, turns), "127.0.0.1", target.port)
    await turns.done
    return turns.latencies, time.perf_counter() - started


async def _measure(targets: Sequence[Wire], connections: int, calls: int, rounds: int) -> dict[str, Found]:
    found = {target.name: Found() for target in targets}
    for target in targets:
        await _round(target, connections, max(200, connections))
    for _ in range(rounds):
        for target in targets:
            one = found[target.name]
            spent: list[tuple[list[float], Sequence[int]]] = [
                (one.cpu, [target.pid] if target.pid else []),
                (one.beside, [target.beside] if target.beside else []),
                *((one.parts.setdefault(part, []), pids) for part, pids in target.parts.items()),
            ]
            before = [sum(map(cpu_seconds, pids)) for _, pids in spent]
            latencies, seconds = await _round(target, connections, calls)
            one.latencies += latencies
            one.rates.append(calls / seconds)
            for (noted, pids), earlier in zip(spent, before, strict=True):
                if pids:
                    noted.append((sum(map(cpu_seconds, pids)) - earlier) / calls)
    return found


def measure(targets: Sequence[Wire], *, connections: int, calls: int, rounds: int = 5) -> dict[str, Found]:
    """`calls` per round and target, the targets taking turns; an answer that is no result ends the run."""
    return uvloop.run(_measure(targets, connections, calls, rounds))
