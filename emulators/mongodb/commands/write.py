"""`insert`, `update` and `delete`: statements in a row, whose errors are reported by their index."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from bson import Timestamp

from emulators.mongodb.commands.query import bypasses
from emulators.mongodb.deadline import collated, counted
from emulators.mongodb.dispatch import Call, check_kinds, command
from emulators.mongodb.errors import CommandError, failed_to_parse, type_mismatch
from emulators.mongodb.numeric import as_integer, cut
from emulators.mongodb.query.collation import parse_collation
from emulators.mongodb.query.match import compile_filter
from emulators.mongodb.storage.access import access
from emulators.mongodb.storage.collection import Collection
from emulators.mongodb.update.apply import Update, compile_update, is_replacement, upsert_base, with_id
from emulators.mongodb.update.operators import server_time
from emulators.mongodb.values import Document, is_number, same_bits

MAX_BATCH = 100_000


def statements(call: Call, field: str) -> list[Document]:
    """The command's statements; InvalidLength when there are none or too many."""
    found: list[Document] = call.body[field]
    if not all(isinstance(item, dict) for item in found):
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


def reply(call: Call, counts: Document, errors: list[Document]) -> Document:
    """The answer to a write; who asked for no acknowledgment (`w: 0`) hears of no error of a statement."""
    concern = call.body.get("writeConcern") or {}
    silent = is_number(concern.get("w")) and cut(concern["w"]) == 0
    return {**counts, **({"writeErrors": errors} if errors and not silent else {}), "ok": 1.0}


@command("insert", fields="documents:array! ordered:bool bypassDocumentValidation:flag", writes=True)
def insert(call: Call) -> Document:
    name, documents = call.collection_name(), statements(call, "documents")
    call.store.for_writing(call.database, name)
    inserted = 0

    def one(_: int, document: Document) -> None:
        nonlocal inserted
        # Others have their turn between two documents, and may drop the collection in it.
        call.store.for_writing(call.database, name).insert(stamped(with_id(document)), bypass=bypasses(call))
        inserted += 1

    errors = run_all(call, documents, one)
    return reply(call, {"n": inserted}, errors)


_STATEMENT_KINDS = {
    "q": "object!", "multi": "flag", "upsert": "flag", "arrayFilters": "array", "hint": "hint", "c": "object",
    "collation": "object",
}  # fmt: skip
_UPDATE_FIELDS = {"q", "u", "multi", "upsert", "arrayFilters", "hint", "c", "collation"}


@command("update", fields="updates:array! ordered:bool let:object bypassDocumentValidation:flag", writes=True)
def update(call: Call) -> Document:
    name, items, call = call.collection_name(), statements(call, "updates"), call.with_let()
    counts: Document = {"n": 0, "nModified": 0}
    upserted: list[Document] = []

    def one(index: int, statement: Document) -> None:
        _check_statement(call, statement, _UPDATE_FIELDS, "updates")
        with comparing(statement):
            matched, modified, identity = update_one_statement(call, name, statement)
        counts["n"] += matched + len(identity)
        counts["nModified"] += modified
        upserted.extend({"index": index, "_id": value} for value in identity)

    errors = run_all(call, items, one)
    return reply(call, {**counts, **({"upserted": upserted} if upserted else {})}, errors)


def comparing(statement: Document) -> AbstractContextManager[None]:
    """Compares texts by the statement's collation meanwhile, where it has one; else as the command does."""
    spec = statement.get("collation")
    if not spec:
        return nullcontext()
    found = parse_collation(spec)
    return collated(None if found is None else found.text_key)


def _check_statement(call: Call, statement: Document, known: set[str], name: str) -> None:
    for field in statement:
        if field not in known:
            raise CommandError(40415, f"BSON field '{call.name}.{name}.{field}' is an unknown field.")
    check_kinds(f"{call.name}.{name}", statement, _STATEMENT_KINDS)


