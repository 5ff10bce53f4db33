"""Values that follow from others: what a generic filler cannot know, one file per topic.

A derivation gets the object with its arguments and its `id`, and returns what it knows by name; a name inside a block
is written with dots (`private_service_connection.private_ip_address`), and its value may be a function of the block's
object. Only what Terraform left to the provider is taken from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud

Derivation = Callable[[Cloud, Values], Mapping[str, Any]]
IdRule = Callable[[Cloud, Values, int], str]  # the number tells identical twins apart; ids by name ignore it
Effect = Callable[[Cloud, Values | None, Values | None], None]

TOPICS = (
    "apim",
    "containers",
    "cosmos",
    "directory",
    "identities",
    "keyvault",
    "monitoring",
    "network",
    "roles",
    "storage",
)

_derivations: dict[str, Derivation] = {}
_recomputed: dict[str, Mapping[str, Iterable[str]]] = {}
_ids: dict[str, IdRule] = {}
_effects: dict[str, list[Effect]] = {}


def derives(*types: str, changes: Mapping[str, Iterable[str]] | None = None) -> Callable[[Derivation], Derivation]:
    """`changes` names the values that an update decides anew, and the arguments whose change makes it so."""

    def register(function: Derivation) -> Derivation:
        for type_ in types:
            _derivations[type_] = function
            _recomputed[type_] = changes or {}
        return function

    return register


def identifies(*types: str) -> Callable[[IdRule], IdRule]:
    """For ids that do not follow from the catalog's example."""

    def register(function: IdRule) -> IdRule:
        _ids.update(dict.fromkeys(types, function))
        return function

    return register


def affects(*types: str) -> Callable[[Effect], Effect]:
    """What applying an object does to others; called with the object before and after, None where there is none."""

    def register(function: Effect) -> Effect:
        for type_ in types:
            _effects.setdefault(type_, []).append(function)
        return function

    return register


def derived(cloud: Cloud, type_: str, values: Values) -> Mapping[str, Any]:
    _load()
    return _derivations[type_](cloud, values) if type_ in _derivations else {}


def recomputed(type_: str, changed: set[str]) -> list[str]:
    """The values that an update of those arguments decides anew."""
    _load()
    return [name for name, causes in _recomputed.get(type_, {}).items() if changed & set(causes)]


def id_rule(type_: str) -> IdRule | None:
    _load()
    return _ids.get(type_)


def take_effect(cloud: Cloud, type_: str, before: Values | None, after: Values | None) -> None:
    _load()
    for effect in _effects.get(type_, ()):
        effect(cloud, before, after)


@cache
def _load() -> None:
    """The topics import this module, so it cannot import them when it is itself imported."""
    for topic in TOPICS:
        import_module(f"{__name__}.{topic}")
