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
class Rule:
    """`test` fails without the rule: `path/to/test_file.py::test_name`. `live` is a check of `invoke verify`.

    `off` are the functions that enforce it, `package.module.function`, or `…=N` for one that changes its argument
    number N: `python -m tools.azure_rules --prove` makes them do nothing and sees `test` fail.
    """

    id: str
    says: str
    source: str
    standing: Standing
    enforced_by: str
    test: str
    live: str = ""
    off: tuple[str, ...] = ()
