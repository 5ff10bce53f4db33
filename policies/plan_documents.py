"""The whole of a plan, for rules that need two resources or find one missing.

Checkov hands a check one resource; its graph holds every resource of every document that is scanned together. Ids are
known in a plan of what is applied (`ops.terraform.plan_json` makes such ones); in others these rules do not know and
say so.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from policy_base import Policy, unwrap

Values = Mapping[str, Any]


class Plan:
    """The document that a resource stands in, and the others that were scanned with it (stage 1 beside stage 2)."""

    def __init__(self, graph: Any, scanned_file: str) -> None:
        self._nodes = [node for _, node in graph.nodes() if node.get("block_type_") == "resource"]
        self._path = next(node["file_path_"] for node in self._nodes if node["file_path_"].endswith(scanned_file))

    def resources(self, *types: str) -> Iterator[Values]:
        """Resources of these types in the same document; `__address__` names each."""
        yield from _values([node for node in self._nodes if node["file_path_"] == self._path], types)

    def everywhere(self, *types: str) -> Iterator[Values]:
        """Resources of these types in all documents: what stage 2 says about stage 1's resources, by their ids."""
        yield from _values(self._nodes, types)

    def variable(self, name: str) -> Any:
        """A root variable's value, None where the plan has none of that name."""
        return _variables(self._path).get(name, {}).get("value")


class PlanPolicy(Policy):
    """A rule on a resource and what stands beside it; on code, where nothing has an id yet, it knows nothing."""

    def passes(self, values: Values) -> bool | None:
        if "__change_actions__" not in values or not isinstance(values.get("id"), str):
            return None
        return self.holds(values, Plan(self.graph, self.entity_path.split(":", 1)[0]))

    @abstractmethod
    def holds(self, values: Values, plan: Plan) -> bool | None:
        """Whether the resource keeps the rule within its plan; None where that is not to be known."""


def same_id(one: object, other: object) -> bool:
    """Azure compares ids without regard to case."""
    return str(one).lower() == str(other).lower()


def _values(nodes: list[Values], types: tuple[str, ...]) -> Iterator[Values]:
    for node in nodes:
        ((type_, named),) = node["config_"].items()
        if type_ in types:
            for values in named.values():
                yield {name: unwrap(value) for name, value in values.items()}


@cache
def _variables(path: str) -> Values:
    variables: Values = json.loads(Path(path).read_text(encoding="utf-8")).get("variables", {})
    return variables
