"""Azure role assignments and the built-in roles that they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive.registry import derives, identifies
from emulators.azurerm.directory import kind_of
from emulators.base.well_known import ROLES


def definition_id(cloud: Cloud, name: str) -> str:
    """A built-in role's definition id; a role that is not listed here gets an id of its own."""
    return f"/subscriptions/{cloud.subscription_id}{PATH}{ROLES.get(name) or guid('role', name)}"


PATH = "/providers/Microsoft.Authorization/roleDefinitions/"


@identifies("azurerm_role_assignment")
def assignment_id(_: Cloud, values: Values, __: int) -> str:
    return f"{values['scope'].rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{_assignment_name(values)}"


def _assignment_name(values: Values) -> str:
    if isinstance(values.get("name"), str):
        return str(values["name"])
    named = values.get("role_definition_name")
    role = named if isinstance(named, str) else str(values["role_definition_id"])
    return guid("role-assignment", values["scope"], values["principal_id"], role)


@derives("azurerm_role_assignment")
def assignment(cloud: Cloud, values: Values) -> Mapping[str, Any]:
    by_id = {number: name for name, number in ROLES.items()}
    role = values.get("role_definition_name")
    given = values.get("role_definition_id")
    number = given.rsplit("/", 1)[-1] if isinstance(given, str) else ""
    custom = cloud.find("azurerm_role_definition", role_definition_id=number) or {}
    return {
        "name": _assignment_name(values),
        "principal_type": kind_of(cloud, values["principal_id"]) or "ServicePrincipal",
        "role_definition_id": definition_id(cloud, role) if isinstance(role, str) else given,
        "role_definition_name": by_id.get(number) or custom.get("name") or "",
        "condition_version": "",
        "skip_service_principal_aad_check": None,
    }


@identifies("azurerm_role_definition")
def role_definition_id(_: Cloud, values: Values, __: int) -> str:
    return f"{values['scope'].rstrip('/')}{PATH}{_role_number(values)}|{values['scope']}"


@derives("azurerm_role_definition")
def role_definition(_: Cloud, values: Values) -> Mapping[str, Any]:
    return {
        "role_definition_id": _role_number(values),
        "role_definition_resource_id": f"{values['scope'].rstrip('/')}{PATH}{_role_number(values)}",
        "assignable_scopes": [values["scope"]],
    }


def _role_number(values: Values) -> str:
    given = values.get("role_definition_id")
    return given if isinstance(given, str) else guid("role-definition", values["scope"], values["name"])
