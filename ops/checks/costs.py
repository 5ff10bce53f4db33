"""What an environment runs that is paid for every hour, as docs/costs.md has it from the plans of both stages.

The table is written by tests/plan from real plans, and a test fails where a plan says something else. There are no
prices: they differ by region, agreement and day.
"""

from __future__ import annotations

from pathlib import Path

from ops.checks.prerequisites import Note
from ops.config.environment import ROOT, Environment

PAGE = ROOT / "docs" / "costs.md"
PRICES = "docs/costs.md says what each is counted by; azure.microsoft.com/pricing/calculator"
_FREE = ("–", "")
_END = "<!-- end -->"


def text(environment: Environment) -> str:
    """Return the SKUs of the environment, one per line below each other; a Note where the page has no column for it."""
    found = skus(environment.name)
    if not found:
        return Note(
            f"docs/costs.md has no column for {environment.name}; it says what each resource is counted by, and "
            "`pytest tests/plan/test_stages.py --regenerate` writes it from the plans"
        )
    width = max(map(len, found)) + 2
    lines = [f"{name.ljust(width)}{sku}" for name, sku in found.items()]
    return "\n".join([*lines, f"{len(found)} kinds in all, paid for all day long; prices differ by region ({PRICES})"])


def skus(name: str, page: Path = PAGE) -> dict[str, str]:
    """Return the SKU and number of each resource by what it is called; nothing for an unknown environment."""
    rows = [
        [cell.strip() for cell in line.strip("|\n ").split(" | ")]
        for line in page.read_text(encoding="utf-8").partition(_END)[0].splitlines()
        if line.startswith("| ")
    ]
    head, body = rows[0], rows[2:]
    if name not in head[1:-1]:
        return {}
    at = head.index(name)
    return {row[0]: row[at] for row in body if len(row) == len(head) and row[at] not in _FREE}
