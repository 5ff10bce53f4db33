"""`invoke gateway.check`: which policies of any file or folder the local gateway would run, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emulators.apim import check
from emulators.apim.check import Report
from emulators.apim.errors import PolicyError
from ops.cli import output
from ops.errors import UsageError


class PoliciesRefused(PolicyError):
    """Not everything would run; `reports` say what."""

    def __init__(self, reports: Sequence[Report]) -> None:
        self.reports = tuple(reports)
        super().__init__(f"{check.summary(reports)}: twin/FIDELITY.md lists what the local gateway runs")


def report(paths: Sequence[str], *, as_json: bool) -> None:
    """Print what was found; PoliciesRefused unless everything would run, UsageError for paths that hold no policy."""
    reports, without = check.judge([Path(path) for path in paths])
    missing = UsageError("\n".join(map(str, without)))
    if not reports:
        raise missing
    if as_json:
        output.data_json(check.document(reports))
    else:
        output.data(check.text(reports))
    if without:
        raise missing
    if not all(one.runs for one in reports):
        raise PoliciesRefused(reports)
