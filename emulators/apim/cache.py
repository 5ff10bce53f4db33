"""The internal cache of cache-lookup-value and its siblings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

MAX_ENTRIES = 10_000


class Cache:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, Any]] = OrderedDict()

    def get(self, key: str) -> tuple[Any] | None:
        """The value in a tuple of one: what was stored may be null."""
        entry = self._entries.get(key)
        if entry is None or entry[0] <= self._clock():
            self.remove(key)
            return None
        return (entry[1],)

    def put(self, key: str, value: Any, duration: float) -> None:
        self._entries[key] = (self._clock() + duration, value)
        self._entries.move_to_end(key)
        while len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)

    def remove(self, key: str) -> None:
        self._entries.pop(key, None)
