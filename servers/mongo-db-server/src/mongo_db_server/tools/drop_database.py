from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from mongo_db_server import namespaces
from mongo_db_server.errors import RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, Confirmable, InDatabase, output, tool


class DropDatabaseArguments(Confirmable, InDatabase):
    confirm_database: str | None = Field(
        None, description="With `confirmation`: the database's name once more, as the user has typed it."
    )

    @model_validator(mode="after")
    def _typed_again(self) -> Self:
        """Before the token is looked at, so that a slip does not use it up."""
        if self.confirmation is not None and self.confirm_database != self.database:
            raise ValueError("`confirm_database` must be the name of the database once more, typed by the user")
        return self


async def _collections(arguments: InDatabase, call: Call) -> list[str]:
    """Raises RefusedError when the database holds a collection that callers may not touch."""
    database = call.database(arguments.database)
    names = await call.retry_throttled(database.list_collection_names)
    own = [name for name in names if not namespaces.is_system_collection(name)]
    if not all(call.rules.scope.admits_collection(arguments.database, name) for name in own):
        raise RefusedError(
            f"`{arguments.database}` holds collections that this server does not open; it is not dropped."
        )
    return own


async def preview(arguments: DropDatabaseArguments, call: Call) -> Reply:
    own = await _collections(arguments, call)
    stats: dict[str, Any] = await call.retry_throttled(lambda: call.database(arguments.database).command("dbStats"))
    number = int(stats.get("objects", 0))
    summary = (
        f"The database {arguments.database} with {len(own)} collections and {number} documents would be dropped. "
        "The user must type its name, for `confirm_database`."
    )
    return Reply(summary, {"would_affect": number})


@tool(
    "drop-database",
    title="Drop a database",
    operation=Operation.DELETE,
    arguments=DropDatabaseArguments,
    output=output(dropped={"type": "string"}),
    preview=preview,
)
async def drop_database(arguments: DropDatabaseArguments, call: Call) -> Reply:
    """Drops a whole database with everything in it. There is no way back, so the first call only says what would go and
    returns a token; the same call with that token as `confirmation`, and the name typed again by the user as
    `confirm_database`, drops it."""
    await _collections(arguments, call)
    try:
        await call.once(lambda: call.client.drop_database(arguments.database))
    finally:
        call.runtime.views.forget(arguments.database)
    return Reply(f"Database {arguments.database} dropped.", {"dropped": arguments.database})
