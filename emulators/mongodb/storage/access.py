"""How a filter's documents are reached: by `_id`, through an index, or by looking at all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bson import Regex

from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.match import is_operators
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.storage.index import Index
from emulators.mongodb.values import MISSING, Document, Key, key, text_key


@dataclass(frozen=True)
class Access:
    """A way to the documents that may match. `stage` is its name in `explain`; `read` fetches them, in their order."""

    stage: str
    read: Callable[[], list[Document]]
    index: Index | None = None

    def documents(self) -> list[Document]:
        """The documents; an index counts how often it was used."""
        if self.index is not None:
            self.index.used += 1
        return self.read()


def _holds_text(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_holds_text, value.values() if isinstance(value, dict) else value))
    return type(value) is str


def identities(query: Document, of: Callable[[str], Key] | None = None) -> list[Any] | None:
    """The `_id` values a filter asks for by equality, which need no scan; None when it asks otherwise.

    `of` is how the collection compares the texts of its own.
    """
    value = query.get("_id", MISSING)
    if text_key() != of and _holds_text(value):
        return None
    if value is MISSING or isinstance(value, Regex | list) or value is None:
        return None
    if not is_operators(value):
        return [value]
    if "$eq" in value and value["$eq"] is not None and not isinstance(value["$eq"], list):
        return [value["$eq"]]
    wanted = value.get("$in")
    simple = isinstance(wanted, list) and not any(isinstance(item, Regex | list) or item is None for item in wanted)
    return wanted if simple else None


def by_identity(collection: Collection, wanted: list[Any]) -> list[Document]:
    ordered = sorted({key(value): value for value in wanted}.items())
    found = (collection.by_id(value) for _, value in ordered)
    return [document for document in found if document is not None]


def access(collection: Collection, query: Document, hint: Any = None) -> Access:
    """The way that a hint names, else the best there is. BadValue (2) for a hint that names no index."""
    if isinstance(hint, dict) and "$natural" in hint:
        backwards = as_integer(hint["$natural"]) == -1
        return Access("COLLSCAN", lambda: collection.documents()[:: -1 if backwards else 1])
    if hint:
        named = collection.index_for(hint)
        if named.name != "_id_":
            return _through(collection, named, query)
    if "$text" in query:
        return Access("TEXT_MATCH", collection.documents)
    wanted = identities(query, collection.text_key)
    if wanted is not None:
        return Access("IDHACK", lambda: by_identity(collection, wanted), collection.indexes["_id_"])
    if hint is None:
        index = collection.index_of(query)
        if index is not None:
            return _through(collection, index, query)
    return Access("COLLSCAN", collection.documents)


def _through(collection: Collection, index: Index, query: Document) -> Access:
    """An index that leaves documents out hides them from whoever insists on it."""

    def read() -> list[Document]:
        found = collection.by_index(index, query)
        return collection.covered(index) if found is None else found

    return Access("IXSCAN", read, index)
