"""One collection: documents by `_id` in the order of their arrival, its indexes, and its validator.

A stored document is never changed in place: a write puts a new one in its stead, so that cursors and results may share
documents with the store without copying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bson import Binary, Regex, encode
from bson.binary import UUID_SUBTYPE
from bson.raw_bson import RawBSONDocument

from emulators.mongodb.deadline import collated, running
from emulators.mongodb.errors import CommandError, bad_value
from emulators.mongodb.query.collation import Collation, parse_collation
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.query.text import Postings
from emulators.mongodb.storage.bounds import Bounds, bounds_of
from emulators.mongodb.storage.index import Index, duplicate, same_pattern
from emulators.mongodb.values import Document, Key, key_with, text_key, type_name
from emulators.mongodb.wire import CODEC

MAX_DOCUMENT = 16 * 1024 * 1024
MAX_INDEXES = 64
ID_INDEX = {"v": 2, "key": {"_id": 1}, "name": "_id_"}
# (the change as the log keeps it, what takes it back)
Log = Callable[[Document, Callable[[], None]], None]


class Collection:
    """Documents of one namespace. Every change is reported to `log` in the form that `Store.replay` understands."""

    def __init__(self, database: str, name: str, options: Document, identity: bytes, log: Log) -> None:
        self.database, self.name, self.options = database, name, options
        self.uuid = Binary(identity, UUID_SUBTYPE)
        self._log = log
        self._documents: dict[Key, Document] = {}
        # BSON of stored documents by the identity of the dict, which is unique while the document is stored.
        self._encoded: dict[int, bytes] = {}
        found = options.get("collation")
        self.collation: Collation | None = parse_collation(found) if found else None
        self.text_key = self.collation.text_key if self.collation is not None else None
        shown = {"collation": self.collation.document()} if self.collation is not None else {}
        self.indexes: dict[str, Index] = {"_id_": Index({**ID_INDEX, **shown})}
        self._order: dict[Key, int] | None = None
        self._valid: Callable[[Document], bool] | None = None
        self.gone = False  # dropped, while a command that gave way still has it in hand
        self.set_options(options)

    @property
    def namespace(self) -> str:
        return f"{self.database}.{self.name}"

    @property
    def is_view(self) -> bool:
        return "viewOn" in self.options

    def identity(self, value: Any) -> Key:
        """The key of an `_id`, by the collection's collation whatever the command's is."""
        return key_with(value, self.text_key)

    def postings(self) -> Postings:
        """The words of the text index; IndexNotFound (27) without one."""
        for index in self.indexes.values():
            if index.postings is not None and not index.spec.get("hidden"):
                index.used += 1
                return index.postings
        raise CommandError(27, "text index required for $text query")

    def need_geo(self, path: str, kinds: tuple[str, ...]) -> None:
        """NoQueryExecutionPlans (291) without an index of one of the kinds on the path."""
        for index in self.indexes.values():
            if index.pattern.get(path) in kinds and not index.spec.get("hidden"):
                index.used += 1
                return
        raise CommandError(291, f"error processing query: unable to find index for $geoNear query on '{path}'")

    def set_options(self, options: Document) -> None:
        validator = options.get("validator")
        self._valid = None
        if validator and options.get("validationLevel") != "off":
            with collated(self.text_key):
                matches = compile_filter(validator)

            def valid(document: Document) -> bool:
                with collated(self.text_key):
                    return matches(document)

            self._valid = valid
        self.options = options

    def __len__(self) -> int:
        return len(self._documents)

    def documents(self) -> list[Document]:
        """All documents at this moment; the list does not change when the collection does."""
        return list(self._documents.values())

    def by_id(self, identity: Any) -> Document | None:
        return self._documents.get(self.identity(identity))

    def by_unique(self, index: Index, places: dict[str, Key]) -> Document | None:
        """The document that holds these keys in a unique index."""
        identity = index.holder(places)
        return None if identity is None else self._documents.get(identity)

    def insert(self, document: Document, *, bypass: bool = False) -> None:
        """The document must have its `_id`; `bypass` leaves the validator out."""
        self._approve(document, None, bypass)
        self._must_be_there()
        identity = self.identity(document["_id"])
        if isinstance(document["_id"], list | Regex):
            raise CommandError(53, f"The '_id' value cannot be of type {type_name(document['_id'])}")
        if identity in self._documents:
            raise duplicate(self.namespace, "_id_", {"_id": 1}, {"_id": document["_id"]})
        with running().whole():
            self._put(document, identity, self._check(document, identity))

    def replace(self, old: Document, new: Document, *, bypass: bool = False) -> bool:
        """`new` has the `_id` of `old`. False, and nothing is done, where somebody else has changed `old` meanwhile."""
        self._approve(new, old, bypass)
        self._must_be_there()
        identity = self.identity(old["_id"])
        if self._documents.get(identity) is not old:
            return False
        with running().whole():
            data = self._check(new, identity)
            self._forget(old, identity)
            self._put(new, identity, data, old)
        return True

    def delete(self, document: Document) -> None:
        self._must_be_there()
        identity = self.identity(document["_id"])
        del self._documents[identity]
        self._order = None
        self._forget(document, identity)
        change = {"op": "delete", "db": self.database, "c": self.name, "id": document["_id"]}
        # Taken back, it stands at the end: the order that nobody asked for may differ.
        self._log(change, lambda: self.load([document]))

    def _put(self, document: Document, identity: Key, data: bytes, old: Document | None = None) -> None:
        if old is None:
            self._order = None
        self._documents[identity] = document
        self._encoded[id(document)] = data
        for index in self.indexes.values():
            index.add(document, identity)
        change = {"op": "put", "db": self.database, "c": self.name, "doc": RawBSONDocument(data)}
        self._log(change, lambda: self.unload(document["_id"]) if old is None else self.load([old]))

    def _forget(self, document: Document, identity: Key) -> None:
        self._encoded.pop(id(document), None)
        for index in self.indexes.values():
            index.remove(document, identity)

    def encoded(self, document: Document) -> bytes:
        """The document as BSON; for one that is stored here, without encoding it again."""
        data = self._encoded.get(id(document))
        if data is None:
            data = encode(document, codec_options=CODEC)
            if self._documents.get(self.identity(document.get("_id"))) is document:
                self._encoded[id(document)] = data
        return data

    def load(self, documents: Iterable[Document]) -> None:
        """Puts documents from the log, which were checked when they were first written."""
        for document in documents:
            identity = self.identity(document["_id"])
            self._order = None
            old = self._documents.get(identity)
            if old is not None:
                self._forget(old, identity)
            for index in self.indexes.values():
                index.add(document, identity)
            self._documents[identity] = document

    def unload(self, identity: Any) -> None:
        old = self._documents.pop(self.identity(identity), None)
        self._order = None
        if old is not None:
            self._forget(old, self.identity(identity))

    def _must_be_there(self) -> None:
        """A change of a collection that is gone would be in the log behind its end, and fail the next start."""
        if self.gone:
            raise CommandError(175, f"collection dropped: {self.namespace}")

    def _approve(self, document: Document, old: Document | None, bypass: bool) -> None:
        """By the validator, which may take long: others have their turn meanwhile."""
        if self._valid is not None and not bypass and not self._valid(document) and not self._tolerated(old):
            reason: Document = {
                "operatorName": next(iter(self.options["validator"]), ""),
                "schemaRulesNotSatisfied": [],
            }
            info = {"failingDocumentId": document["_id"], "details": reason}
            raise CommandError(121, "Document failed validation", errInfo=info)

    def _check(self, document: Document, identity: Key) -> bytes:
        data = encode(document, codec_options=CODEC)
        if len(data) > MAX_DOCUMENT:
            raise CommandError(
                10334, f"BSONObj size: {len(data)} is invalid. Size must be between 0 and {MAX_DOCUMENT}"
            )
        for index in self.indexes.values():
            index.check(document, identity, self.namespace)
        return data

    def _tolerated(self, old: Document | None) -> bool:
        if self.options.get("validationAction") == "warn":
            return True
        moderate = self.options.get("validationLevel") == "moderate"
        return moderate and old is not None and self._valid is not None and not self._valid(old)

    def add_index(self, spec: Document) -> None:
        """Builds an index; DuplicateKey when the documents there already break its uniqueness."""
        if len(self.indexes) >= MAX_INDEXES:
            raise CommandError(
                67, f"add index fails, too many indexes for {self.namespace}: the limit is {MAX_INDEXES}"
            )
        self._must_be_there()
        index = Index(spec)
        with running().whole():
            for identity, document in self._documents.items():
                index.check(document, identity, self.namespace)
                index.add(document, identity)
        self.indexes[index.name] = index
        change = {"op": "index", "db": self.database, "c": self.name, "spec": spec}
        self._log(change, lambda: self._without(index.name))

    def _without(self, name: str) -> None:
        self.indexes.pop(name, None)

    def drop_index(self, name: str) -> None:
        if name == "_id_":
            raise CommandError(72, "cannot drop _id index")
        if name not in self.indexes:
            raise CommandError(27, f"index not found with name [{name}]")
        dropped = self.indexes.pop(name)
        change = {"op": "dropIndex", "db": self.database, "c": self.name, "name": name}
        self._log(change, lambda: self._rebuild(dropped.spec))

    def change_index(self, spec: Document) -> None:
        """Gives an index other options; its entries stay, and so does its place among the indexes."""
        index = self.indexes[spec["name"]]
        before = index.spec
        index.spec = spec
        change = {"op": "indexOptions", "db": self.database, "c": self.name, "spec": spec}
        self._log(change, lambda: setattr(index, "spec", before))

    def _rebuild(self, spec: Document) -> None:
        index = Index(spec)
        for identity, document in self._documents.items():
            index.add(document, identity)
        self.indexes[index.name] = index

    def index_for(self, hint: Any) -> Index:
        """The index that a hint names, by its name or its key pattern; numbers of any type are the same direction."""
        for index in self.indexes.values():
            if index.spec.get("hidden"):
                continue
            if hint == index.name or (isinstance(hint, dict) and same_pattern(hint, index.pattern)):
                return index
        raise bad_value("error processing query: hint provided does not correspond to an existing index")

    def covered(self, index: Index) -> list[Document]:
        """The documents that are in an index."""
        if index.hides_none or index.holds_all or index.name == "_id_":
            return self.documents()
        return [document for identity, document in self._documents.items() if identity in index.covered]

    def index_of(self, query: Document) -> Index | None:
        """An index whose first field the filter compares, and that leaves no document out."""
        for index in self.indexes.values():
            if index.name != "_id_" and index.hides_none and self._bounds(index, query) is not None:
                return index
        return None

    def _bounds(self, index: Index, query: Document) -> Bounds | None:
        """What the filter asks of the index, whose texts must be compared as the command compares them."""
        bounds = bounds_of(query, index.first)
        if bounds is None or text_key() == index.text_key:
            return bounds
        return None if bounds.holds_text else bounds

    def by_index(self, index: Index, query: Document) -> list[Document] | None:
        """The documents that may match, in their order; None where the filter asks nothing that the index knows."""
        if index.name == "_id_" or not index.hides_none:
            return None
        bounds = self._bounds(index, query)
        if bounds is None:
            return None
        low, high = bounds.low, bounds.high
        if index.is_multikey and low is not None:
            high = None  # of an array, one element may be above the one end and another below the other
        found = index.equal_to(bounds.equal) if bounds.equal is not None else index.between(low, high)
        if len(found) * 8 > len(self._documents):
            return [document for identity, document in self._documents.items() if identity in found]
        order = self._places()
        return [self._documents[identity] for identity in sorted(found, key=order.__getitem__)]

    def _places(self) -> dict[Key, int]:
        """Each document's place in the order; made again after documents have come or gone."""
        if self._order is None or len(self._order) != len(self._documents):
            self._order = {identity: number for number, identity in enumerate(self._documents)}
        return self._order

    def size(self) -> int:
        """Bytes of all documents as BSON."""
        return sum(len(self.encoded(document)) for document in self._documents.values())
