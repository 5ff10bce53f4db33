"""Every fault, in the order in which the whole run has them."""

from __future__ import annotations

from tools.faults import changes, clocks, processes, trust
from tools.faults.measure import Fault


def catalogue() -> list[Fault]:
    """What changes the platform for good comes last."""
    return [*processes.faults(), *trust.faults(), *clocks.faults(), *changes.faults()]
