"""Sample data: the database `platform`, a year in the life of a platform team.

`services` (24) own `deployments` (360), `incidents` (48) and monthly `costs` (288); all of it is made here from a fixed
seed, so every machine has the same documents and an answer can be checked.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from emulators.mongodb.seed import deployments, incidents, services
from emulators.mongodb.storage.store import Store
from emulators.mongodb.values import Document

DATABASE = "platform"
_SEED = 20260101
_INDEXES = {
    "services": [{"team": 1}],
    "deployments": [{"service": 1, "finishedAt": -1}],
    "incidents": [{"severity": 1, "openedAt": -1}],
    "costs": [{"service": 1, "month": 1}],
}


def collections() -> dict[str, list[Document]]:
    """Every sample document, by collection. The same on every call."""
    chance = random.Random(_SEED)  # noqa: S311 - sample data, not secrets
    catalogue = services.make(chance)
    deployed = deployments.make(chance, catalogue)
    return {
        "services": catalogue,
        "deployments": deployed,
        "incidents": incidents.make(chance, catalogue, deployed),
        "costs": services.costs(chance, catalogue),
    }


def indexes(name: str) -> list[Document]:
    """A collection's indexes beside that of `_id`, as `createIndexes` takes them."""
    return [_index(name, pattern) for pattern in _INDEXES[name]]


def plant(store: Store) -> None:
    """Writes the sample data and its indexes; for an empty store."""
    for name, documents in collections().items():
        _fill(store, name, documents)
    store.flush()


def _fill(store: Store, name: str, documents: Iterable[Document]) -> None:
    collection = store.create(DATABASE, name, {})
    for spec in indexes(name):
        collection.add_index(spec)
    for document in documents:
        collection.insert(document)


def _index(name: str, pattern: Document) -> Document:
    label = "_".join(f"{path}_{direction}" for path, direction in pattern.items())
    unique = {"unique": True} if name == "costs" else {}
    return {"v": 2, "key": pattern, "name": label, **unique}
