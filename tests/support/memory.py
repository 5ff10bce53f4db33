from __future__ import annotations

import statistics
from pathlib import Path

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
