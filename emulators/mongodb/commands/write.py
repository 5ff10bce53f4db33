"""`insert`, `update` and `delete`: statements in a row, whose errors are reported by their index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulators.mongodb.commands.query import by_identity, identities
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError, failed_to_parse, not_supported, type_mismatch
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.update.apply import Update, compile_update, is_replacement, upsert_base, with_id
from emulators.mongodb.values import Document, same_bits

MAX_BATCH = 100_000


def statements(call: Call, field: str) -> list[Document]:
    """The command's statements; InvalidLength when there are none or too many."""
    found = call.body.get(field)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise type_mismatch(f"BSON field '{call.name}.{field}' must be an array of objects")
    if not 1 <= len(found) <= MAX_BATCH:
        raise CommandError(16, f"Write batch sizes must be between 1 and {MAX_BATCH}. Got {len(found)} operations.")
    return found


def run_all(call: Call, items: list[Document], apply: Callable[[int, Document], None]) -> list[Document]:
    """Runs statements until the first error when `ordered`, else all; answers the errors."""
    errors: list[Document] = []
    for index, item in enumerate(items):
        try:
            call.deadline.check()
            apply(index, item)
        except CommandError as error:
            if error.code == 50:
                raise
            errors.append({"index": index, "code": error.code, "errmsg": str(error), **error.details})
            if call.body.get("ordered", True):
                break
    return errors


def reply(counts: Document, errors: list[Document]) -> Document:
    return {**counts, **({"writeErrors": errors} if errors else {}), "ok": 1.0}


@command("insert", fields="documents ordered", refused="bypassDocumentValidation", writes=True)
def insert(call: Call) -> Document:
    name, documents = call.collection_name(), statements(call, "documents")
    collection = call.store.for_writing(call.database, name)
    inserted = 0

    def one(_: int, document: Document) -> None:
        nonlocal inserted
        collection.insert(with_id(document))
        inserted += 1

    errors = run_all(call, documents, one)
    return reply({"n": inserted}, errors)


_UPDATE_FIELDS = {"q", "u", "multi", "upsert", "arrayFilters", "hint", "c", "collation"}


@command("update", fields="updates ordered let", refused="bypassDocumentValidation", writes=True)
def update(call: Call) -> Document:
    name, items, call = call.collection_name(), statements(call, "updates"), call.with_let()
    counts: Document = {"n": 0, "nModified": 0}
    upserted: list[Document] = []

    def one(index: int, statement: Document) -> None:
        matched, modified, identity = update_one_statement(call, name, statement)
        counts["n"] += matched + len(identity)
        counts["nModified"] += modified
        upserted.extend({"index": index, "_id": value} for value in identity)

    errors = run_all(call, items, one)
    return reply({**counts, **({"upserted": upserted} if upserted else {})}, errors)


def _check_statement(call: Call, statement: Document, known: set[str], name: str) -> None:
    for field in statement:
        if field not in known:
            raise CommandError(40415, f"BSON field '{call.name}.{name}.{field}' is an unknown field.")
    if not isinstance(statement.get("q"), dict):
        raise failed_to_parse(f"BSON field '{call.name}.{name}.q' is missing or no object")
    collation = statement.get("collation")
    if collation and collation != {"locale": "simple"}:
        raise not_supported("a collation other than {locale: 'simple'}")


def update_one_statement(call: Call, name: str, statement: Document) -> tuple[int, int, list[Any]]:
    """How many documents matched, how many changed, and the `_id` of one that was inserted (or none)."""
    _check_statement(call, statement, _UPDATE_FIELDS, "updates")
    if "u" not in statement:
        raise failed_to_parse("BSON field 'update.updates.u' is missing but a required field")
    query, spec, multi = statement["q"], statement["u"], bool(statement.get("multi"))
    if multi and is_replacement(spec):
        raise failed_to_parse("multi update is not supported for replacement-style update")
    constants = statement.get("c") or {}
    if constants and not isinstance(spec, list):
        raise failed_to_parse("Constant values may only be specified for pipeline updates")
    change = compile_update(spec, statement.get("arrayFilters"), call.scope.with_values(constants))
    found = matching(call, name, query, limit=0 if multi else 1, hint=statement.get("hint"))
    if not found and statement.get("upsert"):
        new = insert_for_upsert(call, name, query, change)
        return 0, 0, [new["_id"]]
    collection = call.store.for_writing(call.database, name) if found else None
    modified = sum(apply_update(collection, old, query, change) is not old for old in found if collection is not None)
    return len(found), modified, []


def matching(call: Call, name: str, query: Document, *, limit: int = 0, hint: Any = None) -> list[Document]:
    """The documents of a collection that a write is about; `limit` 0 means all."""
    collection = call.store.find(call.database, name)
    matches = compile_filter(query, call.scope)
    if collection is None:
        return []
    if collection.is_view:
        raise CommandError(166, f"Namespace {call.database}.{name} is a view, not a collection")
    if hint:
        collection.index_for(hint)
    wanted = identities(query)
    stream = call.deadline.guard(collection.documents()) if wanted is None else by_identity(collection, wanted)
    found = []
    for document in stream:
        if matches(document):
            found.append(document)
            if len(found) == limit:
                break
    return found


def apply_update(collection: Collection, old: Document, query: Document, change: Update) -> Document:
    """Stores the changed document; the very same object back means that nothing changed."""
    new = change(old, query, False)
    if same_bits(old, new):
        return old
    collection.replace(old, new)
    return new


def insert_for_upsert(call: Call, name: str, query: Document, change: Update) -> Document:
    base = upsert_base(query)
    new = with_id(change(base, query, True))
    call.store.for_writing(call.database, name).insert(new)
    return new


@command("delete", fields="deletes ordered let", refused="bypassDocumentValidation", writes=True)
def delete(call: Call) -> Document:
    name, items, call = call.collection_name(), statements(call, "deletes"), call.with_let()
    deleted = 0

    def one(_: int, statement: Document) -> None:
        nonlocal deleted
        _check_statement(call, statement, {"q", "limit", "hint", "collation"}, "deletes")
        limit = as_integer(statement.get("limit"))
        if limit not in (0, 1):
            raise failed_to_parse("The limit field in delete objects must be 0 or 1")
        found = matching(call, name, statement["q"], limit=limit, hint=statement.get("hint"))
        if found:
            collection = call.store.for_writing(call.database, name)
            for document in found:
                collection.delete(document)
        deleted += len(found)

    errors = run_all(call, items, one)
    return reply({"n": deleted}, errors)
