"""The example in a module's README is its smallest test: it plans, or the README lies."""

from __future__ import annotations

import pytest

from tests.plan.bench import MODULES, Bench
from tests.plan.inventory import resources


@pytest.mark.parametrize("module", MODULES)
def test_the_example_plans(bench: Bench, module: str) -> None:
    """Copied into a root module as it stands, the example plans a resource; one of a module without any, an output."""
    plan = bench.plan(bench.example(module))._raw
    assert resources(plan) or plan["planned_values"].get("outputs")
