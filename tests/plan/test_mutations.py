"""The mutations of tools/mutation still fit this tree, and the page that shows them shows these."""

from __future__ import annotations

from collections import Counter

import pytest

from tools.mutation import report, table
from tools.mutation.gates import GATES

MUTATIONS = table.load()
CLASSES = {
    "container-apps",
    "data-loss-on-change",
    "facade-rules",
    "gateway-tiers",
    "names-and-references",
    "network-exposure",
    "objectives",
    "observability",
    "on-behalf-of",
    "registry",
    "releases",
    "replicas",
    "role-scope",
    "secret-handling",
    "servers-elsewhere",
    "tier-routing",
    "token-validation",
}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.id for mutation in MUTATIONS])
def test_it_still_applies(mutation: table.Mutation) -> None:
    """Its text is in its file exactly once; otherwise the table says something about a line that is gone."""
    assert mutation.applied(table.ROOT)
    assert mutation.breaks.endswith(".")
    assert set(mutation.gates) <= set(GATES)


def test_each_class_has_some() -> None:
    counted = Counter(mutation.class_ for mutation in MUTATIONS)
    assert set(counted) == CLASSES
    assert min(counted.values()) >= 5
    assert counted.total() >= 66


def test_ids_are_unique() -> None:
    assert [id_ for id_, number in Counter(mutation.id for mutation in MUTATIONS).items() if number > 1] == []


def test_the_page_names_exactly_these() -> None:
    """docs/mutations.md is of the present table, and claims no survivor to be caught."""
    text = report.DOCUMENT.read_text(encoding="utf-8")
    assert report.named(text) == [mutation.id for mutation in MUTATIONS], "run: python -m tools.mutation --write"
    assert "**nothing**" not in text
