"""The same load on 1, 2 and 4 replicas behind the gateway, as apps and as slots, side by side; and one replica more.

`python -m tools.benchmarks.bench_scale [--share S] [--rounds N] [--connections N…] [--write]` prints Markdown;
`--write` puts it into docs/scale.md. The load generator has one core to itself where there are several, and the
platform the others.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import platform as machine
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.support import own_platform
from tests.support.platform_under_test import Platform
from tools.benchmarks.load import call_tool
from tools.benchmarks.local_platform import ROOT
from tools.benchmarks.wire import Found, Wire, measure, request

VERSION = "2026-07-28"
REPLICAS = (1, 2, 4)
#: Calls per round by connections.
CALLS = {1: 400, 8: 1600, 32: 1600}
PARTS = ("gateway", "ingress", "server", "database")
TIER = "reader"
PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end of measured -->\n"
#: Calls a second for a replica of the app that grows; fewer than one connection makes.
GROWS_AT = 20
GROWTHS = 3


@dataclass(frozen=True)
class Kind:
    """A kind of compute, and the entry of `mcp_servers` with which it runs that many replicas."""

    name: str
    label: str

    def server(self, replicas: int) -> str:
        return f"{self.name}{replicas}"

    def entry(self, replicas: int) -> dict[str, Any]:
        if self.name == "slots":
            return {"slots": [chr(ord("a") + number) for number in range(replicas)]}
        return scaled(replicas, replicas)


KINDS = (Kind("apps", "app"), Kind("slots", "slots"))


def scaled(least: int, most: int, concurrent: int = 1000) -> dict[str, Any]:
    scale = {"minimum": least, "maximum": most, "concurrent_requests": concurrent}
    return {"compute": "container-apps", "cpu": 0.5, "memory": 1, "scale": scale}


def wanted(values: Mapping[str, Any]) -> dict[str, Any]:
    """The local environment's values, with a server for each row, of one tier and without a limit."""
    only = {TIER: values["mcp_servers"]["mongodb"]["tiers"][TIER]}
    server = {**values["mcp_servers"]["mongodb"], "rate_limit": own_platform.NO_LIMIT, "tiers": only}
    rows = {kind.server(number): {**server, **kind.entry(number)} for kind in KINDS for number in REPLICAS}
    return {**values, "mcp_servers": {**rows, "grows": {**server, **scaled(1, 2, GROWS_AT)}}}


# ---- processes


def environ(pid: int) -> dict[str, str]:
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def family(pid: int) -> Iterator[int]:
    yield pid
    for child in children(pid):
        yield from family(child)


def parts(status: Mapping[str, Any], server: str) -> dict[str, list[int]]:
    """Processes that work for a call of the server, by part."""
    pids: Mapping[str, int] = status["pids"]
    replicas = [pid for name, pid in pids.items() if name.startswith(f"aci-{server}-")]
    ingress = pids["apps"]
    own = [pid for pid in family(ingress) if pid != ingress and environ(pid).get("MCP_SERVER_NAME") == server]
    return {
        "gateway": [pids["gateway"]],
        "ingress": [ingress] if own else [],
        "server": [*replicas, *own],
        "database": [pids["mongo"]],
    }


