"""Inventories: small YAML files that name only what matters about a plan, compared with the whole plan.

`counts` are numbers of resources by type, `values` are attributes by resource address (a mapping means "at least
these", a list is compared item by item), `outputs` are the known outputs of the root.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

MISSING = "(not in the plan, or known only after apply)"


def resources(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Attributes of every managed resource by address, from `terraform show -json` of a plan or a state."""
    found: dict[str, dict[str, Any]] = {}
    modules = [(plan.get("planned_values") or plan["values"])["root_module"]]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", [])
        found |= {r["address"]: r["values"] for r in module.get("resources", []) if r["mode"] == "managed"}
    return found


def refreshed(inventory: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """The same inventory with what the plan says now."""
    planned = resources(plan)
    types = Counter(address.rsplit(".", 1)[0].split(".")[-1] for address in map(_without_key, planned))
    outputs = {name: output.get("value", MISSING) for name, output in plan["planned_values"].get("outputs", {}).items()}
    actual = {"counts": types, "values": planned, "outputs": outputs}
    return {part: _picked(wanted, actual[part]) for part, wanted in inventory.items()}


def differences(inventory: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    """One line for each thing that is not as the inventory says."""
    return list(_compared(inventory, refreshed(inventory, plan), ""))


def _without_key(address: str) -> str:
    return address[: address.rindex("[")] if address.endswith("]") else address


def _picked(wanted: Any, actual: Any) -> Any:
    if isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        default = 0 if isinstance(actual, Counter) else MISSING
        return {name: _picked(value, actual.get(name, default)) for name, value in wanted.items()}
    if isinstance(wanted, list) and isinstance(actual, list) and len(wanted) == len(actual):
        return [_picked(one, other) for one, other in zip(wanted, actual, strict=True)]
    return actual


def _compared(wanted: Any, actual: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        for name, value in wanted.items():
            yield from _compared(value, actual[name], f"{path} › {name}" if path else str(name))
    elif wanted != actual:
        yield f"{path}: wanted {wanted!r}, planned {actual!r}"
