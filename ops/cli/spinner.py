"""The spinner that a person sees from the first moment of a task until the task shows something of its own.

It needs nothing but Python itself, so that it turns before what takes long to load.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PERIOD = 1.0  # seconds
_DUMB = ("", "dumb", "unknown")  # terminals on which nothing can be taken back

_lock = threading.Lock()
_running: list[Callable[[], None]] = []


@contextmanager
def spinner() -> Iterator[None]:
    """Show "starting …" at once and the elapsed seconds after that; nothing where no person watches a terminal."""
    if not _is_live():
        yield
        return
    done = threading.Event()
    started = time.monotonic()

    def turn() -> None:
        while not done.wait(_PERIOD):
            with _lock:
                if not done.is_set():
                    _write(f"\rworking{_dots()} {time.monotonic() - started:.0f} s")

    def end() -> None:
        with _lock:
            done.set()
            _write("\r\x1b[2K")
        thread.join()

    _write(f"starting{_dots()}")
    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    _running.append(end)
    try:
        yield
    finally:
        stop()


def stop() -> None:
    """Take the spinner off the terminal; called before anything else is shown."""
    while _running:
        _running.pop()()


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _is_live() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM", "") not in _DUMB


def _dots() -> str:
    return " …" if (sys.stderr.encoding or "").lower().startswith("utf") else " ..."
