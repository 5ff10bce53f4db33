"""`python -m emulators.azurerm --store PATH`: serves until Ctrl-C, for Terraform commands typed by hand."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from pathlib import Path

from emulators.azurerm import serve


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m emulators.azurerm", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="the file that keeps the stand-in cloud")
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with serve(options.store) as served:
        for name, value in served.env.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
