from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne

from mongo_db_server import ejson
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.filters import matches_all
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, Confirmable, InCollection, JsonArray, output, tool
from mongo_db_server.tools._filters import show_matching, touches_every
from mongo_db_server.tools._updates import check_batch, document_of, update_of

_FORMS: dict[str, tuple[set[str], set[str]]] = {  # operation → what it needs, what it may also have
    "insertOne": ({"document"}, set()),
    "updateOne": ({"filter", "update"}, {"upsert"}),
    "updateMany": ({"filter", "update"}, {"upsert"}),
    "replaceOne": ({"filter", "replacement"}, {"upsert"}),
    "deleteOne": ({"filter"}, set()),
    "deleteMany": ({"filter"}, set()),
}
_DESTROYING = frozenset({"replaceOne", "deleteOne", "deleteMany"})
_LOOKED_AT = 20  # operations whose matches a dry run counts


class BulkWriteArguments(Confirmable, InCollection):
    operations: JsonArray = Field(
        min_length=1,
        description='Writes, for example [{"insertOne": {"document": {"a": 1}}}, {"updateMany": {"filter": {"a": 1}, '
        '"update": {"$set": {"b": 2}}}}, {"deleteOne": {"filter": {"a": 3}}}]. Also updateOne and replaceOne '
        "(filter, replacement); updates and replacements take upsert.",
    )
    ordered: bool = Field(True, description="In order, until the first that fails; false: all that can be done.")
    all_documents: bool = Field(False, description="Must be true when an updateMany or deleteMany has an empty filter.")


async def destroys(arguments: BulkWriteArguments, call: Call) -> bool:
    """Deletes, replacements, and changes to every document, by one operation or by several together."""
    requests = _requests(arguments, call)
    if any(name in _DESTROYING for name, _, _ in requests):
        return True
    conditions = [condition for name, condition, _ in requests if name == "updateMany" and condition is not None]
    return await touches_every(call.named(arguments), conditions, call)


async def preview(arguments: BulkWriteArguments, call: Call) -> Reply:
    collection = call.named(arguments)
    requests = _requests(arguments, call)
    await call.check_views((arguments.database, arguments.collection))
    rows, total = [], 0
    for position, (name, condition, _) in enumerate(requests):
        if condition is None:
            total += 1
            rows.append({"operation": position, "does": name, "documents": 1})
        elif position < _LOOKED_AT:
            found, page = await show_matching(collection, condition, call)
            number = min(found, 1) if name.endswith("One") else found
            total += number
            rows.append({"operation": position, "does": name, "documents": number, "sample": page.documents[:number]})
    cut = None
    if len(requests) > _LOOKED_AT:
        cut = f"Matches were counted for the first {_LOOKED_AT} operations only."
    summary = (
        f"{len(requests)} operations on {arguments.database}.{arguments.collection} would touch {total} documents."
    )
    return Reply(summary, {"would_affect": total}, Untrusted.of("sample", rows), cut)


@tool(
    "bulk-write",
    title="Write in bulk",
    operation=Operation.UPDATE,
    arguments=BulkWriteArguments,
    output=output(
        inserted={"type": "integer"},
        matched={"type": "integer"},
        modified={"type": "integer"},
        deleted={"type": "integer"},
        upserted={"type": "integer"},
        upserted_ids={"type": "object", "description": "Position of the operation → id of the document it created."},
    ),
    preview=preview,
    destroys=destroys,
)
async def bulk_write(arguments: BulkWriteArguments, call: Call) -> Reply:
    """Runs several inserts, updates, replacements and deletes on one collection in one call, in order. Cheaper than
    many calls. What deletes, replaces or changes every document must be confirmed; try it with dry_run first."""
    collection = call.named(arguments)
    requests = [request for _, _, request in _requests(arguments, call)]
    # Never repeated: part of a throttled batch may have been done, and the error says how far it came.
    result = await call.once(lambda: collection.bulk_write(requests, ordered=arguments.ordered))
    facts = {
        "inserted": result.inserted_count,
        "matched": result.matched_count,
        "modified": result.modified_count,
        "deleted": result.deleted_count,
        "upserted": result.upserted_count,
        "upserted_ids": {str(at): ejson.encode(found) for at, found in (result.upserted_ids or {}).items()},
    }
    done = ", ".join(f"{facts[name]} {name}" for name in ("inserted", "modified", "deleted", "upserted"))
    return Reply(f"{done} in {arguments.database}.{arguments.collection}.", facts)


def _requests(arguments: BulkWriteArguments, call: Call) -> list[tuple[str, dict[str, Any] | None, Any]]:
    """(name, condition, request) of each operation; an insert has no condition."""
    check_batch(len(arguments.operations), "operations", call)
    found = []
    for position, operation in enumerate(arguments.operations):
        where = f"operations.{position}"
        name, value = next(iter(operation.items()), ("", None))
        needed, optional = _FORMS.get(name, (set(), set()))
        if len(operation) != 1 or name not in _FORMS:
            raise InvalidCallError(f"`{where}` must have exactly one of {', '.join(_FORMS)}.")
        if not isinstance(value, dict) or not needed <= value.keys() <= needed | optional:
            raise InvalidCallError(f"`{where}.{name}` must have {' and '.join(sorted(needed))}, and nothing unknown.")
        if not isinstance(value.get("upsert"), bool | None):
            raise InvalidCallError(f"`{where}.{name}.upsert` must be true or false.")
        value = {key: given for key, given in value.items() if given is not None or key not in optional}
        condition = None if name == "insertOne" else _condition(name, value["filter"], arguments, call)
        found.append((name, condition, _BUILD[name](condition, value, where, call)))
    return found


def _condition(name: str, value: Any, arguments: BulkWriteArguments, call: Call) -> dict[str, Any]:
    condition = call.filter(value, strict=True)
    if name.endswith("Many") and matches_all(condition) and not arguments.all_documents:
        raise RefusedError(f"An empty `filter` in {name} touches every document: say so with `all_documents=true`.")
    return condition


def _replace(condition: Any, value: dict[str, Any], where: str, call: Call) -> Any:
    if call.rules.fields.active:
        raise RefusedError("A replacement would remove redacted fields unseen; with redacted fields use updateOne.")
    replacement = document_of(value["replacement"], f"{where}.replaceOne.replacement", call)
    if any(name.startswith("$") for name in replacement):
        raise InvalidCallError(f"`{where}.replaceOne.replacement` is a document, not update operators.")
    return ReplaceOne(condition, replacement, upsert=value.get("upsert", False))


_BUILD: dict[str, Callable[[Any, dict[str, Any], str, Call], Any]] = {
    "insertOne": lambda _, value, where, call: InsertOne(
        document_of(value["document"], f"{where}.insertOne.document", call)
    ),
    "updateOne": lambda condition, value, _, call: UpdateOne(
        condition, update_of(value["update"], call), upsert=value.get("upsert", False)
    ),
    "updateMany": lambda condition, value, _, call: UpdateMany(
        condition, update_of(value["update"], call), upsert=value.get("upsert", False)
    ),
    "replaceOne": _replace,
    "deleteOne": lambda condition, _value, _where, _call: DeleteOne(condition),
    "deleteMany": lambda condition, _value, _where, _call: DeleteMany(condition),
}
