"""The azurerm and azuread providers for any Terraform, against a cloud that is a file: no Azure account, no network.

    python -m emulators.azurerm terraform plan

runs one command with both providers attached, and ends with its exit code. Without a command it prints the line to
export (TF_REATTACH_PROVIDERS) and serves until Ctrl-C, for commands typed in another terminal:

    python -m emulators.azurerm

What is applied stays in the store, and is there again next time. `terraform init` comes first, as always.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

from emulators.azurerm import serve
from emulators.base.errors import EmulatorError
from emulators.base.store import Store

STORE = Path(".azurerm-emulator") / "cloud.json"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m emulators.azurerm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--store",
        type=Path,
        default=STORE,
        metavar="FILE",
        help=f"what keeps the cloud, keys included, readable by you only (default: {STORE})",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="such as: terraform apply")
    given = parser.parse_args(arguments)
    try:
        store = Store(given.store)
        store.types()  # a file that cannot be read is said now, and not by Terraform
        return _run(store, given.command) if given.command else _serve(store)
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(store: Store, command: list[str]) -> int:
    with serve(store) as served:
        try:
            process = subprocess.Popen(command, env={**os.environ, **served.env})
        except OSError as error:
            sys.stderr.write(f"{command[0]!r} cannot be run ({error.strerror})\n")
            return 127
        while True:
            # The terminal's Ctrl-C reaches the command too, which ends in its own time: Terraform saves its state, and
            # needs the providers until then.
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()


def _serve(store: Store) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with serve(store) as served:
        for name, value in served.env.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
