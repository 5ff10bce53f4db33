from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Call, Confirmable, InCollection, output, tool


class RenameCollectionArguments(Confirmable, InCollection):
    new_name: str = Field(
        validation_alias=AliasChoices("new_name", "newName"), description="Name in the same database."
    )
    drop_target: bool = Field(
        False,
        validation_alias=AliasChoices("drop_target", "dropTarget"),
        description="Drop the collection that has the new name, if there is one. Must be confirmed.",
    )


def _target(arguments: RenameCollectionArguments, call: Call) -> Any:
    call.rules.scope.require_collection(arguments.database, arguments.new_name)
    return call.named(arguments).database[arguments.new_name]


async def preview(arguments: RenameCollectionArguments, call: Call) -> Reply:
    target = _target(arguments, call)
    number = await call.retry_throttled(target.estimated_document_count) if arguments.drop_target else 0
    summary = f"{arguments.database}.{arguments.collection} would be renamed to {arguments.new_name}"
    lost = f"; the {number} documents that are there now would be lost" if arguments.drop_target else ""
    return Reply(f"{summary}{lost}.", {"would_affect": number})


async def drops(arguments: RenameCollectionArguments, _: Call) -> bool:
    return arguments.drop_target


@tool(
    "rename-collection",
    title="Rename a collection",
    operation=Operation.UPDATE,
    arguments=RenameCollectionArguments,
    output=output(renamed={"type": "string"}),
    preview=preview,
    destroys=drops,
)
async def rename_collection(arguments: RenameCollectionArguments, call: Call) -> Reply:
    """Renames a collection within its database. Fails when the new name is taken, unless drop_target says that what is
    there may be lost."""
    _target(arguments, call)
    collection = call.named(arguments)
    try:
        await call.once(lambda: collection.rename(arguments.new_name, dropTarget=arguments.drop_target))
    finally:
        call.runtime.views.forget(arguments.database)
    name = f"{arguments.database}.{arguments.new_name}"
    return Reply(f"{arguments.database}.{arguments.collection} is now {name}.", {"renamed": name})
