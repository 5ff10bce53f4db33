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
    found = matching(call, name, query, limit=0 if order else 1, hint=body.get("hint"))
    old = next(iter(sort_documents(found, order)), None)
    if remove:
        return _remove(call, name, old, project(old) if old is not None else None)
    change = compile_update(body["update"], body.get("arrayFilters"), call.scope)
    if old is not None:
        # Projected before it is stored: a positional projection that finds nothing must not leave a write behind.
        before = project(old)
        new, _ = apply_update(call, call.store.for_writing(call.database, name), old, query, change)
        return _reply(project(new) if truthy(body.get("new")) else before, {"n": 1, "updatedExisting": True})
    if not truthy(body.get("upsert")):
        return _reply(None, {"n": 0, "updatedExisting": False})
    new = insert_for_upsert(call, name, query, change)
    last = {"n": 1, "updatedExisting": False, "upserted": new["_id"]}
    return _reply(project(new) if truthy(body.get("new")) else None, last)


def _remove(call: Call, name: str, old: Document | None, shown: Document | None) -> Document:
    if old is not None:
        call.store.for_writing(call.database, name).delete(old)
    return _reply(shown, {"n": int(old is not None)})


def _reply(value: Document | None, last: Document) -> Document:
    return {"lastErrorObject": last, "value": value, "ok": 1.0}
