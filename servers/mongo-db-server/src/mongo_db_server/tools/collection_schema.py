from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from mongo_db_server import ejson
from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.schema import Sample
from mongo_db_server.toolkit import Call, InCollection, output, tool


class CollectionSchemaArguments(InCollection):
    sample_size: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("sample_size", "sampleSize"),
        description="Documents to look at, chosen at random. The server's default applies when omitted.",
    )


@tool(
    "collection-schema",
    title="Describe a collection",
    operation=Operation.METADATA,
    arguments=CollectionSchemaArguments,
    output=output(
        sampled={"type": "integer"},
        fields={
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "description": "Dotted; [] stands for the elements of an array."},
                    "types": {"type": "object", "description": "BSON type → documents in the sample that have it."},
                    "presence": {"type": "number", "description": "Share of the sample that has the field, 0 to 1."},
                },
            },
        },
    ),
)
async def collection_schema(arguments: CollectionSchemaArguments, call: Call) -> Reply:
    """Describes the documents of one collection from a random sample: each field's path, BSON types and how often it
    is present. Read it before writing a filter or pipeline. It shows no values."""
    collection = await call.reading(arguments)
    size = min(arguments.sample_size or call.limits.sample_default, call.limits.sample)
    stages = [{"$sample": {"size": size}}, *call.rules.fields.mask]

    async def attempt(collection: Any) -> Sample:
        sample = Sample(max_bytes=call.limits.bytes.ceiling)
        async with await collection.aggregate(stages, batchSize=min(size, 1000)) as cursor:
            async for document in cursor:
                if not sample.add(document):
                    break
        return sample

    sample = await call.read(collection, attempt)
    name = f"{arguments.database}.{arguments.collection}"
    summary = f"{len(sample.fields)} fields in a sample of {sample.documents} documents of {name}."
    if not sample.documents:
        summary = f"{name} holds no documents, or does not exist."
    fields: list[Any] = [ejson.encode(field) for field in sample.describe()]
    return Reply(summary, {"sampled": sample.documents}, Untrusted.of("fields", fields), sample.cut)
