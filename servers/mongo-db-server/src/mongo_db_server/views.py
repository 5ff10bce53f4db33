"""Views, looked through: a view's pipeline runs with the caller's query, so the same rules hold for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mongo_db_server.errors import RefusedError
from mongo_db_server.rules import Rules
from mongo_db_server.stages import check_view

if TYPE_CHECKING:
    from pymongo.asynchronous.mongo_client import AsyncMongoClient

Definitions = Mapping[str, Mapping[str, Any]]
Load = Callable[[str], Awaitable[Definitions]]

# A view that somebody else creates is looked through after this time at the latest.
REMEMBERED_SECONDS = 5.0
_MAX_DATABASES = 1_000
_MAX_DEPTH = 20  # MongoDB's own limit for views on views ("Views", MongoDB manual)


class Views:
    """`load` gives the options (`viewOn`, `pipeline`) of a database's views by name; `clock` is monotonic, in
    seconds."""

    def __init__(self, load: Load, rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._rules = rules
        self._clock = clock
        self._known: dict[str, tuple[float, Definitions]] = {}
        self._lock = asyncio.Lock()

    def forget(self, database: str) -> None:
        """After a change of the database's collections."""
        self._known.pop(database, None)

    def plain(self, database: str, name: str) -> bool:
        """Whether the name is known, and lately, not to be a view."""
        known = self._known.get(database)
        return known is not None and self._clock() < known[0] and name not in known[1]

    async def check(self, sources: Iterable[tuple[str, str]]) -> None:
        """Raises RefusedError when one of the namespaces is a view whose definition a rule refuses, or stands on such a
        view. The reason is true, but it may name what the caller must not learn of, and is written by others."""
        for database, name in sources:
            try:
                await self._check(database, name, 0)
            except RefusedError as refusal:
                raise RefusedError(f"`{database}.{name}` is a view that this server does not open.") from refusal

    async def _check(self, database: str, name: str, depth: int) -> None:
        definition = (await self._of(database)).get(name)
        if definition is not None:
            await self._look_through(database, name, definition, depth)

    async def _look_through(self, database: str, name: str, definition: Mapping[str, Any], depth: int) -> None:
        if depth >= _MAX_DEPTH:
            raise RefusedError(f"`{database}.{name}` is a view on too many views.")
        below = check_view(definition.get("pipeline", []), database=database, rules=self._rules)
        base = str(definition["viewOn"])
        self._rules.scope.require_collection(database, base)
        for source in {*below, (database, base)}:
            await self._check(*source, depth + 1)

    async def _of(self, database: str) -> Definitions:
        known = self._known.get(database)
        if known is not None and self._clock() < known[0]:
            return known[1]
        async with self._lock:
            known = self._known.get(database)
            if known is None or self._clock() >= known[0]:
                if len(self._known) >= _MAX_DATABASES:
                    self._known.clear()
                known = (self._clock() + REMEMBERED_SECONDS, await self._load(database))
                self._known[database] = known
        return known[1]


def views_in(client: AsyncMongoClient[dict[str, Any]]) -> Load:
    async def load(database: str) -> Definitions:
        found = await client[database].list_collections(filter={"type": "view"})
        return {view["name"]: view.get("options", {}) async for view in found}

    return load
