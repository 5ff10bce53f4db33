"""The tables of derivations, id rules and side effects, which the topics fill by decorating functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud

Derivation = Callable[[Cloud, Values], Mapping[str, Any]]
IdRule = Callable[[Cloud, Values, int], str]  # the number tells objects of equal arguments apart
Effect = Callable[[Cloud, Values | None, Values | None], None]

DERIVATIONS: dict[str, Derivation] = {}
RECOMPUTED: dict[str, Mapping[str, Iterable[str]]] = {}
IDS: dict[str, IdRule] = {}
EFFECTS: dict[str, list[Effect]] = {}


def derives(*types: str, changes: Mapping[str, Iterable[str]] | None = None) -> Callable[[Derivation], Derivation]:
    """`changes` names the values that an update decides anew, and the arguments whose change makes it so."""

    def register(function: Derivation) -> Derivation:
        for type_ in types:
            DERIVATIONS[type_] = function
            RECOMPUTED[type_] = changes or {}
        return function

    return register


def identifies(*types: str) -> Callable[[IdRule], IdRule]:
    """For ids that do not follow from the catalog's example."""

    def register(function: IdRule) -> IdRule:
        IDS.update(dict.fromkeys(types, function))
        return function

    return register


def affects(*types: str) -> Callable[[Effect], Effect]:
    """What applying an object does to others; called with the object before and after, None where there is none."""

    def register(function: Effect) -> Effect:
        for type_ in types:
            EFFECTS.setdefault(type_, []).append(function)
        return function

    return register
