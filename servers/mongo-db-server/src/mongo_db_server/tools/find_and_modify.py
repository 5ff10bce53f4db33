from __future__ import annotations

from pydantic import Field
from pymongo import ReturnDocument

from mongo_db_server import ejson
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Call, InCollection, JsonObject, output, tool
from mongo_db_server.tools._pages import DOCUMENTS
from mongo_db_server.tools._updates import Update, update_of


class FindAndModifyArguments(InCollection):
    filter: JsonObject = Field(description="Conditions as Extended JSON; at least one.")
    update: Update = Field(description='Update operators, {"$inc": {"n": 1}}, or an array of update pipeline stages.')
    sort: JsonObject | None = Field(None, description="Which document to take when several match.")
    projection: JsonObject | None = Field(None, description="Fields to return.")
    upsert: bool = Field(False, description="Insert a document when none matches.")
    return_new: bool = Field(True, description="Return the document as it is afterwards; false: as it was before.")


@tool(
    "find-and-modify",
    title="Change one document and return it",
    operation=Operation.UPDATE,
    arguments=FindAndModifyArguments,
    output=output(returned={"type": "integer"}, documents=DOCUMENTS),
)
async def find_and_modify(arguments: FindAndModifyArguments, call: Call) -> Reply:
    """Changes one document of one collection and returns it in the same step, so that nobody can come between: take the
    next job, count up a number. To change many documents use update-many."""
    if call.rules.fields.active:
        raise RefusedError("`find-and-modify` returns what is stored; with redacted fields use update-many and find.")
    # Left as it comes: a value that cannot be decoded must not make a change that was made look like a failure.
    collection = call.named(arguments).with_options(codec_options=ejson.RAW)
    condition = call.filter(arguments.filter, strict=True)
    if not condition:
        raise InvalidCallError("`filter` must hold at least one condition.")
    update = update_of(arguments.update, call)
    sort, projection = call.fields(arguments.sort, "sort"), call.fields(arguments.projection, "projection")
    # Never repeated: a throttled change may have been made.
    found = await call.once(
        lambda: collection.find_one_and_update(
            condition,
            update,
            projection,
            list(sort.items()) if sort else None,
            upsert=arguments.upsert,
            return_document=ReturnDocument.AFTER if arguments.return_new else ReturnDocument.BEFORE,
        )
    )
    documents = [] if found is None else [ejson.encode(found)]
    said = "One document changed" if found is not None else "No document was there before"
    summary = f"{said} in {arguments.database}.{arguments.collection}."
    return Reply(summary, {"returned": len(documents)}, Untrusted.of("documents", documents))
