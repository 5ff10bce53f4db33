"""How much of the policy reference the emulator holds, and how long loading and checking 500 documents takes.

The documents are those of the fuzzing session, unchanged and mutated, so that some load and most do not; then the
samples that load, one after the other, as a folder that somebody checks. What a hop adds, and memory over 100,000
calls, is `bench_gateway.py`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from emulators.apim import fidelity
from emulators.apim.check import report
from emulators.apim.errors import PolicyProblems
from emulators.apim.load import load
from emulators.apim.tests.harness import applied
from tools.benchmarks.load import ms, table
from tools.benchmarks.local_platform import ROOT
from tools.fuzz.policies import Documents

SAMPLES = ROOT / "emulators" / "apim" / "tests" / "samples" / "good"


def written(folder: Path, count: int) -> list[Path]:
    """Half as they are made from the reference's rows, half mutated."""
    made, found = Documents(500), []
    for number in range(count):
        path = folder / f"{number}.xml"
        text = made.whole(number) if number % 2 else made.next()
        path.write_text(text, encoding="utf-8", errors="replace")
        found.append(path)
    return found


def timed(paths: list[Path]) -> tuple[list[float], int]:
    """Seconds of each, and how many would run."""
    found, run = [], 0
    for path in paths:
        started = time.perf_counter()
        run += all(one.runs for one in report([path]))
        found.append(time.perf_counter() - started)
    return found, run


def load_seconds(path: Path) -> float:
    """Into a gateway; what a sample refers to is not there, which the loader says at its end."""
    state = applied(path.read_text(encoding="utf-8"))
    started = time.perf_counter()
    with suppress(PolicyProblems):
        load(state)
    return time.perf_counter() - started


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def row(name: str, values: list[float], more: str) -> tuple[str, ...]:
    return (name, f"{sum(values):.2f} s", ms(quantile(values, 0.5)), ms(quantile(values, 0.95)), ms(max(values)), more)


def cases() -> int:
    """Tests below emulators/apim, each case of a table for itself."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "emulators/apim"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    counted = re.findall(r"^(\d+) tests? collected|^\S+\.py: (\d+)$", found, re.MULTILINE)
    return max((int(whole) for whole, _ in counted if whole), default=sum(int(of_file or 0) for _, of_file in counted))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.bench_policies", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=500)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        paths = written(Path(folder), given.count)
        checked, run = timed(paths)
        samples = sorted(SAMPLES.glob("*.xml"))
        real, _ = timed([samples[number % len(samples)] for number in range(given.count)])
        loaded = [load_seconds(samples[number % len(samples)]) for number in range(min(given.count, 100))]
    columns = ["", "in all", "median", "p95", "longest", ""]
    rows = [
        row(f"check, {given.count} documents, half of them mutated", checked, f"{run} would run"),
        row(f"check, {given.count} times a sample", real, ""),
        row(f"load into a gateway, {len(loaded)} times a sample", loaded, ""),
    ]
    table("Load and check", columns, rows)
    print(f"{fidelity.counts()} {cases()} test cases.")


if __name__ == "__main__":
    main()
