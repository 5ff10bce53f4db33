"""What became of each change: `applied`, `refused at plan` or `failed`, by set, as a table and as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

OUTCOMES = ("applied", "refused at plan", "failed")
PROPERTY = "change"


@dataclass
class Told:
    """What a test tells of its change; `name` is `set: change`. What it tells nothing of has failed."""

    name: str = ""
    outcome: str = "failed"
    note: str = ""


def counts(told: Iterable[Told]) -> Iterator[tuple[str, ...]]:
    """Yield a row per set of changes, and one of all: name, then the number of each outcome."""
    rows: dict[str, Counter[str]] = {}
    for one in told:
        rows.setdefault(one.name.partition(": ")[0], Counter())[one.outcome] += 1
    for name, row in rows.items():
        yield (name, *(str(row[outcome]) for outcome in OUTCOMES))
    yield ("all", *(str(sum(row[outcome] for row in rows.values())) for outcome in OUTCOMES))


def table(told: Iterable[Told]) -> list[str]:
    rows = [("changes", *OUTCOMES), *counts(told)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def page(told: Iterable[Told]) -> str:
    """Return the page: the numbers, then each change and what Terraform said of it."""
    every = list(told)
    numbers = [f"| {' | '.join(row)} |" for row in counts(every)]
    each = [f"| {one.name} | {one.outcome} | {one.note.replace('|', chr(92) + '|')} |" for one in every]
    head = ["# Changes", "", f"| changes | {' | '.join(OUTCOMES)} |", "|---|---|---|---|", *numbers]
    return "\n".join([*head, "", "| change | outcome | |", "|---|---|---|", *each, ""])
