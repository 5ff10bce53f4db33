"""Turns: one command works at a time, and one that takes long gives way to those that wait.

A command begins on the event loop's own thread, which is fastest for the short ones. Where its first slice does not do,
it is taken back (`Overrun`; nothing of it has been written) and begun again on a thread of its own, which hands the
turn on after every slice. Whoever asks for the turn gets it in the order of asking.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from emulators.mongodb.deadline import run, running

FIRST_SLICE = 0.02
SLICE = 0.005


class Overrun(BaseException):
    """A command has used its first slice; it is to begin again where it can give way. No handler catches it."""


class Turns:
    """A lock that goes to whoever has waited longest."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False
        self._closed = False

    def close(self) -> None:
        """From now on whoever gives way does not come back: Overrun ends its work."""
        self._closed = True

    def acquire(self) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def release(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def give_way(self) -> None:
        """Lets everybody who waits now go first."""
        if self._closed:
            raise Overrun
        if self._waiting:
            self.release()
            self.acquire()


_aside = threading.local()


@contextmanager
def may_step_aside(turns: Turns) -> Iterator[None]:
    """On this thread, work that touches no data may be done without the turn."""
    _aside.turns = turns
    try:
        yield
    finally:
        _aside.turns = None


@contextmanager
def aside() -> Iterator[None]:
    """Around work that touches no data: others have their turn meanwhile, where the command has a thread of its own."""
    turns: Turns | None = getattr(_aside, "turns", None)
    deadline = running()
    if turns is None or deadline.is_held:
        yield
        return
    turns.release()
    try:
        yield
    finally:
        turns.acquire()
        run(deadline)
