"""`python -m tools.soak [SECONDS]`: clients call one server for that long while its database dies and comes back.

Three kills, and once a disk that takes no more for a while. Promised: no acknowledged write is lost and none that was
refused is there, a caller meets only errors that say to try again or that the disk is full, and memory stays flat.

With `--platform` a whole platform with two slots instead, whose containers hang, die and move to other addresses, and
`invoke heal`. Promised: no read fails, and none waits longer than for a first byte and its repetition.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import server_process
from tests.support.memory import Memory
from tools.soak import whole_platform
from tools.soak.clients import Client, Observed
from tools.soak.verdict import complaints

CONNECTIONS = 8
KILLS, _FULL_DISK = 3, 2
# Writes wait for it within their time limit; finds, which give less, are told that it is away.
AWAY_SECONDS = 7.0
_SPARE_BYTES = 2_000
SAMPLE_SECONDS = 5.0


@dataclass(frozen=True)
class Setup:
    mongo: server_process.MongoEmulator
    url: str
    headers: dict[str, str]
    pid: int


@contextmanager
def setup(folder: Path, seconds: float) -> Iterator[Setup]:
    mongo = server_process.MongoEmulator(folder)
    mongo.start()
    with closing(server_process.Issuer()) as issuer:
        environment = server_process.environment(issuer, mongo.uri, MCP_TIER="admin")
        command = [sys.executable, "-m", "mongo_db_server"]
        process, port = server_process.start(command, environment, folder / "server.log")
        try:
            headers = issuer.headers("admin", int(seconds) + 600)
            yield Setup(mongo, f"http://127.0.0.1:{port}/mcp", headers, process.pid)
        finally:
            process.terminate()
            process.wait()
            mongo.stop()


async def trouble(mongo: server_process.MongoEmulator, seconds: float) -> None:
    """Four times, evenly: SIGKILL, a while of nothing, the same data on the same port; the third time a full disk."""
    for number in range(KILLS + 1):
        await asyncio.sleep(max(seconds / (KILLS + 2) - AWAY_SECONDS, 1))
        if number == _FULL_DISK:
            mongo.fill_disk(_SPARE_BYTES)
            say(f"{time.strftime('%H:%M:%S')} the disk is full")
            await asyncio.sleep(AWAY_SECONDS)
            mongo.fill_disk(None)
            say(f"{time.strftime('%H:%M:%S')} the disk has room")
            continue
        mongo.stop(signal.SIGKILL)
        say(f"{time.strftime('%H:%M:%S')} the database is killed")
        await asyncio.sleep(AWAY_SECONDS)
        await asyncio.to_thread(mongo.start)
        say(f"{time.strftime('%H:%M:%S')} the database is back")


async def watch(memory: Memory, observed: Observed) -> None:
    while True:
        await asyncio.sleep(SAMPLE_SECONDS)
        memory.sample()
        if len(memory.samples) % 6 == 0:
            say(f"{observed.calls} calls, {observed.failed} told to try again, {memory.samples[-1]:.1f} MiB")


async def load(found: Setup, seconds: float) -> tuple[Observed, Memory]:
    observed, memory = Observed(), Memory(found.pid)
    until = time.monotonic() + seconds
    helpers = [
        asyncio.create_task(trouble(found.mongo, seconds)),
        asyncio.create_task(watch(memory, observed)),
    ]
    clients = [Client(number, found.url, found.headers, observed) for number in range(CONNECTIONS)]
    try:
        await asyncio.gather(*(client.run(until) for client in clients))
        await helpers[0]
    finally:
        for helper in helpers:
            helper.cancel()
    return observed, memory


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=600.0)
    parser.add_argument("--platform", action="store_true", help="a platform whose containers hang, die and move")
    given = parser.parse_args(arguments)
    seconds: float = given.seconds
    if given.platform:
        broken = whole_platform.run(seconds, say)
        say("\n".join(broken) or "no read failed while containers hung, died and moved")
        return 1 if broken else 0
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, setup(Path(folder), seconds) as found:
        observed, memory = asyncio.run(load(found, seconds))
        wrong = complaints(observed, memory, found.mongo.uri)
    increments = sum(observed.raised)
    say(f"{observed.calls} calls in {seconds:.0f} s, {observed.written} acknowledged inserts, {increments} increments")
    say("".join(f"{number:6} × {sentence}\n" for sentence, number in observed.errors.most_common()).rstrip())
    say(f"memory of the server in MiB, by quarter: {', '.join(f'{part:.1f}' for part in memory.quarters())}")
    say("\n".join(wrong) or f"nothing was lost in {KILLS} deaths of the database and on a full disk")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
