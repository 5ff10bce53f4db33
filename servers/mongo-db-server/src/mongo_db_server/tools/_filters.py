"""What update-many and delete-many share: an empty filter must be meant."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mongo_db_server.errors import RefusedError
from mongo_db_server.toolkit import Call, InCollection, JsonObject


class FilteredWrite(InCollection):
    filter: JsonObject = Field(description="Conditions as Extended JSON that choose the documents.")
    all_documents: bool = Field(
        False, description="Must be true when the filter is empty, because then every document is touched."
    )

    def condition(self, call: Call) -> dict[str, Any]:
        decoded = call.filter(self.filter)
        if not decoded and not self.all_documents:
            raise RefusedError(
                "An empty `filter` touches every document of the collection: say so with `all_documents=true`."
            )
        return decoded
