"""Our MCP server beside npm's `mongodb-mcp-server`: the same database, the same raw client, taking turns in one run.

`python tools/benchmarks/bench_mcp_server.py [--rounds N] [--entry PATH] [--python PATH] [--operations NAME…]
[--connections N…]`; `--entry` is an installed npm server's index.js, so that it is not installed again, and `--python`
the interpreter that our server runs on, such as one of the image's version. A connection is one client: where a
protocol version has sessions, each has its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.benchmarks.contenders import LEGACY, REFERENCE, Kind, Running, database, install, npm, ours, started
from tools.benchmarks.load import call_tool, ms, table
from tools.benchmarks.wire import Found, Wire, measure, request

MODERN = "2026-07-28"
#: Calls per round by connections.
CALLS = {1: 150, 8: 320, 64: 512}
STARTS = 5
SERVICES = {"database": "platform", "collection": "services"}
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "find, limit 10": ("find", {**SERVICES, "limit": 10}),
    "aggregate": ("aggregate", {**SERVICES, "pipeline": [{"$group": {"_id": "$tier", "n": {"$sum": 1}}}]}),
    "count": ("count", {**SERVICES, "query": {}}),
    "insert": ("insert-many", {"database": "bench", "collection": "written", "documents": [{"a": 1, "b": "text"}]}),
    "list tools": ("", {}),
}


def list_tools(version: str) -> tuple[dict[str, str], bytes]:
    headers, body = call_tool("", {}, version)
    message = json.loads(body) | {"method": "tools/list"}
    message["params"] = {name: value for name, value in message["params"].items() if name == "_meta"}
    headers = {name: value for name, value in headers.items() if name != "Mcp-Name"}
    return headers | ({"Mcp-Method": "tools/list"} if version == MODERN else {}), json.dumps(message).encode()


def wire(server: Running, operation: str, version: str, connections: int, database: int | None = None) -> Wire:
    tool, arguments = OPERATIONS[operation]
    headers, body = call_tool(tool, {**arguments, **server.kind.arguments}, version) if tool else list_tools(version)
    sessions = [server.session() if version == LEGACY else {} for _ in range(connections)]
    requests = [request(server.url, {**headers, **server.kind.headers, **session}, body) for session in sessions]
    return Wire(f"{server.kind.name}, {version}", server.port, requests, server.pid, database)


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Median of the rounds: each compares turns that were next to each other."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def rows_of(operation: str, connections: int, found: dict[str, Found]) -> list[tuple[str, ...]]:
    return [
        (
            f"{operation}, {connections}",
            name,
            f"{one.rate:.0f}/s",
            *(ms(one.quantile(share)) for share in (0.5, 0.95, 0.99)),
            f"{(one.cpu_per_call or 0) * 1000:.2f} s",
            f"{statistics.median(one.beside) * 1000:.2f} s" if one.beside else "",
        )
        for name, one in found.items()
    ]


def compared(operation: str, connections: int, found: dict[str, Found]) -> tuple[str, ...]:
    other, same, modern = (found[name] for name in (f"npm, json, {LEGACY}", f"ours, {LEGACY}", f"ours, {MODERN}"))
    return (
        f"{operation}, {connections}",
        *(f"{ratio(one.rates, other.rates):.1f}×" for one in (same, modern)),
        *(f"{one.quantile(0.95) / other.quantile(0.95):.2f}×" for one in (same, modern)),
        *(f"{ratio(one.cpu, other.cpu):.2f}×" for one in (same, modern)),
    )


def cold_starts(kinds: Sequence[Kind], folder: Path) -> list[tuple[str, ...]]:
    seconds: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    for _ in range(STARTS):
        for kind in kinds:
            with started(kind, folder / "starts.log") as server:
                seconds[kind.name].append(server.cold_start)
    return [(name, f"{statistics.median(found):.2f} s", f"{min(found):.2f} s") for name, found in seconds.items()]


def same_tools(npm_server: Running) -> None:
    """The comparison in the server's README is about the tools that are listed in tools.json."""
    listed = {tool["name"]: sorted(tool["inputSchema"].get("properties", {})) for tool in npm_server.tools()}
    if listed != json.loads((REFERENCE / "tools.json").read_text()):
        raise SystemExit("npm's server lists other tools than tools/benchmarks/reference/tools.json: compare again")


def run(given: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
    uri, database_process = stack.enter_context(database(folder))
    (folder / "npm").mkdir()
    entry = given.entry or install(folder / "npm")
    kinds = [
        stack.enter_context(ours(uri, given.python)),
        npm(uri, entry, folder, "json"),
        npm(uri, entry, folder, "sse"),
    ]
    starts = cold_starts(kinds, folder)
    table("Cold start, to the first answer", ["", "median", "best"], starts)
    servers = [stack.enter_context(started(kind, folder / f"{kind.name}.log")) for kind in kinds]
    same_tools(servers[1])
    turns = [(server, version) for version in (MODERN, LEGACY) for server in servers]
    for operation in OPERATIONS:  # a compiler that works while it serves, as Node's does, must have seen the work
        measure([wire(server, operation, version, 8) for server, version in turns], connections=8, calls=300, rounds=1)
    rows, ratios = [], []
    for operation in given.operations:
        for connections in given.connections:
            targets = [wire(server, operation, version, connections, database_process) for server, version in turns]
            found = measure(targets, connections=connections, calls=CALLS[connections], rounds=given.rounds)
            rows += rows_of(operation, connections, found)
            ratios.append(compared(operation, connections, found))
    columns = ["operation, connections", "", "calls", "median", "p95", "p99", "CPU per 1,000", "database's"]
    table("Straight to the servers", columns, rows)
    title = f"Ours by npm's (JSON, {LEGACY}): ours on {LEGACY}, ours on {MODERN}"
    table(title, ["", "calls", "calls", "p95", "p95", "CPU", "CPU"], ratios)
    table("Peak RSS", ["", ""], [(server.kind.name, f"{server.peak_mib:.0f} MiB") for server in servers])
    print("load average:", *(f"{one:.1f}" for one in os.getloadavg()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--entry", type=Path, help="index.js of an installed mongodb-mcp-server 3.0.4")
    parser.add_argument("--python", type=Path, help="the interpreter of our server, with its requirements installed")
    parser.add_argument("--operations", nargs="+", choices=list(OPERATIONS), default=list(OPERATIONS))
    parser.add_argument("--connections", nargs="+", type=int, choices=list(CALLS), default=list(CALLS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        run(given, Path(folder), stack)


if __name__ == "__main__":
    main()
