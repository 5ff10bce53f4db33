"""`invoke gateway.check`: which policies of any file or folder the local gateway would run, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from emulators.apim import check
from emulators.apim.check import Report
from emulators.base.errors import PolicyError
from ops.cli import output
from ops.errors import UsageError


class PoliciesRefused(PolicyError):
    """Not everything would run; `reports` say what."""

    def __init__(self, reports: Sequence[Report]) -> None:
        self.reports = tuple(reports)
        super().__init__(f"{summary(reports)}: twin/FIDELITY.md lists what the local gateway runs")


def report(paths: Sequence[str], *, as_json: bool) -> None:
    """Print what was found; PoliciesRefused unless everything would run, UsageError where there is nothing to read."""
    try:
        reports = check.report([Path(path) for path in paths])
    except PolicyError as error:
        raise UsageError(str(error)) from error
    if as_json:
        output.data_json(document(reports))
    else:
        output.data("\n".join([*(line for one in reports for line in lines(one)), summary(reports)]))
    if not all(one.runs for one in reports):
        raise PoliciesRefused(reports)


def summary(reports: Sequence[Report]) -> str:
    run = sum(one.runs for one in reports)
    problems = sum(len(one.problems) for one in reports)
    files = "1 file" if len(reports) == 1 else f"{len(reports)} files"
    return f"{files}: {run} would run, {len(reports) - run} would not ({problems} refused)"


def document(reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "files": [one.as_json() for one in reports],
        "summary": {
            "files": len(reports),
            "would_run": sum(one.runs for one in reports),
            "would_not": sum(not one.runs for one in reports),
            "refused": sum(len(one.problems) for one in reports),
        },
    }


def lines(one: Report) -> list[str]:
    """Return the verdict, then what is refused, then what would run, elements of one name together."""
    found = [f"{one.path}: {'would run' if one.runs else 'would not run'}"]
    found += [
        f"  {f'line {problem.where.line}' if problem.where.line else 'the file'}: refused: {problem.reason}"
        for problem in one.problems
    ]
    for tag, group in groupby(sorted(one.elements, key=lambda element: (element.tag, element.line)), lambda e: e.tag):
        elements = list(group)
        where = ", ".join(str(element.line) for element in elements)
        remark = f" (partial: {elements[0].remark})" if elements[0].remark else ""
        found.append(f"  line {where}: {tag} runs{remark}")
    return found
