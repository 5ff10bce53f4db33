"""docs/mutations.md: what was broken, and which gate noticed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tools.mutation.gates import GATES
from tools.mutation.table import ROOT, Mutation

DOCUMENT = ROOT / "docs" / "mutations.md"
_HEAD = """\
# Mutations: what the gates notice

A gate that never fails proves nothing. Each line below is one way to break this infrastructure: a single text,
replaced in a copy of the repository. `nox -s mutation` makes them one at a time and asks the gates until one notices:
first where `tools/mutation/mutations/` says that it is worth looking, then everywhere else, from cheap to dear. The
table names the gate that noticed, and there the test or the policy; others may notice as well. Where none does, there
is a hole: the command fails and names it.

This page is written by `python -m tools.mutation --write`. The mutations stand in `tools/mutation/mutations/`, one file
for each class. `tests/plan/test_mutations.py` checks on every run that each still applies to the present text, and that
this page names exactly the present ones.

{total} mutations in {classes} classes; {survivors}. What noticed first:

| gate | session | mutations |
|---|---|---|
{gates}
"""
_ROW = re.compile(r"^\| `([a-z0-9-]+)` \|", re.MULTILINE)


def document(mutations: list[Mutation], outcomes: Mapping[str, Any]) -> str:
    """The page; every mutation must have an outcome."""
    by_class: dict[str, list[Mutation]] = {}
    for mutation in mutations:
        by_class.setdefault(mutation.class_, []).append(mutation)
    counted = Counter(outcomes[mutation.id]["gate"] for mutation in mutations)
    survivors = counted.pop(None, 0)
    rows = [f"| {name} | {GATES[name].session} | {counted[name]} |" for name in GATES if counted[name]]
    head = _HEAD.format(
        total=len(mutations),
        classes=len(by_class),
        survivors=f"{survivors} survive" if survivors else "none survives",
        gates="\n".join(rows),
    )
    return head + "".join(_section(class_, found, outcomes) for class_, found in by_class.items())


def named(text: str) -> list[str]:
    """Ids of the mutations that a page names, in its order."""
    return _ROW.findall(text)


def _section(class_: str, mutations: list[Mutation], outcomes: Mapping[str, Any]) -> str:
    title = class_.replace("-", " ").capitalize()
    lines = [_row(mutation, outcomes[mutation.id]) for mutation in mutations]
    return "\n".join([f"\n## {title}\n", "| mutation | what it breaks | noticed by |", "|---|---|---|", *lines, ""])


def _row(mutation: Mutation, outcome: Mapping[str, Any]) -> str:
    noticed = f"{outcome['gate']}: {_short(outcome['found'])}" if outcome["gate"] else "**nothing**"
    breaks = mutation.breaks.replace("|", "\\|")
    return f"| `{mutation.id}` | {breaks} | {noticed} |"


def _short(found: str) -> str:
    """A test without its folder and parameters; a check with the type of what it is about."""
    if "::" in found:
        return f"`{found.rpartition('::')[2].partition('[')[0]}`"
    return f"`{found.partition(' ')[0]}`"
