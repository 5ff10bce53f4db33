"""The connection to MongoDB, Cosmos DB for MongoDB or Azure DocumentDB."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pymongo
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandListener

from mongo_db_server.errors import SettingsError
from mongo_db_server.identity import signing_in
from mongo_db_server.settings import Settings

SERVER_SELECTION_MS = 5_000
PING_SECONDS = 3.0


def connect(settings: Settings, listeners: Sequence[CommandListener] = ()) -> AsyncMongoClient[dict[str, Any]]:
    """A client that connects on first use, so the server starts while the database is away. Raises SettingsError."""
    uri = settings.mongodb_uri.get_secret_value()
    try:
        return AsyncMongoClient(
            uri,
            # Cosmos DB refuses retryable writes ("MongoDB feature support", Microsoft Learn); and only an attempt that
            # was not repeated can tell a caller what it did.
            retryWrites=False,
            serverSelectionTimeoutMS=SERVER_SELECTION_MS,
            connectTimeoutMS=SERVER_SELECTION_MS,
            tz_aware=True,
            event_listeners=list(listeners),
            **signing_in(uri),
        )
    except (PyMongoError, ValueError, TypeError):
        # The driver's own sentence may quote the connection string.
        raise SettingsError("MONGODB_URI is malformed: it must be a MongoDB connection string.") from None


def database_ping(client: AsyncMongoClient[dict[str, Any]]) -> Callable[[], Awaitable[bool]]:
    """Whether the database answers within a few seconds."""

    async def ping() -> bool:
        try:
            with pymongo.timeout(PING_SECONDS):
                await client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    return ping
