"""What update-many and delete-many share: an empty filter must be meant, and what would be touched can be shown."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.errors import RefusedError
from mongo_db_server.limits import Limit, Page, collect
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, Confirmable, InCollection, JsonObject

_SHOWN = 3


class FilteredWrite(Confirmable, InCollection):
    filter: JsonObject = Field(description="Conditions as Extended JSON that choose the documents.")
    all_documents: bool = Field(
        False, description="Must be true when the filter is empty, because then every document is touched."
    )

    def condition(self, call: Call) -> dict[str, Any]:
        decoded = call.filter(self.filter, strict=True)
        if not decoded and not self.all_documents:
            raise RefusedError(
                "An empty `filter` touches every document of the collection: say so with `all_documents=true`."
            )
        return decoded


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
    return Reply(summary, {"would_affect": number}, Untrusted.page("sample", page))
