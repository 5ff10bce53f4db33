"""What the gateway adds, with and without the full policy, beside its libraries alone and nginx in the same run.

Every contender stands in front of the same cheap backend, so that the difference is the contender's own. Then the same
through a real MCP server, and the gateway's memory over many requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tools.benchmarks.load import Measured, Target, call_tool, ms, table
from tools.benchmarks.load import measure as measure_tools
from tools.benchmarks.local_platform import ROOT, Local, local
from tools.benchmarks.nginx import reverse_proxy
from tools.benchmarks.wire import Found, Wire, measure, request

VERSION = "2026-07-28"
#: Calls per round by connections.
CALLS = {1: 1000, 8: 4000, 64: 4000}
MEMORY_CALLS = 100_000


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Python process and its first line; it ends with the block."""
    started = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        line = started.stdout.readline() if started.stdout else ""
        if not line:
            raise SystemExit(f"{arguments} did not start")
        yield started, line.strip()
    finally:
        started.terminate()
        started.wait()


@contextmanager
def gateway(folder: Path, name: str, config: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Port and pid of one more gateway with these settings."""
    path = folder / f"{name}.json"
    path.touch(0o600)
    path.write_text(json.dumps({**config, "port": 0}))
    with process("-m", "emulators.apim", "--config", str(path)) as (started, line):
        yield int(line.split()[-1]), started.pid


def bare_state(backend: int) -> list[dict[str, Any]]:
    """One API without any policy of its own: the default one forwards."""
    api = {
        "name": "bare",
        "path": "mongodb",
        "service_url": f"http://127.0.0.1:{backend}",
        "subscription_required": False,
    }
    operation = {
        "operation_id": "post",
        "api_name": "bare",
        "method": "POST",
        "url_template": "/mcp",
        "display_name": "",
    }
    return [
        {"address": f"azurerm_{kind}.bare", "type": f"azurerm_{kind}", "values": values}
        for kind, values in (
            ("api_management", {"name": "bare"}),
            ("api_management_api", api),
            ("api_management_api_operation", operation),
        )
    ]


def contenders(platform: Local, folder: Path, stack: ExitStack) -> list[Wire]:
    _, line = stack.enter_context(process("-m", "tools.benchmarks.canned_backend"))
    backend = int(line)
    config = json.loads((platform.home / "run" / "gateway.json").read_text())
    config["resolve"] = dict.fromkeys(config["resolve"], f"127.0.0.1:{backend}")
    bare = folder / "bare-state.json"
    bare.write_text(json.dumps(bare_state(backend)))
    headers, body = call_tool("count", {"database": "platform", "collection": "services"}, VERSION)
    headers["Authorization"] = f"Bearer {platform.invoke('token', '--as', 'admin').strip()}"
    sent = request(platform.status["endpoint"], headers, body)
    found = [Wire("direct", backend, sent)]
    proxy = stack.enter_context(reverse_proxy(backend))
    if proxy is None:
        print("nginx is not installed (Debian: apt-get install nginx): its rows are missing")
    else:
        found.append(Wire("nginx", proxy[0], sent, proxy[1]))
    alone, line = stack.enter_context(process("-m", "tools.benchmarks.bare_proxy", str(backend)))
    found.append(Wire("libraries alone", int(line), sent, alone.pid))
    for name, settings in (("gateway, no policy", {**config, "state": str(bare)}), ("gateway, full policy", config)):
        port, pid = stack.enter_context(gateway(folder, name.replace(" ", "-"), settings))
        found.append(Wire(name, port, sent, pid))
    return found


def row(connections: int, name: str, found: Mapping[str, Found]) -> tuple[str, ...]:
    one, direct, proxy = found[name], found["direct"], found.get("nginx")
    median = one.quantile(0.5)
    return (
        f"{connections} conn., {name}",
        f"{one.rate:.0f}/s",
        ms(median),
        ms(one.quantile(0.95)),
        "" if one is direct else f"+{ms(median - direct.quantile(0.5))}",
        f"{median / proxy.quantile(0.5):.2f}×" if proxy is not None and one is not direct else "",
        f"{one.cpu_per_call * 1e6:.0f} µs" if one.cpu_per_call is not None else "",
    )


def bare_hop(targets: list[Wire], share: float) -> None:
    rows = []
    for connections, calls in CALLS.items():
        found = measure(targets, connections=connections, calls=max(connections, int(calls * share)))
        rows += [row(connections, name, found) for name in found]
    columns = ["canned backend", "calls", "median", "p95", "added, median", "of nginx", "CPU per call"]
    table("What a hop adds", columns, rows)


def rss(pid: int) -> float:
    """Resident memory now, in MiB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def memory(target: Wire, share: float) -> None:
    if target.pid is None or not Path("/proc").exists():
        return
    rows, quarter = [("before", f"{rss(target.pid):.1f} MiB")], int(MEMORY_CALLS * share) // 4
    for part in range(1, 5):
        measure([target], connections=8, calls=quarter, rounds=1)
        rows.append((f"after {part * quarter:,} calls", f"{rss(target.pid):.1f} MiB"))
    table(f"Resident memory, {target.name}", ["", "RSS"], rows)


def through_a_server(platform: Local, share: float) -> None:
    """The same tool call straight to a real MCP server and through the gateway."""
    status = platform.status
    headers, body = call_tool("count", {"database": "platform", "collection": "services"}, VERSION)
    as_gateway = {
        "Authorization": f"Bearer {platform.gateway_token()}",
        "X-Mcp-Caller": "bench",
        "X-Mcp-Client": "bench",
        "X-Mcp-Tier": "admin",
    }
    token = platform.invoke("token", "--as", "admin").strip()
    direct = f"{status['servers']['mongodb']['tiers']['admin'].removesuffix('/mcp')}/mcp"
    targets = [
        Target("direct", direct, {**headers, **as_gateway}, body),
        Target("through the gateway", status["endpoint"], {**headers, "Authorization": f"Bearer {token}"}, body),
    ]
    rows = []
    for connections, calls in {1: 200, 8: 400}.items():
        found = asyncio.run(measure_tools(targets, connections=connections, calls=max(connections, int(calls * share))))
        rows += [_tool_row(connections, name, one, found["direct"]) for name, one in found.items()]
    table("The count tool of a real server", ["", "calls", "median", "p95", "added, median"], rows)


def _tool_row(connections: int, name: str, found: Measured, base: Measured) -> tuple[str, ...]:
    return (
        f"{connections} conn., {name}",
        f"{found.rate:.0f}/s",
        ms(found.quantile(0.5)),
        ms(found.quantile(0.95)),
        "" if found is base else f"+{ms(found.quantile(0.5) - base.quantile(0.5))}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.bench_gateway", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the calls of each round: 0.1 for a quick look")
    share: float = parser.parse_args().share
    with local(limited=False) as platform, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        platform.invoke("deploy")
        with ExitStack() as stack:
            targets = contenders(platform, Path(folder), stack)
            bare_hop(targets, share)
            memory(targets[-1], share)
        through_a_server(platform, share)


if __name__ == "__main__":
    main()
