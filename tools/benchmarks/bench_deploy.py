"""How long a person waits: `invoke deploy` from nothing (warm caches), again without changes, and both plans."""

from __future__ import annotations

import statistics
import sys
import time

from tools.benchmarks.load import table
from tools.benchmarks.local_platform import Local, local

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 3


def timed(platform: Local, *arguments: str) -> float:
    started = time.perf_counter()
    platform.invoke(*arguments)
    return time.perf_counter() - started


def main() -> None:
    seconds: dict[str, list[float]] = {
        "deploy from nothing": [],
        "plan, both stages": [],
        "deploy, nothing changed": [],
    }
    with local() as warm_up:
        warm_up.invoke("deploy")
    for _ in range(RUNS):
        with local() as platform:
            seconds["deploy from nothing"].append(timed(platform, "deploy"))
            seconds["plan, both stages"].append(timed(platform, "plan"))
            seconds["deploy, nothing changed"].append(timed(platform, "deploy"))
    aims = {"deploy from nothing": "10 s", "plan, both stages": "2 s", "deploy, nothing changed": "–"}
    rows = [
        (name, f"{statistics.median(found):.1f} s", f"{min(found):.1f}–{max(found):.1f} s", aims[name])
        for name, found in seconds.items()
    ]
    table(f"Local deployment, {RUNS} runs", ["step", "median", "range", "aim"], rows)


if __name__ == "__main__":
    main()
