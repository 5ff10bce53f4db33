"""The table of a run, and its place in docs/reliability.md."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path

from tools.faults.measure import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: written by `nox -s faults -- --write` -->", "<!-- end of faults -->"
_TOLD = 2  # different answers that a row shows


def line(outcome: Outcome) -> str:
    """For a terminal."""
    well = "never" if outcome.well is None else f"{outcome.well:.1f} s"
    return (
        f"{outcome.name}: {outcome.failed} of {outcome.calls} calls failed, longest {outcome.longest:.1f} s, "
        f"well after {well}, {outcome.lost} of {outcome.written} writes lost"
    )


def table(singles: Iterable[Outcome], pairs: Iterable[Outcome], taken: str) -> str:
    """Markdown: when and where, one table of single faults and one of pairs."""
    singles, pairs = list(singles), list(pairs)
    calls = sum(one.calls for one in [*singles, *pairs])
    written = sum(one.written for one in [*singles, *pairs])
    lost = sum(one.lost for one in [*singles, *pairs])
    text = f"{taken}: {len(singles)} faults and {len(pairs)} pairs, {calls:,} calls, {written:,} acknowledged writes,"
    text += f" {lost} lost.\n\n{_table(singles)}"
    if pairs:
        text += f"\n{_table(pairs)}"
    return text


def machine() -> str:
    """When and on what."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{time.strftime('%Y-%m-%d %H:%M')} UTC, {processors} processors ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def into_page(text: str, page: str) -> str:
    """The page with `text` between its markers. ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost the markers between which the table stands: {BEGIN} and {END}")
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def _table(outcomes: Iterable[Outcome]) -> str:
    head = "| fault | what happens | calls | failed | longest wait | well after | writes lost | callers are told |\n"
    return head + "|---|---|---|---|---|---|---|---|\n" + "".join(map(_row, outcomes))


def _row(one: Outcome) -> str:
    well = "not" if one.well is None else "at once" if one.well < 0.05 else f"{one.well:.1f} s"
    cells = [
        f"`{one.name}`", one.what, str(one.calls), str(one.failed), f"{one.longest:.1f} s", well,
        f"{one.lost} of {one.written}", _told(one),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def _told(one: Outcome) -> str:
    said = [f"{_status(status)}“{_short(text)}” ({number})" for (status, text), number in one.told.most_common(_TOLD)]
    others = one.failed - sum(number for _, number in one.told.most_common(_TOLD))
    return "; ".join([*said, *([f"others ({others})"] if others else [])]) or "nothing"


def _status(status: int) -> str:
    return f"{status} " if status else ""


def _short(text: str) -> str:
    text = text.replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= 120 else f"{text[:119]}…"
