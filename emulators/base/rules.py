"""A row of the rule book: one thing that Azure does or refuses, who says so, and what holds it here.

Each part that enforces such rules keeps its rows in a module `rules` with a tuple `RULES`; `python -m
tools.azure_rules` writes all of them into docs/azure-rules.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Standing = Literal["documented", "provider source", "reported", "open"]
"""Microsoft's documentation says it; the provider's code does it; people report it; only a run on Azure can tell."""

STANDINGS: tuple[str, ...] = get_args(Standing)


@dataclass(frozen=True)
class Edit:
    """`old`, which the file at `path` (below the repository) holds exactly once, becomes `new`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Rule:
    """`test` fails without the rule: `path/to/test_file.py::test_name`, with `[case]` where it has many.

    `live` is a check of `invoke verify`.

    `python -m tools.azure_rules --prove` takes the rule away and sees `test` fail. `off` are the functions that enforce
    it, `package.module.function`, or `…=N` for one that changes its argument number N: they do nothing. `edits` take
    away what is no function of a module: a method, a condition, Terraform, a policy, data. Of an open rule both change
    what is taken to be so here. `unproved` says why there is neither.
    """

    id: str
    says: str
    source: str
    standing: Standing
    enforced_by: str
    test: str
    live: str = ""
    off: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    unproved: str = ""
