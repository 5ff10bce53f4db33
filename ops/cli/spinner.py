"""The first words of a task, on a terminal: that it works, and for how long, until it shows something of its own.

Nothing but Python itself is needed here, so that these words come before what takes long to load.
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
_enders: list[Callable[[], None]] = []


@contextmanager
def patience() -> Iterator[None]:
    """Says at once that something runs, and every second for how long; `ended` takes it back."""
    if not _live():
        yield
        return
    done = threading.Event()
    started = time.monotonic()

    def ticks() -> None:
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
    thread = threading.Thread(target=ticks, daemon=True)
    thread.start()
    _enders.append(end)
    try:
        yield
    finally:
        ended()


def ended() -> None:
    """Called before anything else is shown; afterwards nothing of the waiting is left on the terminal."""
    while _enders:
        _enders.pop()()


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _live() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM", "") not in _DUMB


def _dots() -> str:
    return " …" if (sys.stderr.encoding or "").lower().startswith("utf") else " ..."
