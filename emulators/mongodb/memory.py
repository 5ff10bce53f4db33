"""The memory of a stage that collects: MongoDB's limit of 100 MB, and what a stage may take that MongoDB would spill.

MongoDB writes to disk what `$sort`, `$group`, `$bucketAuto` and `$setWindowFields` collect beyond 100 MB, unless
`allowDiskUse` is false (the manual's "Aggregation Pipeline Limits": "Memory Restrictions"). Nothing is spilled here:
such a stage may hold SPILLED_BYTES instead, and is refused then. What MongoDB cannot spill either has its 100 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from bson import InvalidDocument, encode

from emulators.mongodb.deadline import running, tick
from emulators.mongodb.errors import CommandError
from emulators.mongodb.wire import CODEC

T = TypeVar("T")
STAGE_BYTES = 100 * 1024 * 1024
SPILLED_BYTES = 4 * STAGE_BYTES
NO_DISK_USE, TOO_MUCH = 292, 146


def size_of(value: Any) -> int:
    """Bytes of a value as BSON, about; a part that is no BSON counts as little."""
    try:
        return len(encode(value if type(value) is dict else {"": value}, codec_options=CODEC))
    except (InvalidDocument, OverflowError, TypeError):
        return 64


class Meter:
    """What one stage has collected so far."""

    def __init__(self, stage: str, *, spills: bool = True, code: int = TOO_MUCH) -> None:
        self._stage, self._bytes, self._spills, self._code = stage, 0, spills, code
        self._limit = SPILLED_BYTES if spills and running().may_spill else STAGE_BYTES

    def add(self, value: Any) -> None:
        """Counts a value; see `count`."""
        self.count(size_of(value))

    def count(self, size: int) -> None:
        """Counts bytes; 292 where it may not spill, `code` where it cannot, when the limit is passed."""
        self._bytes += size
        if self._bytes <= self._limit:
            return
        if self._spills and not running().may_spill:
            raise CommandError(
                NO_DISK_USE,
                f"{self._stage} exceeded memory limit of {self._limit} bytes, but did not opt in to external sorting. "
                "Pass allowDiskUse:true to opt in.",
            )
        raise CommandError(
            self._code,
            f"{self._stage} used too much memory: the limit is {self._limit} bytes, and nothing can be spilled to disk",
        )


def collected(items: Iterable[T], stage: str, *, spills: bool = True, code: int = TOO_MUCH) -> Iterator[T]:
    """Passes on what a stage is going to keep, each item counted."""
    meter = Meter(stage, spills=spills, code=code)
    for item in items:
        tick()
        meter.add(item)
        yield item
