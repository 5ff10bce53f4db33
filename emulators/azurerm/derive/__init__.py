"""Values that follow from others: what a generic filler cannot know, one file per topic.

A derivation gets the object with its arguments and its `id`, and returns what it knows by name; a name inside a block
is written with dots (`private_service_connection.private_ip_address`), and its value may be a function of the block's
object. Only what Terraform left to the provider is taken from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive import (  # noqa: F401 - each fills the tables
    apim,
    container_apps,
    containers,
    cosmos,
    directory,
    documentdb,
    identities,
    keyvault,
    monitoring,
    network,
    roles,
    storage,
)
from emulators.azurerm.derive.registry import DERIVATIONS, EFFECTS, IDS, RECOMPUTED, IdRule


def derived(cloud: Cloud, type_: str, values: Values) -> Mapping[str, Any]:
    return DERIVATIONS[type_](cloud, values) if type_ in DERIVATIONS else {}


def recomputed(type_: str, changed: set[str]) -> list[str]:
    """The values that an update of those arguments decides anew."""
    return [name for name, causes in RECOMPUTED.get(type_, {}).items() if changed & set(causes)]


def id_rule(type_: str) -> IdRule | None:
    return IDS.get(type_)


def apply_side_effects(cloud: Cloud, type_: str, before: Values | None, after: Values | None) -> None:
    """What applying this object changes in others."""
    for effect in EFFECTS.get(type_, ()):
        effect(cloud, before, after)
