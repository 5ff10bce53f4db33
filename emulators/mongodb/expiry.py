"""What goes away by itself: idle cursors, and documents older than their TTL index allows."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging

from emulators.mongodb.deadline import Deadline, run
from emulators.mongodb.dispatch import Server
from emulators.mongodb.errors import CommandError
from emulators.mongodb.query.paths import leaves, split
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.store import Store
from emulators.mongodb.values import Document, millis, type_name

SWEEP_SECONDS = 60  # MongoDB's ttlMonitorSleepSecs
log = logging.getLogger("emulators.mongodb")


def expire_documents(store: Store, now: dt.datetime) -> int:
    """Deletes what TTL indexes say has expired; `now` is UTC without a zone. The number of documents deleted."""
    removed = 0
    for database in store.database_names():
        for collection in store.collections(database):
            for index in collection.indexes.values():
                seconds = index.expires_after
                if seconds is not None:
                    limit = millis(now) - seconds * 1000
                    removed += _expire(collection, split(next(iter(index.pattern))), limit)
    return removed


def _expire(collection: Collection, path: tuple[str, ...], limit: int) -> int:
    expired = [document for document in collection.documents() if _oldest(document, path, limit) < limit]
    for document in expired:
        collection.delete(document)
    return len(expired)


def _oldest(document: Document, path: tuple[str, ...], never: int) -> int:
    """The earliest date at the path, of an array's too; `never` when there is none."""
    values = [item for value in leaves(document, path) for item in (value if type(value) is list else [value])]
    return min((millis(value) for value in values if type_name(value) == "date"), default=never)


async def sweep_for_ever(server: Server) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        server.turns.acquire()
        run(Deadline())  # not that of a command which has given way
        try:
            server.cursors.expire()
            removed = expire_documents(server.store, dt.datetime.now(dt.UTC).replace(tzinfo=None))
            server.store.flush()
        except CommandError as error:
            log.warning("TTL indexes removed nothing: %s", error)
            continue
        finally:
            server.turns.release()
        if removed:
            log.info("TTL indexes removed %d documents", removed)
