"""Stops an evaluation that takes too long, wherever it is: in a loop, in LINQ, inside a regular expression.

A timer of the system interrupts the process every BEAT seconds while expressions are evaluated, and never while none
is. An evaluation that sees BEATS of them has had its time. Python's `re` looks for interruptions while it searches, so
it is stopped as .NET's MatchTimeout would stop Regex; but no catch clause takes this. What an evaluation pays is one
flag. Counting interruptions, not the clock, spares an evaluation during which the machine slept.
"""

from __future__ import annotations

import atexit
import signal
from threading import get_ident, main_thread
from typing import Any

from emulators.apim.csharp.clr import EvaluationLimit

#: Seconds between two looks at an evaluation, and how many it may see.
BEAT, BEATS = 0.1, 10


class TimeLimit:
    """`running`: an evaluation is under way; `beats`: how often it was seen."""

    __slots__ = ("armed", "beats", "running")

    def __init__(self) -> None:
        self.armed = False
        self.running = False
        self.beats = 0

    def arm(self) -> None:
        """Raises RuntimeError outside the main thread: only that one can be interrupted."""
        if get_ident() != main_thread().ident:
            raise RuntimeError("expressions are evaluated in the main thread, where a runaway one can be stopped")
        if signal.getsignal(signal.SIGALRM) != self._look:
            signal.signal(signal.SIGALRM, self._look)
            atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)  # nobody takes the signal once Python has ended
        self.armed = True
        signal.setitimer(signal.ITIMER_REAL, BEAT)

    def _look(self, number: int, frame: Any) -> None:
        if not self.running:
            self.armed = False
            return
        self.beats += 1
        if self.beats >= BEATS:
            self.armed = self.running = False
            raise EvaluationLimit(f"an expression ran for more than {BEAT * BEATS:g} s")
        signal.setitimer(signal.ITIMER_REAL, BEAT)


TIME_LIMIT = TimeLimit()