def pin(status: Mapping[str, Any]) -> str:
    """Give the last core to this process and the others to the platform; say what was done."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return "one core for everything"
    os.sched_setaffinity(0, cores[-1:])
    supervisor = int(Path(f"/proc/{status['pids']['gateway']}/stat").read_text().rpartition(")")[2].split()[1])
    for pid in family(supervisor):
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), cores[:-1])
    return f"one core for the load generator, {len(cores) - 1} for the whole platform"


# ---- measuring


def rates(status: Mapping[str, Any], token: str, given: argparse.Namespace) -> Iterator[tuple[int, str, int, Found]]:
    """For each number of connections: the kind of compute, replicas, and what was found, all in turns."""
    headers, body = call_tool("count", {"database": "platform", "collection": "services"}, VERSION)
    headers["Authorization"] = f"Bearer {token}"
    port = int(str(status["gateway"]).rpartition(":")[2])
    rows = [(kind, number) for kind in KINDS for number in REPLICAS]
    targets = []
    for kind, number in rows:
        name = kind.server(number)
        found = parts(status, name)
        if len(found["server"]) != number:
            raise SystemExit(f"{name} has {len(found['server'])} replicas instead of {number}")
        sent = request(status["servers"][name]["url"], headers, body)
        targets.append(Wire(name, port, sent, parts=found))
    for connections in given.connections:
        calls = max(200, connections, int(CALLS[connections] * given.share))
        measured = measure(targets, connections=connections, calls=calls, rounds=given.rounds)
        for kind, number in rows:
            yield connections, kind.label, number, measured[kind.server(number)]


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rate_table(found: Sequence[tuple[int, str, int, Found]]) -> str:
    rows = [
        [f"{connections}", f"{label}, {number}", f"{one.rate:.0f}", ms(one.quantile(0.5)), ms(one.quantile(0.95))]
        for connections, label, number, one in found
    ]
    return table(["connections", "compute, replicas", "calls/s", "median", "p95"], rows)


def share_table(found: Sequence[tuple[int, str, int, Found]]) -> str:
    """Milliseconds of processor for each call, by part, and the share of each."""
    rows = []
    for connections, label, number, one in found:
        spent = {part: 1000 * statistics.median(one.parts.get(part) or [0.0]) for part in PARTS}
        whole = sum(spent.values()) or 1.0
        cells = [f"{spent[part]:.2f} ms, {100 * spent[part] / whole:.0f} %" if spent[part] else "–" for part in PARTS]
        rows.append([f"{connections}", f"{label}, {number}", *cells, f"{whole:.2f} ms"])
    return table(["connections", "compute, replicas", *PARTS, "together"], rows)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


# ---- one replica more


def replicas(home: Path) -> dict[str, str]:
    """State by replica of the app that grows."""
    found = json.loads((home / "run/apps.status.json").read_text(encoding="utf-8"))[f"grows-{TIER}"]["replicas"]
    return {name: one["state"] for name, one in found.items() if not one["leaving"]}


async def growth(home: Path, url: str, token: str) -> tuple[float, float]:
    """Seconds under load until one more replica is started, and until it is ready; no call may fail."""
    headers, body = call_tool("count", {"database": "platform", "collection": "services"}, VERSION)
    headers["Authorization"] = f"Bearer {token}"
    done = False

    async def caller(session: aiohttp.ClientSession) -> None:
        while not done:
            async with session.post(url, data=body, headers=headers) as answer:
                text = await answer.read()
            if answer.status != 200 or b'"isError":true' in text:
                raise SystemExit(f"while a replica more came, a call was answered {answer.status}: {text[:200]!r}")

    async with aiohttp.ClientSession(trust_env=False) as session:
        started, asked = time.perf_counter(), 0.0
        callers = [asyncio.create_task(caller(session)) for _ in range(2)]
        while time.perf_counter() - started < 120:
            now = replicas(home)
            asked = asked or (time.perf_counter() - started if len(now) > 1 else 0.0)
            if sum(state == "healthy" for state in now.values()) > 1:
                break
            await asyncio.sleep(0.02)
        else:
            raise SystemExit("under load no second replica came within 120 s")
        ready = time.perf_counter() - started
        done = True
        await asyncio.gather(*callers)
    return asked, ready


def growths(platform: Platform, token: str) -> str:
    """Some growths, each from one replica, in a sentence."""
    home, url = Path(platform.variables["TWIN_HOME"]), platform.status["servers"]["grows"]["url"]
    found = []
    for _ in range(GROWTHS):
        deadline = time.monotonic() + 120
        while list(replicas(home).values()) != ["healthy"]:
            if time.monotonic() > deadline:
                raise SystemExit(f"the app did not go back to one replica: {replicas(home)}")
            time.sleep(0.1)
        found.append(asyncio.run(growth(home, url, token)))
    asked, ready = (statistics.median(one) for one in zip(*found, strict=True))
    return (
        f"**One replica more**, from one to two under load, median of {GROWTHS}: {asked:.1f} s until the rule asked "
        f"for it, {ready:.1f} s until it was ready and got calls. No call failed.\n"
    )


# ---- the whole


def report(given: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        platform = own_platform.copied(Path(folder))
        own_platform.set_values(platform, wanted(own_platform.values(platform)))
        go_soon(own_platform.terraform(platform))
        with own_platform.deployed(platform):
            token, status = platform.token(TIER), platform.status
            pinned = pin(status) if given.pin else f"{os.cpu_count()} cores for everything"
            found = list(rates(status, token, given))
            grown = growths(platform, token)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    today = datetime.datetime.now(datetime.UTC).date()
    calls = f"`count` on MCP {VERSION}, {given.rounds} rounds, the rows in turns"
    how = f"Python {machine.python_version()}: {calls}; {pinned}; load average {load} at the end"
    head = f"`nox -s bench -- scale`, {today}, {how}.\n"
    return "\n".join([head, rate_table(found), "Processor time of a call, by part:\n", share_table(found), grown])


def go_soon(terraform: Path) -> None:
    """Seconds instead of five minutes until a replica goes again, so that growing can be measured more than once."""
    template = terraform / "modules/container-app/main.tf"
    text = template.read_text(encoding="utf-8")
    scaled = text.replace("  template {\n", "  template {\n    cooldown_period_in_seconds = 2\n", 1)
    if scaled == text:
        raise SystemExit(f"{template.name} has no template block: mend the benchmark")
    template.write_text(scaled, encoding="utf-8")


def write(text: str) -> None:
    """Put what was measured into docs/scale.md."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.name} has no place for it: {BEGIN.strip()} … {END.strip()}")
    PAGE.write_text("".join([before, begin, text, end, after]), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.bench_scale", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the calls of each round: 0.1 for a quick look")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", nargs="+", type=int, choices=list(CALLS), default=list(CALLS))
    parser.add_argument("--pin", action=argparse.BooleanOptionalAction, default=True, help="a core for the load alone")
    parser.add_argument("--write", action="store_true", help=f"put it into {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    text = report(given)
    print(text)
    if given.write:
        write(text)


if __name__ == "__main__":
    main()
