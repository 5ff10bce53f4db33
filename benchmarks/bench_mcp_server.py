"""The MCP server alone: find with limit 10, both protocol generations, with its peak memory."""

from __future__ import annotations

import asyncio
from pathlib import Path

from load import Target, call_tool, measure, ms, table
from local_platform import Local, local

CALLS = {1: 200, 8: 400}
QUERY = {"database": "platform", "collection": "services", "limit": 10}


def targets(platform: Local) -> list[Target]:
    url = f"{platform.status['servers']['mongodb']['tiers']['reader'].removesuffix('/mcp')}/mcp"
    as_gateway = {
        "Authorization": f"Bearer {platform.gateway_token()}",
        "X-Mcp-Caller": "bench",
        "X-Mcp-Client": "bench",
        "X-Mcp-Tier": "reader",
    }
    made = {version: call_tool("find", QUERY, version) for version in ("2026-07-28", "2025-11-25")}
    return [Target(version, url, {**headers, **as_gateway}, body) for version, (headers, body) in made.items()]


def peak_rss(pid: int) -> str:
    """The highest resident size so far, in MiB (Linux); elsewhere the present one."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return f"{int(peak.split()[1]) / 1024:.0f} MiB"
    import psutil  # not needed on Linux

    return f"{psutil.Process(pid).memory_info().rss / 2**20:.0f} MiB (now)"


def main() -> None:
    rows = []
    with local() as platform:
        platform.invoke("deploy")
        for connections, calls in CALLS.items():
            found = asyncio.run(measure(targets(platform), connections=connections, calls=calls))
            for version, one in found.items():
                numbers = (f"{one.rate:.0f}/s", ms(one.quantile(0.5)), ms(one.quantile(0.95)))
                rows.append((f"{connections} conn., {version}", *numbers))
        pids = platform.status["pids"]
        reader = next(pid for name, pid in pids.items() if "reader" in name)
        rows.append(("peak RSS, reader", peak_rss(reader), "", ""))
    table("find, limit 10, straight to the server", ["", "calls", "median", "p95"], rows)


if __name__ == "__main__":
    main()
