"""`findAndModify`: one document found, changed or removed, and answered."""

from __future__ import annotations

from emulators.mongodb.commands.query import check_hint
from emulators.mongodb.commands.write import apply_update, insert_for_upsert, matching
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import failed_to_parse
from emulators.mongodb.query.findproject import compile_find_projection
from emulators.mongodb.query.sort import parse_sort, sort_documents
from emulators.mongodb.update.apply import compile_update
from emulators.mongodb.values import Document, truthy

_FIELDS = (
    "query:object sort:object remove:flag update:update new:flag fields:object upsert:flag arrayFilters:array "
    "hint:hint let:object bypassDocumentValidation:flag"
)


@command("findAndModify", "findandmodify", fields=_FIELDS, writes=True)
def find_and_modify(call: Call) -> Document:
    name, call = call.collection_name(), call.with_let()
    body, remove = call.body, truthy(call.body.get("remove"))
    if remove == ("update" in body):
        raise failed_to_parse("Either an update or remove=true must be specified, and not both")
    if remove and (truthy(body.get("upsert")) or truthy(body.get("new"))):
        raise failed_to_parse("Cannot specify both remove=true and upsert=true or new=true")
    check_hint(call, name)
    query = body.get("query") or {}
    project = compile_find_projection(body.get("fields"), query, call.scope)
    order = parse_sort(body.get("sort") or {})
    change = None if remove else compile_update(body["update"], body.get("arrayFilters"), call.scope)
    while True:
        found = matching(call, name, query, limit=0 if order else 1, hint=body.get("hint"))
        old = next(iter(sort_documents(found, order)), None)
        if old is None:
            break
        # Projected before it is stored: a positional projection that finds nothing must not leave a write behind.
        before, collection = project(old), call.store.for_writing(call.database, name)
        if collection.by_id(old["_id"]) is not old:
            continue  # somebody else had it meanwhile
        if change is None:
            collection.delete(old)
            return _reply(before, {"n": 1})
        applied = apply_update(call, collection, old, query, change)
        if applied is not None:
            new = applied[0]
            return _reply(project(new) if truthy(body.get("new")) else before, {"n": 1, "updatedExisting": True})
    if change is None:
        return _reply(None, {"n": 0})
    if not truthy(body.get("upsert")):
        return _reply(None, {"n": 0, "updatedExisting": False})
    new = insert_for_upsert(call, name, query, change)
    last = {"n": 1, "updatedExisting": False, "upserted": new["_id"]}
    return _reply(project(new) if truthy(body.get("new")) else None, last)


def _reply(value: Document | None, last: Document) -> Document:
    return {"lastErrorObject": last, "value": value, "ok": 1.0}
