"""What a picture needs of a plan: `terraform show -json` of each stage, of a first plan or of a later one alike.

Only what a first plan knows is used, so that ids and keys, which Azure chooses, are in no picture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class DiagramError(Exception):
    """A picture would be wrong; the sentence says what to add where."""


@dataclass(frozen=True)
class Item:
    """One planned resource. `module`: the outermost module of its address, "" at the root."""

    address: str
    type: str
    module: str
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        found = re.search(r'\["([^"]+)"\]$', self.address)
        return found.group(1) if found else ""


class Plans:
    def __init__(self, stages: Sequence[Mapping[str, Any]]) -> None:
        self.items = [item for stage in stages for item in _managed(stage["planned_values"]["root_module"])]
        self.variables = {name: given.get("value") for name, given in stages[0].get("variables", {}).items()}

    def of(self, type_: str) -> list[Item]:
        return [item for item in self.items if item.type == type_]

    def one(self, type_: str) -> Mapping[str, Any]:
        found = self.of(type_)
        if len(found) != 1:
            raise DiagramError(f"the plan has {len(found)} of {type_} and the picture shows one; change tools/diagrams")
        return found[0].values

    def counts(self) -> Counter[str]:
        """How many resources each module has; what stands at the root is counted by its type."""
        return Counter(item.module or item.type for item in self.items)


def _managed(module: Mapping[str, Any]) -> Iterator[Item]:
    for resource in module.get("resources", []):
        if resource["mode"] == "managed" and resource["type"] != "terraform_data":  # Terraform's own notes
            outermost = re.match(r"module\.(\w+)", resource["address"])
            name = outermost.group(1) if outermost else ""
            yield Item(resource["address"], resource["type"], name, resource["values"])
    for child in module.get("child_modules", []):
        yield from _managed(child)
