"""Databases and collections that callers may name."""

from __future__ import annotations

from mongo_db_server.errors import InvalidCallError, RefusedError

SYSTEM_DATABASES = frozenset({"admin", "local", "config"})
_SYSTEM_COLLECTION = "system."
_MAX_DATABASE_BYTES = 63  # "MongoDB Limits and Thresholds": database names are shorter than 64 bytes
_MAX_COLLECTION_BYTES = 253  # "MongoDB Limits and Thresholds": a namespace has at most 255, and `a.` before it
_FORBIDDEN_IN_DATABASE = frozenset('/\\. "$\0')


def is_system_database(name: str) -> bool:
    # The server folds case when it compares database names for creation, so we do when we hide.
    return name.lower() in SYSTEM_DATABASES


def is_system_collection(name: str) -> bool:
    return name.startswith(_SYSTEM_COLLECTION)


def require_database(name: str) -> None:
    """Raises InvalidCallError for a name MongoDB does not accept, RefusedError for a system database."""
    if (
        not name
        or len(name.encode(errors="surrogatepass")) > _MAX_DATABASE_BYTES
        or not _FORBIDDEN_IN_DATABASE.isdisjoint(name)
    ):
        raise InvalidCallError('`database` must be 1–63 bytes without / \\ . " $, spaces or null characters.')
    if is_system_database(name):
        raise RefusedError(f"`{name}` is a system database; this server does not open it.")


def require_collection(name: str) -> None:
    """Raises InvalidCallError for a name MongoDB does not accept, RefusedError for a system collection."""
    if len(name.encode(errors="surrogatepass")) > _MAX_COLLECTION_BYTES:
        raise InvalidCallError(f"`collection` must be at most {_MAX_COLLECTION_BYTES} bytes.")
    if not name or "$" in name or "\0" in name or name.startswith(".") or name.endswith("."):
        raise InvalidCallError("`collection` must not be empty, hold $ or null, or start or end with a dot.")
    if is_system_collection(name):
        raise RefusedError(f"`{name}` is a system collection; this server does not open it.")
