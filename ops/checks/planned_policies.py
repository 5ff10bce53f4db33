"""Whether the local gateway can run the policies that a plan would write, before anything is applied.

On Azure API Management itself refuses them, at the apply, and keeps the ones before; the local gateway would end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.errors import OpsError
from ops.terraform.cli import Plan
from ops.terraform.workspace import Workspace

#: Where a policy's text stands, by resource type.
TEXTS = {
    "azurerm_api_management_policy": "xml_content",
    "azurerm_api_management_api_policy": "xml_content",
    "azurerm_api_management_api_operation_policy": "xml_content",
    "azurerm_api_management_product_policy": "xml_content",
    "azurerm_api_management_policy_fragment": "value",
}
_WRITES = ("create", "update", "replace")
_SHOWN = 5


class PlannedPoliciesRefused(OpsError):
    """A policy that is planned cannot be run."""


def require_runnable(space: Workspace, plan: Plan) -> None:
    """Raise PlannedPoliciesRefused, once for each fault, where the local gateway could not run what is planned.

    A text that is known only when it is applied is not judged.
    """
    environment = space.environment
    written = [address for address, action in plan.actions.items() if action in _WRITES]
    if not any(f"{type_}." in address for type_ in TEXTS for address in written):
        return
    if not environment.is_local or not (environment.home / "run" / "state.json").exists():
        return  # the first time there is no gateway to lose, and it says the same when it starts
    from emulators.apim import check  # its library takes longer to load than most tasks

    found = dict[str, list[str]]()
    for address, text in _texts(space.terraform.show(plan.stage, plan.stage.plan_file)):
        for problem in check.problems(text, address):
            found.setdefault(f"line {problem.where.line}: {problem.reason}", []).append(address)
    if found:
        told = [f"{_at(addresses)}, {fault}" for fault, addresses in found.items()]
        more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        raise PlannedPoliciesRefused(
            f"the local gateway cannot run what is planned: {'; '.join(told[:_SHOWN])}{more}; correct it in "
            "terraform/modules/apim/policies (the lines are those of the rendered text); nothing was applied"
        )


def _texts(shown: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield address and text of each policy that the plan writes."""
    for change in shown.get("resource_changes", ()):
        name = TEXTS.get(change["type"])
        text = (change["change"]["after"] or {}).get(name) if name else None
        if text and change["change"]["actions"] not in (["no-op"], ["read"]):
            yield change["address"], text


def _at(addresses: list[str]) -> str:
    return addresses[0] if len(addresses) == 1 else f"{addresses[0]} and {len(addresses) - 1} more"
