"""Whether a soak kept its promises: what was acknowledged is compared with what the database holds."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pymongo

from tests.soak.clients import DATABASE, Told

_GROWTH = 1.05  # the last quarter by the second: more is no noise
_GROWTH_MIB = 4.0


class Memory:
    """Resident memory of a process in MiB, sampled (Linux)."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.samples: list[float] = []

    def sample(self) -> None:
        lines = self._status.read_text().splitlines()
        self.samples.append(int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024)

    def quarters(self) -> list[float]:
        """Medians of the four quarters of the time."""
        size = max(len(self.samples) // 4, 1)
        parts = [self.samples[at * size : (at + 1) * size] for at in range(4)]
        return [statistics.median(part) for part in parts if part]

    @property
    def grew(self) -> bool:
        """The first quarter is not looked at: caches fill, and the heap finds its size."""
        quarters = self.quarters()
        return len(quarters) == 4 and quarters[3] > max(quarters[1] * _GROWTH, quarters[1] + _GROWTH_MIB)


def complaints(told: Told, memory: Memory, uri: str) -> list[str]:
    """One sentence for each promise that was broken."""
    found = [f"an error that does not say to try again: {text}" for text in sorted(set(told.unclear))[:10]]
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        database = client[DATABASE]
        there = set(database.written.distinct("_id"))
        lost = [identity for written in told.inserted.values() for identity in written if identity not in there]
        counters = {row["_id"]: row["n"] for row in database.counters.find()}
    if lost:
        found.append(f"{len(lost)} acknowledged inserts are lost: {lost[:5]}")
    for number in told.inserted:
        least, most = told.raised[number], told.raised[number] + told.unknown[number]
        if not least <= counters.get(number, 0) <= most:
            found.append(
                f"client {number} raised its counter {least} to {most} times, and it is {counters.get(number)}"
            )
    if memory.grew:
        found.append(f"memory grew: {memory.quarters()}")
    if told.calls < 100 or not told.written:
        found.append(f"only {told.calls} calls were made: nothing is shown by that")
    return found
