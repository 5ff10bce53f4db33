"""`aggregate`."""

from __future__ import annotations

from emulators.mongodb.commands.query import check_hint, context_of, encoder, whole
from emulators.mongodb.cursors import FIRST_BATCH
from emulators.mongodb.dispatch import Call, command
from emulators.mongodb.errors import CommandError, failed_to_parse, type_mismatch
from emulators.mongodb.pipeline.core import LAST_ONLY, run
from emulators.mongodb.values import Document


def writes(body: Document) -> bool:
    """Whether the pipeline ends in `$out` or `$merge`."""
    pipeline = body.get("pipeline")
    stages = pipeline if isinstance(pipeline, list) else []
    return any(isinstance(stage, dict) and set(stage) & LAST_ONLY for stage in stages)


@command(
    "aggregate",
    fields="pipeline cursor let hint allowDiskUse",
    refused="explain bypassDocumentValidation isMapReduceCommand fromMongos needsMerge",
    writes=writes,
)
def aggregate(call: Call) -> Document:
    call = call.with_let()
    pipeline, options = call.body.get("pipeline"), call.body.get("cursor")
    if not isinstance(pipeline, list):
        raise type_mismatch("'pipeline' option must be specified as an array")
    if not isinstance(options, dict):
        raise failed_to_parse("The 'cursor' option is required, except for aggregate with the explain argument")
    if set(options) - {"batchSize"}:
        raise CommandError(40415, f"BSON field 'cursor.{min(set(options) - {'batchSize'})}' is an unknown field.")
    name = None if call.body["aggregate"] == 1 else call.collection_name()
    if name is not None:
        check_hint(call, name)
    documents = call.deadline.guard(run(pipeline, context_of(call, name)))
    namespace = f"{call.database}.{name or '$cmd.aggregate'}"
    batch = whole(options, "batchSize", FIRST_BATCH)
    if writes(call.body):
        documents = iter(list(documents))  # a batch size of 0 must not leave the write undone
    return call.server.cursors.start(namespace, documents, call.session.owner, batch=batch, encoded=encoder(call, name))