def update_one_statement(call: Call, name: str, statement: Document) -> tuple[int, int, list[Any]]:
    """How many documents matched, how many changed, and the `_id` of one that was inserted (or none)."""
    if "u" not in statement:
        raise CommandError(40414, "BSON field 'update.updates.u' is missing but a required field")
    query, spec, multi = statement["q"], statement["u"], bool(statement.get("multi"))
    if multi and is_replacement(spec):
        raise failed_to_parse("multi update is not supported for replacement-style update")
    constants = statement.get("c") or {}
    if constants and not isinstance(spec, list):
        raise CommandError(51198, "Constant values may only be specified for pipeline updates")
    change = compile_update(spec, statement.get("arrayFilters"), call.scope.with_values(constants))
    found = matching(call, name, query, limit=0 if multi else 1, hint=statement.get("hint"))
    if not found and statement.get("upsert"):
        new = insert_for_upsert(call, name, query, change)
        return 0, 0, [new["_id"]]
    collection = call.store.for_writing(call.database, name) if found else None
    modified = matched = 0
    for old in found:
        if collection is None:
            break
        applied = apply_update(call, collection, old, query, change)
        if applied is not None:
            matched += 1
            # A replacement counts as a change even by the same document.
            modified += applied[1] or is_replacement(spec)
    return matched, modified, []


def still_matching(call: Call, collection: Collection | None, old: Document, query: Document) -> Document | None:
    """The document as it is now, if it still matches: others may have had their turn since it was found."""
    current = collection.by_id(old["_id"]) if collection is not None else None
    if current is old or current is None:
        return current
    return current if compile_filter(query, call.scope)(current) else None


def matching(call: Call, name: str, query: Document, *, limit: int = 0, hint: Any = None) -> list[Document]:
    """The documents of a collection that a write is about; `limit` 0 means all."""
    collection = call.store.find(call.database, name)
    matches = compile_filter(query, call.scope)
    if collection is None:
        return []
    if collection.is_view:
        raise CommandError(166, f"Namespace {call.database}.{name} is a view, not a collection")
    stream = counted(access(collection, query, hint).documents())
    found = []
    for document in stream:
        if matches(document):
            found.append(document)
            if len(found) == limit:
                break
    return found


def apply_update(
    call: Call, collection: Collection, old: Document, query: Document, change: Update
) -> tuple[Document, bool] | None:
    """The document after the change, and whether it is another; None where it matches no longer.

    Others may have their turn while it is computed and validated: what has changed then is computed again.
    """
    while True:
        current = still_matching(call, collection, old, query)
        if current is None:
            return None
        old = current
        new = stamped(change(old, query, False)) if call.body.get("u") else change(old, query, False)
        if collection.by_id(old["_id"]) is not old:
            continue
        if same_bits(old, new):
            return old, False
        if collection.replace(old, new, bypass=bypasses(call)):
            return new, True


def insert_for_upsert(call: Call, name: str, query: Document, change: Update) -> Document:
    base = upsert_base(query)
    new = stamped(with_id(change(base, query, True)))
    call.store.for_writing(call.database, name).insert(new, bypass=bypasses(call))
    return new


def stamped(document: Document) -> Document:
    """An empty timestamp in a top field of what is inserted becomes the server's time (the manual's "Timestamps")."""
    if not any(type(value) is Timestamp and not value.time and not value.inc for value in document.values()):
        return document

    def filled(name: str, value: Any) -> Any:
        empty = name != "_id" and type(value) is Timestamp and not value.time and not value.inc
        return server_time() if empty else value

    return {name: filled(name, value) for name, value in document.items()}


@command("delete", fields="deletes:array! ordered:bool let:object", writes=True)
def delete(call: Call) -> Document:
    name, items, call = call.collection_name(), statements(call, "deletes"), call.with_let()
    deleted = 0

    def one(_: int, statement: Document) -> None:
        nonlocal deleted
        _check_statement(call, statement, {"q", "limit", "hint", "collation"}, "deletes")
        if "limit" not in statement:
            raise CommandError(40414, "BSON field 'delete.deletes.limit' is missing but a required field")
        limit = as_integer(statement["limit"])
        if limit not in (0, 1):
            raise failed_to_parse("The limit field in delete objects must be 0 or 1")
        with comparing(statement):
            deleted += delete_one_statement(call, name, statement, limit)

    errors = run_all(call, items, one)
    return reply(call, {"n": deleted}, errors)


def delete_one_statement(call: Call, name: str, statement: Document, limit: int) -> int:
    """How many documents went."""
    found, deleted = matching(call, name, statement["q"], limit=limit, hint=statement.get("hint")), 0
    collection = call.store.for_writing(call.database, name) if found else None
    for document in found:
        current = still_matching(call, collection, document, statement["q"])
        if current is not None and collection is not None:
            collection.delete(current)
            deleted += 1
    return deleted
