"""`maxTimeMS`: one clock per command, looked at between documents."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from emulators.mongodb.errors import CommandError

T = TypeVar("T")


class Deadline:
    """The instant at which a command must stop; without a limit it never comes."""

    def __init__(self, limit_ms: int | None = None, *, started: float | None = None) -> None:
        begun = time.monotonic() if started is None else started
        self._at = None if not limit_ms else begun + limit_ms / 1000

    def check(self) -> None:
        """Raises MaxTimeMSExpired (50) when the time is up."""
        if self._at is not None and time.monotonic() >= self._at:
            raise CommandError(50, "operation exceeded time limit")

    def guard(self, items: Iterable[T]) -> Iterator[T]:
        """Passes items on, looking at the clock before each."""
        if self._at is None:
            yield from items
            return
        for item in items:
            self.check()
            yield item
