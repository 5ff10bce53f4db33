"""A plan's changes as rows that a person reads: what is destroyed or changed by name, creations by kind and number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_FEW = 12  # creations that are named each
_MODULE = re.compile(r'^module\.([\w-]+)(?:\["([^"]+)"\]|\[(\d+)\])?\.')
_RESOURCE = re.compile(r'(?:azurerm|azuread)_([\w]+)\.(\w+)(?:\["?([^"\]]+)"?\])?$')
_SINGLE = ("this", "0", "")
_HELD = {
    "cosmosdb_account": "with every document",
    "cosmosdb_mongo_database": "with every document",
    "cosmosdb_mongo_collection": "with every document",
    "mongo_cluster": "with every document",
    "container_registry": "with every image",
}
"""What is gone for good with an object of that kind that is deleted or replaced."""


def rows(actions: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return (action, part, resources), the worst first; `actions`: address → action."""
    created = [address for address, action in actions.items() if action == "create"]
    others = [(action, *_warned(address, action)) for address, action in actions.items() if action != "create"]
    named = sorted(others, key=lambda row: (-_gravity(row[0]), row[1:]))
    if len(created) <= _FEW:
        return [*named, *sorted(("create", *_named(address)) for address in created)]
    return [*named, *(("create", part, kinds) for part, kinds in counted(created))]


def lost(actions: Mapping[str, str]) -> list[str]:
    """Return each object that goes with what it holds, such as a collection with every document."""
    return [_warned(address, action)[1] for address, action in sorted(actions.items()) if _held(address, action)]


def counted(addresses: Iterable[str]) -> list[tuple[str, str]]:
    """Return each part with its kinds of resources and their numbers, by name of the part."""
    found: dict[str, dict[str, int]] = {}
    for address in addresses:
        part, kind, _ = _split(address)
        kinds = found.setdefault(part.partition(" ")[0], {})
        kinds[kind] = kinds.get(kind, 0) + 1
    return [
        (part, ", ".join(kind if number == 1 else f"{number}×{kind}" for kind, number in sorted(kinds.items())))
        for part, kinds in sorted(found.items())
    ]


def _held(address: str, action: str) -> str:
    return _HELD.get(_split(address)[1], "") if action in ("delete", "replace") else ""


def _warned(address: str, action: str) -> tuple[str, str]:
    part, resource = _named(address)
    held = _held(address, action)
    return part, f"{resource}, {held}" if held else resource


def _named(address: str) -> tuple[str, str]:
    part, kind, key = _split(address)
    return part, f"{kind} {key}".strip()


def _split(address: str) -> tuple[str, str, str]:
    """Return (part, kind, key): `module.apim.azurerm_key_vault.this["x"]` is apim, key_vault, x."""
    module, resource = _MODULE.match(address), _RESOURCE.search(address)
    part, index = (module.group(1), module.group(2) or "") if module else ("stage", "")
    if not resource:
        return part, address, ""
    kind, name, key = resource.group(1), resource.group(2), resource.group(3) or ""
    words = " ".join(word for word in (name, key) if word not in _SINGLE)
    return f"{part} {index}" if index not in _SINGLE else part, kind, words


def _gravity(action: str) -> int:
    return {"delete": 3, "replace": 2, "update": 1}.get(action, 0)
