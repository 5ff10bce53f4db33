"""What update-many and delete-many share: an empty filter must be meant, and what would be touched can be shown."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server import ejson, queries
from mongo_db_server.errors import RefusedError
from mongo_db_server.filters import matches_all
from mongo_db_server.limits import Limit, Page, collect
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, Confirmable, InCollection, JsonObject

_SHOWN = 3
# MongoDB takes these only where they are not negated ("$text", "$near", MongoDB manual).
_NOT_NEGATED = frozenset({"$text", "$near", "$nearSphere"})


class FilteredWrite(Confirmable, InCollection):
    filter: JsonObject = Field(description="Conditions as Extended JSON that choose the documents.")
    all_documents: bool = Field(
        False, description="Must be true when the filter has no condition, because then every document is touched."
    )

    def condition(self, call: Call) -> dict[str, Any]:
        decoded = call.filter(self.filter, strict=True)
        if matches_all(decoded) and not self.all_documents:
            raise RefusedError(
                "An empty `filter` touches every document of the collection: say so with `all_documents=true`."
            )
        return decoded


async def touches_every(collection: Any, conditions: list[dict[str, Any]], call: Call) -> bool:
    """Whether the conditions together leave no document of the collection out, of two or more: a write by them is one
    to the whole collection, however they are written."""
    if not conditions:
        return False
    if any(map(matches_all, conditions)):
        return True
    await call.check_views((collection.database.name, collection.name))
    conditions = [{name: value for name, value in one.items() if name != "$comment"} for one in conditions]
    if not _NOT_NEGATED.isdisjoint(queries.names(conditions)):
        return await _match_as_many_as_there_are(collection, conditions, call)

    async def attempt() -> bool:
        if await collection.count_documents({"$nor": conditions}, limit=1):
            return False
        return bool(await collection.count_documents({"$or": conditions}, limit=2) > 1)

    return await call.retry_throttled(attempt)


async def _match_as_many_as_there_are(collection: Any, conditions: list[dict[str, Any]], call: Call) -> bool:
    async def attempt() -> bool:
        there, found = await collection.estimated_document_count(), set()
        ids = collection.with_options(codec_options=ejson.RAW)
        for condition in conditions:
            async with ids.find(condition, {"_id": 1}, limit=there) as cursor:
                found |= {bytes(document.raw) async for document in cursor}
        return bool(len(found) >= max(there, 2))

    return await call.retry_throttled(attempt)


async def show_matching(collection: Any, condition: dict[str, Any], call: Call) -> tuple[int, Page]:
    """How many documents match, and a few of them without redacted fields."""
    number = await call.retry_throttled(lambda: collection.count_documents(condition))

    async def attempt(collection: Any) -> Page:
        stages = [{"$match": condition}, {"$limit": _SHOWN}, *call.rules.fields.mask]
        async with await collection.aggregate(stages) as cursor:
            limit = Limit(_SHOWN, _SHOWN, "")
            return await collect(cursor, documents=limit, asked=_SHOWN, max_bytes=call.limits.bytes.default)

    return number, await call.read(collection, attempt)


async def preview_of(arguments: FilteredWrite, call: Call, verb: str) -> Reply:
    """`verb` is what would happen to the documents: "deleted", "changed"."""
    collection = call.named(arguments)
    condition = arguments.condition(call)
    await call.check_views((arguments.database, arguments.collection))
    number, page = await show_matching(collection, condition, call)
    summary = f"{number} documents of {arguments.database}.{arguments.collection} would be {verb}."
    if not number:
        summary += await call.why_nothing(arguments, condition)
    elif await touches_every(collection, [condition], call):
        summary += " These are all that the collection holds."
    return Reply(summary, {"would_affect": number}, Untrusted.page("sample", page))
