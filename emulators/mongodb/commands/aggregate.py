"""`aggregate`."""

from __future__ import annotations

from dataclasses import replace

from emulators.mongodb.commands.query import check_hint, context_of, encoder, whole
from emulators.mongodb.cursors import FIRST_BATCH
from emulators.mongodb.dispatch import COMMANDS, Call, command
from emulators.mongodb.errors import CommandError, bad_value, failed_to_parse
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.pipeline.core import LAST_ONLY, run
from emulators.mongodb.values import Document, is_number


def writes(body: Document) -> bool:
    """Whether the pipeline ends in `$out` or `$merge`."""
    pipeline = body.get("pipeline")
    stages = pipeline if isinstance(pipeline, list) else []
    return any(isinstance(stage, dict) and set(stage) & LAST_ONLY for stage in stages)


@command(
    "aggregate",
    fields="pipeline:array! cursor:object let:object hint:hint allowDiskUse:bool bypassDocumentValidation:flag "
    "explain:bool~",
    refused="isMapReduceCommand fromMongos needsMerge",
    writes=writes,
)
def aggregate(call: Call) -> Document:
    call = call.with_let()
    pipeline, options = call.body["pipeline"], call.body.get("cursor")
    name = _collection(call)
    if options is not None:
        if set(options) - {"batchSize"}:
            raise CommandError(40415, f"BSON field 'cursor.{min(set(options) - {'batchSize'})}' is an unknown field.")
        batch = whole(options, "batchSize", FIRST_BATCH)
    if call.body.get("explain"):
        if "writeConcern" in call.body:
            raise failed_to_parse("Aggregation explain does not support the 'writeConcern' option")
        if name is not None:
            check_hint(call, name)
        asked = {field: value for field, value in call.body.items() if field != "explain"}
        body = {"explain": asked, "verbosity": "queryPlanner"}
        return COMMANDS["explain"].handler(replace(call, name="explain", body=body))
    if options is None:
        raise failed_to_parse("The 'cursor' option is required, except for aggregate with the explain argument")
    if name is not None:
        check_hint(call, name)
    documents = call.deadline.guard(run(pipeline, context_of(call, name), call.body.get("hint")))
    namespace = f"{call.database}.{name or '$cmd.aggregate'}"
    if writes(call.body):
        documents = iter(list(documents))  # a batch size of 0 must not leave the write undone
    return call.server.cursors.start(namespace, documents, call.session.owner, batch=batch, encoded=encoder(call, name))


def _collection(call: Call) -> str | None:
    """The collection's name; None for a pipeline of the database: `{aggregate: 1}`, a 1 of any type of number."""
    value = call.body["aggregate"]
    if is_number(value):
        if as_integer(value) != 1:
            raise bad_value(
                f"Invalid command format: the 'aggregate' field must specify a collection name or 1: {value}"
            )
        return None
    name = call.collection_name()
    first = next(iter(call.body["pipeline"]), None)
    if isinstance(first, dict) and next(iter(first), "") == "$documents":
        raise CommandError(73, "$documents is only allowed with {aggregate: 1}")
    return name
