"""What twin/mongo/README.md says of these tables."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]
README = (ROOT / "twin" / "mongo" / "README.md").read_text(encoding="utf-8")


def test_the_number_of_cases_is_the_one_that_is_written() -> None:
    """Cases of the tables are counted as pytest collects them."""
    written = {name: int(number) for name, number in re.findall(r"\| `(test_\w+\.py)` \| (\d+) \|", README)}
    together = int(re.findall(r"\| together \| (\d+) \|", README)[0])
    files = [f"tests/integration/mongo/{name}" for name in written]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-o", "addopts=--import-mode=importlib", "-q", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = Counter(line.partition("::")[0].rpartition("/")[2] for line in done.stdout.splitlines() if "::" in line)
    assert dict(found) == written
    assert sum(found.values()) == together >= 150
