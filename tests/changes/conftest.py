from __future__ import annotations

from tests.plan.conftest import applied, own_bench

__all__ = ["applied", "own_bench"]
