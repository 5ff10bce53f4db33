"""What the gateway adds: the same tool call straight to the server and through the full policy, taking turns."""

from __future__ import annotations

import asyncio

from load import Measured, Target, call_tool, measure, ms, table
from local_platform import Local, local

VERSION = "2026-07-28"
CALLS = {1: 200, 8: 400}


def targets(platform: Local) -> list[Target]:
    status = platform.status
    headers, body = call_tool("count", {"database": "platform", "collection": "services"}, VERSION)
    token = platform.invoke("token", "--as", "admin").strip()
    as_gateway = {
        "Authorization": f"Bearer {platform.gateway_token()}",
        "X-Mcp-Caller": "bench",
        "X-Mcp-Client": "bench",
        "X-Mcp-Tier": "admin",
    }
    direct = f"{status['servers']['mongodb']['tiers']['admin'].removesuffix('/mcp')}/mcp"
    return [
        Target("direct", direct, {**headers, **as_gateway}, body),
        Target("through the gateway", status["endpoint"], {**headers, "Authorization": f"Bearer {token}"}, body),
    ]


def row(connections: int, name: str, found: Measured, base: Measured) -> tuple[str, ...]:
    added = found.quantile(0.5) - base.quantile(0.5)
    return (
        f"{connections} conn., {name}",
        f"{found.rate:.0f}/s",
        ms(found.quantile(0.5)),
        ms(found.quantile(0.95)),
        "" if found is base else f"+{ms(added)}",
        "" if found is base else f"{found.quantile(0.5) / base.quantile(0.5):.2f}×",
    )


def main() -> None:
    rows = []
    with local(limited=False) as platform:
        platform.invoke("deploy")
        contenders = targets(platform)
        for connections, calls in CALLS.items():
            found = asyncio.run(measure(contenders, connections=connections, calls=calls))
            rows += [row(connections, name, one, found["direct"]) for name, one in found.items()]
    columns = ["count tool", "calls", "median", "p95", "added, median", "ratio"]
    table("Added latency of the gateway (aim: under 1 ms median on 1 connection)", columns, rows)


if __name__ == "__main__":
    main()
