"""The time of a command: its limit, and the slice of it after which others have their turn.

Everything that works through data counts its steps with `tick`, or passes through `counted`; after some hundreds of
them the clock is looked at. Only one command runs at any moment (see `turns`), so that the running one can be found
here without being handed through every function.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from emulators.mongodb.errors import CommandError
from emulators.mongodb.values import Key, use_text_key

T = TypeVar("T")
_STEPS = 256


class Deadline:
    """The instant at which a command must stop; without a limit it never comes.

    `give_way` is called when the command has had its slice of `slice_seconds`; it may raise. `may_spill`: the command's
    `allowDiskUse` (see `memory`).
    """

    def __init__(
        self,
        limit_ms: int | None = None,
        *,
        started: float | None = None,
        give_way: Callable[[], None] | None = None,
        slice_seconds: float = 0.01,
        may_spill: bool = True,
    ) -> None:
        self.may_spill = may_spill
        self.text_key: Callable[[str], Key] | None = None
        self.pieces = 0  # of the regular expressions that the command holds
        now = time.monotonic()
        begun = now if started is None else started
        self._at = None if not limit_ms else begun + limit_ms / 1000
        self._give_way, self._slice = give_way, slice_seconds
        self._slice_ends = now + slice_seconds
        self._held = 0

    def check(self) -> None:
        """Raises MaxTimeMSExpired (50) when the time is up; gives way when the slice is."""
        now = time.monotonic()
        if self._at is not None and now >= self._at:
            raise CommandError(50, "operation exceeded time limit")
        if now >= self._slice_ends:
            self.give_way()

    def give_way(self) -> None:
        """Lets others have their turn now, unless what is under way must not be seen half done."""
        if self._give_way is not None and not self._held:
            self._give_way()
            run(self)
            self._slice_ends = time.monotonic() + self._slice

    @property
    def is_held(self) -> bool:
        """Whether something is under way that must not be seen half done."""
        return self._held > 0

    def left(self, most: float) -> float:
        """Seconds until the limit, at least a millisecond and at most `most`."""
        return most if self._at is None else min(most, max(self._at - time.monotonic(), 0.001))

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What must not be seen half done: the clock is looked at, but nobody has a turn in between."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    def guard(self, items: Iterable[T]) -> Iterator[T]:
        """Passes items on, counting each."""
        return counted(items)


_running = Deadline()
_left = _STEPS


def run(deadline: Deadline) -> None:
    """From here on the steps are this command's."""
    global _running, _left
    _running, _left = deadline, _STEPS
    use_text_key(deadline.text_key)


def running() -> Deadline:
    return _running


@contextmanager
def collated(text_key: Callable[[str], Key] | None) -> Iterator[None]:
    """Texts are compared by these keys meanwhile, in the running command and in no other."""
    deadline, before = _running, _running.text_key
    deadline.text_key = text_key
    use_text_key(text_key)
    try:
        yield
    finally:
        deadline.text_key = before
        use_text_key(before)


def tick(steps: int = 1) -> None:
    """Counts steps of the running command; now and then its clock is looked at."""
    global _left
    _left -= steps
    if _left < 0:
        _left = _STEPS
        _running.check()


def counted(items: Iterable[T]) -> Iterator[T]:
    """Passes items on, a step each. No generator: a thousand of them in a row would be too deep for the interpreter."""
    return map(_passed, items)


def _passed(item: T) -> T:
    tick()
    return item
