"""Processes: how an emulator's own program runs, and how its children end with it."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from emulators.base.errors import EmulatorError

_PR_SET_PDEATHSIG = 1
C = TypeVar("C")


def main(
    program: str,
    description: str | None,
    load: Callable[[Path], C],
    serve: Callable[[C], Coroutine[Any, Any, None]],
    arguments: Sequence[str] | None = None,
) -> int:
    """`PROGRAM --config FILE`: load the configuration, serve until a signal. The exit code, as `run` gives it."""
    parser = argparse.ArgumentParser(
        prog=program, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="a JSON object; the README has its keys"
    )
    given = parser.parse_args(arguments)
    return run(lambda: serve(load(given.config)))


def run(
    serve: Callable[[], Coroutine[Any, Any, None]], loop: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> int:
    """Serve until a signal. An EmulatorError becomes one line on stderr and exit code 1; Ctrl-C is a normal end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(serve())
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def die_with_parent() -> Callable[[], None] | None:
    """A `preexec_fn`: Linux tells the child when its parent dies, however it dies. Elsewhere None."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork: nothing may be imported after it
    parent = os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return arrange
