"""A MongoDB that somebody else runs (MONGODB_URI): asked for its health like a part, but never started or stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from twin.supervise.status import PartStatus, now


class ExternalMongo:
    """Stands in the status where the local MongoDB would."""

    def __init__(self, uri: str, changed: Callable[[], None]) -> None:
        self.uri = uri
        self.status = PartStatus(state="starting", kind="mongo", since=now())
        self._changed = changed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="mongo")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        from pymongo import AsyncMongoClient
        from pymongo.errors import PyMongoError

        async with AsyncMongoClient[dict[str, object]](self.uri, serverSelectionTimeoutMS=3000) as client:
            while True:
                try:
                    await client.admin.command("ping")
                    self._set(PartStatus(state="healthy", kind="mongo", since=self.status.since))
                except PyMongoError as error:
                    detail = f"the MongoDB at MONGODB_URI does not answer ({type(error).__name__}: {str(error)[:200]})"
                    self._set(PartStatus(state="unhealthy", kind="mongo", since=self.status.since, detail=detail))
                await asyncio.sleep(1)

    def _set(self, status: PartStatus) -> None:
        if status != self.status:
            self.status = status
            self._changed()
