"""Counters of calls per key. In memory: exact on one gateway, and empty again after a restart."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

#: Keys held at once; the longest unused goes first.
MAX_KEYS = 10_000
#: Moments held apart per key. Above that, calls count together that are less than a thousandth of the period apart.
MAX_MOMENTS = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """`remaining` calls after this one; `retry_after` whole seconds, when refused."""

    allowed: bool
    remaining: int
    retry_after: int


class _Window(deque[tuple[float, int]]):
    """Times and counts, with their sum kept up: a window may hold thousands of calls."""

    total = 0
    period = 0.0


class SlidingWindows:
    """Calls per key in the last `period` seconds ("Limit call rate by key": a sliding window)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: OrderedDict[str, _Window] = OrderedDict()

    def check(self, key: str, limit: int, period: float) -> Verdict:
        """Whether one more call fits. Counts nothing."""
        now = self._clock()
        calls = self._window(key, now - period)
        calls.period, used = period, calls.total
        if used < limit:
            return Verdict(True, limit - used, 0)
        oldest = calls[0][0] if calls else now
        return Verdict(False, 0, max(1, -int(-(oldest + period - now) // 1)))

    def add(self, key: str, count: int = 1) -> None:
        if count <= 0:
            return
        calls = self._calls.get(key)
        if calls is None:
            calls = self._calls[key] = _Window()
        self._calls.move_to_end(key)
        now = self._clock()
        if len(calls) >= MAX_MOMENTS and now - calls[-1][0] < calls.period / MAX_MOMENTS:
            calls[-1] = (calls[-1][0], calls[-1][1] + count)
        else:
            calls.append((now, count))
        calls.total += count
        while len(self._calls) > MAX_KEYS:
            self._calls.popitem(last=False)

    def _window(self, key: str, since: float) -> _Window:
        calls = self._calls.get(key)
        if calls is None:
            return _Window()
        while calls and calls[0][0] <= since:
            calls.total -= calls.popleft()[1]
        return calls


class Quotas:
    """Calls and kilobytes per key since the period began; the period renews as a whole."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def used(self, key: str, period: float) -> tuple[float, float]:
        """What was used, and the seconds until it is forgotten. A period of 0 never ends."""
        began, used = self._used.get(key, (self._clock(), 0.0))
        left = began + period - self._clock()
        if period and left <= 0:
            del self._used[key]
            return 0.0, period
        return used, left if period else 0.0

    def add(self, key: str, amount: float) -> None:
        began, used = self._used.get(key, (self._clock(), 0.0))
        self._used[key] = (began, used + amount)
        self._used.move_to_end(key)
        while len(self._used) > MAX_KEYS:
            self._used.popitem(last=False)
