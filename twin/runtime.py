"""The supervisor of one local platform: `python -m twin.runtime --home DIR`.

It reads `<home>/run/state.json` (the applied Terraform state) and `<home>/run/runtime.json` (ports, which MongoDB),
starts every process these ask for, and keeps `<home>/run/status.json`. SIGHUP: read again and change only what differs.
SIGTERM or SIGINT: stop everything, gateway first. Use `twin.control` to start, reload, stop and ask it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from emulators.base.errors import EmulatorError
from twin.supervise import watchdog
from twin.supervise.lock import SupervisorLock
from twin.supervise.plan import make_plan
from twin.supervise.supervisor import Planner, Supervisor, end_leftovers

_log = logging.getLogger("twin.runtime")


async def supervise(home: Path, planner: Planner) -> None:
    """Runs the platform until SIGTERM or SIGINT; TwinError where it cannot be started."""
    stop, reload = _signals()
    supervisor = Supervisor(home, planner)
    try:
        await supervisor.load()
        while await _first(stop, reload) is reload:
            reload.clear()
            await supervisor.reload()
    finally:
        await supervisor.stop()


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    loop = asyncio.get_running_loop()
    stop, reload = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    return stop, reload


async def _first(stop: asyncio.Event, reload: asyncio.Event) -> asyncio.Event:
    """Whichever is set first; stop wins over reload."""
    waits = [asyncio.create_task(event.wait()) for event in (stop, reload)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return stop if stop.is_set() else reload


def run(home: Path, planner: Planner) -> None:
    """Holds the home's lock for as long as its processes live."""
    lock = SupervisorLock(home)
    lock.acquire()
    dog = None
    try:
        end_leftovers(home)
        (home / "run" / "status.json").unlink(missing_ok=True)
        (home / "logs").mkdir(exist_ok=True)
        dog = watchdog.start(home)
        asyncio.run(supervise(home, planner))
    finally:
        (home / "run" / "status.json").unlink(missing_ok=True)
        if dog is not None and dog.stdin is not None:
            dog.stdin.close()
            dog.wait()
        lock.release()


def main(arguments: list[str] | None = None, planner: Planner = make_plan) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.runtime", description="Supervises one local platform.")
    parser.add_argument("--home", type=Path, required=True, help="the platform's folder, for example .twin/local")
    home: Path = parser.parse_args(arguments).home.resolve()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            run(home, planner)
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
