"""Containers of both kinds of compute, as the policies see them: container groups and apps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_base import blocks, many, unwrap

KINDS = ("azurerm_container_group", "azurerm_container_app")
Values = Mapping[str, Any]


def containers(values: Values) -> list[dict[str, Any]]:
    """Every container of a group or of an app's template, those that run first among them."""
    holders = [values, *blocks(values, "template")]
    return [one for holder in holders for name in ("container", "init_container") for one in blocks(holder, name)]


def plain(container: Values) -> dict[str, Any]:
    """The variables whose values everybody sees who may read the resource."""
    found = {
        name: value for environment in blocks(container, "environment_variables") for name, value in environment.items()
    }
    found |= {
        str(variable.get("name")): variable.get("value")
        for variable in blocks(container, "env")
        if not variable.get("secret_name")
    }
    return found


def identities(values: Values) -> set[str]:
    """Ids of the attached identities."""
    return {id_ for block in blocks(values, "identity") for id_ in many(block.get("identity_ids"))}


def is_job(values: Values, settings: Values) -> bool:
    """Whether a group runs to its end and serves nobody."""
    return values.get("restart_policy") == "OnFailure" and "MCP_TIER" not in settings


def secure(container: Values) -> dict[str, str]:
    """A group's secret variables."""
    return {
        name: str(unwrap(value))
        for environment in blocks(container, "secure_environment_variables")
        for name, value in environment.items()
    }
