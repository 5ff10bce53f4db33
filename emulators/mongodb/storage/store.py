"""All databases of the server, and the log that keeps them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from emulators.mongodb.errors import CommandError
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.journal import Journal
from emulators.mongodb.values import Document

_LOG = logging.getLogger(__name__)
_COMPACT_AT = 64 * 1024 * 1024
_NAME_LIMIT = 63
_NAMESPACE_LIMIT = 255
TEMPORARY = "tmp.agg_out."  # what `$out` writes before it takes the place of its target


class Store:
    """Databases by name, collections by name. Without a directory nothing is kept when the process ends."""

    def __init__(self, directory: Path | None = None) -> None:
        self._databases: dict[str, dict[str, Collection]] = {}
        # What `createUser` made, by name: beside the databases, so that no command for documents reaches it.
        self._users: dict[str, Document] = {}
        # What has changed since the last flush: as the log keeps it, and what takes it back.
        self._pending: list[tuple[Document, Callable[[], None]]] = []
        self._journal = Journal(directory) if directory else None
        self._compacted_size = 0
        self.is_new = self._journal is None or not self._journal.exists()
        if self._journal is not None:
            for change in self._journal.read():
                self.replay(change)
            for collections in self._databases.values():  # of an `$out` that did not end
                for name in [name for name in collections if name.startswith(TEMPORARY)]:
                    del collections[name]
            self._pending.clear()
            try:
                self._compact(self._journal)
            except OSError as error:
                self._journal.open_as_it_is()
                _LOG.warning("%s; the log stays as it is, and grows on", error)

    def database_names(self) -> list[str]:
        return sorted(name for name, collections in self._databases.items() if collections)

    def collections(self, database: str) -> list[Collection]:
        found = self._databases.get(database, {})
        return [found[name] for name in sorted(found)]

    def find(self, database: str, name: str) -> Collection | None:
        return self._databases.get(database, {}).get(name)

    def existing(self, database: str, name: str) -> Collection:
        """NamespaceNotFound (26) when there is no such collection."""
        found = self.find(database, name)
        if found is None:
            raise CommandError(26, f"ns not found {database}.{name}")
        return found

    def for_writing(self, database: str, name: str) -> Collection:
        """The collection, made on first use as MongoDB does; views cannot be written to (166)."""
        found = self.find(database, name)
        if found is None:
            return self.create(database, name, {})
        if found.is_view:
            raise CommandError(166, f"Namespace {database}.{name} is a view, not a collection")
        return found

    def create(self, database: str, name: str, options: Document) -> Collection:
        check_names(database, name)
        if self.find(database, name) is not None:
            raise CommandError(48, f"Collection {database}.{name} already exists.")
        collection = Collection(database, name, options, os.urandom(16), self._log)
        self._databases.setdefault(database, {})[name] = collection
        change = {"op": "create", "db": database, "c": name, "options": options, "uuid": bytes(collection.uuid)}
        self._log(change, lambda: self._forget(database, name))
        return collection

    def _forget(self, database: str, name: str) -> None:
        found = self._databases[database].pop(name, None)
        if found is not None:
            found.gone = True

    def set_options(self, collection: Collection, options: Document) -> None:
        before = collection.options
        collection.set_options(options)
        change = {"op": "options", "db": collection.database, "c": collection.name, "options": options}
        self._log(change, lambda: collection.set_options(before))

    def drop(self, database: str, name: str) -> bool:
        dropped = self._databases.get(database, {}).pop(name, None)
        if dropped is not None:
            dropped.gone = True
            self._log({"op": "drop", "db": database, "c": name}, lambda: self._restore(database, {name: dropped}))
        return dropped is not None

    def drop_database(self, database: str) -> None:
        dropped = self._databases.pop(database, None)
        if dropped is not None:
            for collection in dropped.values():
                collection.gone = True
            self._log({"op": "dropDatabase", "db": database}, lambda: self._restore(database, dropped))

    def _restore(self, database: str, dropped: dict[str, Collection]) -> None:
        for collection in dropped.values():
            collection.gone = False
        self._databases.setdefault(database, {}).update(dropped)

    def user(self, name: str) -> Document | None:
        return self._users.get(name)

    def users_by_name(self) -> list[tuple[str, Document]]:
        return sorted(self._users.items())

    def set_user(self, name: str, user: Document | None) -> None:
        """Keep the user under this name; None forgets it."""
        before = self._users.get(name)
        self._put_user(name, user)
        self._log({"op": "user", "db": "admin", "name": name, "user": user}, lambda: self._put_user(name, before))

    def _put_user(self, name: str, user: Document | None) -> None:
        if user is None:
            self._users.pop(name, None)
        else:
            self._users[name] = user

    def rename(self, source: Collection, database: str, name: str) -> None:
        """Moves a collection; one of that name already there is replaced, the caller has asked."""
        check_names(database, name)
        before = (source.database, source.name)
        change = {"op": "rename", "db": source.database, "c": source.name, "to": [database, name]}
        self._move(source, database, name)
        self._log(change, lambda: self._move(source, *before))

    def _move(self, source: Collection, database: str, name: str) -> None:
        del self._databases[source.database][source.name]
        source.database, source.name = database, name
        self._databases.setdefault(database, {})[name] = source

    def _log(self, change: Document, undo: Callable[[], None]) -> None:
        self._pending.append((change, undo))

    def flush(self, *, sync: bool = False) -> None:
        """Writes what changed since the last call; to be called before a reply is sent.

        OutOfDiskSpace (14031) where the log takes no more: what changed is taken back then, and nobody is shown it.
        """
        if not self._pending:
            return
        if self._journal is None:
            self._pending.clear()
            return
        try:
            self._journal.append([change for change, _ in self._pending], sync=sync)
        except OSError as error:
            self.take_back()
            raise CommandError(
                14031,
                f"{self._journal.path} cannot be written ({error.strerror or error}): nothing was changed; "
                "free some space",
            ) from error
        self._pending.clear()
        if self._journal.size > max(_COMPACT_AT, 2 * self._compacted_size):
            try:
                self._compact(self._journal)
            except OSError as error:
                # It is written, only not compact: later.
                self._compacted_size = self._journal.size
                self._journal.open_as_it_is()
                _LOG.warning("%s; the log stays as it is, and grows on", error)

    def take_back(self) -> None:
        """Undoes what changed since the last flush, the last first."""
        pending, self._pending = self._pending, []
        for _, undo in reversed(pending):
            undo()
        self._pending.clear()

    def _compact(self, journal: Journal) -> None:
        journal.rewrite(self._changes())
        self._compacted_size = journal.size

    def _changes(self) -> Iterator[Document]:
        """The whole content as the changes that make it."""
        for name, user in self._users.items():
            yield {"op": "user", "db": "admin", "name": name, "user": user}
        for database, collections in self._databases.items():
            for name, collection in collections.items():
                where = {"db": database, "c": name}
                yield {"op": "create", **where, "options": collection.options, "uuid": bytes(collection.uuid)}
                for index in collection.indexes.values():
                    if index.name != "_id_":
                        yield {"op": "index", **where, "spec": index.spec}
                for document in collection.documents():
                    yield {"op": "put", **where, "doc": document}

    def replay(self, change: Document) -> None:
        """Applies one change from the log."""
        database, name = change["db"], change.get("c", "")
        operation = change["op"]
        if operation == "create":
            collection = Collection(database, name, change["options"], bytes(change["uuid"]), self._log)
            self._databases.setdefault(database, {})[name] = collection
        elif operation == "dropDatabase":
            self._databases.pop(database, None)
        elif operation == "drop":
            self._databases[database].pop(name, None)
        elif operation == "user":
            self._put_user(change["name"], change["user"])
        elif operation == "rename":
            self._move(self._databases[database][name], *change["to"])
        else:
            self._replay_in(self._databases[database][name], operation, change)

    @staticmethod
    def _replay_in(collection: Collection, operation: str, change: Document) -> None:
        if operation == "put":
            collection.load([change["doc"]])
        elif operation == "delete":
            collection.unload(change["id"])
        elif operation == "index":
            collection.add_index(change["spec"])
        elif operation == "indexOptions":
            collection.change_index(change["spec"])
        elif operation == "dropIndex":
            collection.drop_index(change["name"])
        elif operation == "options":
            collection.set_options(change["options"])
        else:
            raise CommandError(1, f"the log holds an operation {operation!r} that this version does not know")

    def close(self) -> None:
        if self._journal is not None:
            self.flush()
            self._journal.close()


def check_names(database: str, name: Any, *, reserved: bool = True) -> None:
    """InvalidNamespace (73) for what MongoDB does not accept as a name; with `reserved`, for its own names too."""
    check_database(database)
    if type(name) is not str or not name:
        raise CommandError(73, f"Invalid collection name: {name!r}")
    if "$" in name or "\0" in name or name.startswith("."):
        raise CommandError(73, f"Invalid collection name: {name!r}")
    if reserved and (name.startswith("system.") or name.endswith(".")):
        raise CommandError(73, f"Invalid collection name: {name!r}")
    if len(f"{database}.{name}".encode()) > _NAMESPACE_LIMIT:
        raise CommandError(73, f"Fully qualified namespace is too long: the limit is {_NAMESPACE_LIMIT} bytes")


def check_database(database: Any) -> None:
    if type(database) is not str or not database or len(database.encode()) > _NAME_LIMIT:
        raise CommandError(73, f"Invalid database name: {database!r}")
    if any(letter in database for letter in '/\\. "$\0'):
        raise CommandError(73, f"Invalid database name: '{database}'")
