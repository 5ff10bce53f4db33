"""The Container Apps environment of the local platform, until SIGTERM. SIGHUP reads the settings again.

python -m twin.apps --config FILE
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from emulators.base import processes
from twin.apps.ingress import Ingress


async def serve(path: Path) -> None:
    """Serve the apps that the file names until SIGTERM."""
    ingress = Ingress(path)
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    assert main is not None  # a coroutine runs in a task
    loop.add_signal_handler(signal.SIGHUP, ingress.reload)
    loop.add_signal_handler(signal.SIGTERM, main.cancel)
    try:
        await ingress.serve()
    except asyncio.CancelledError:
        return


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m twin.apps", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="run/apps.json of a platform's home")
    given = parser.parse_args()
    return processes.run(lambda: serve(given.config))


if __name__ == "__main__":
    raise SystemExit(main())
