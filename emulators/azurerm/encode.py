"""A provider's schema as the protocol wants it, encoded once and then kept: building 1,030 types takes a second."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from emulators.azurerm.catalog import Block, Catalog, Schema
from emulators.azurerm.proto import tfplugin5_pb2 as pb
from emulators.azurerm.used import Schemas, only

ENCODING = b"1"  # raise when this module's output changes, so that stale copies are not read
NESTING = {
    "single": pb.NestedBlock.SINGLE,
    "list": pb.NestedBlock.LIST,
    "set": pb.NestedBlock.SET,
    "map": pb.NestedBlock.MAP,
    "group": pb.NestedBlock.GROUP,
}


def encoded_schema(catalog: Catalog, cache: Path) -> bytes:
    """The serialized GetSchema response; `cache` is a folder of such responses, filled on first use."""
    key = hashlib.sha256(ENCODING + catalog.digest_source).hexdigest()[:16]
    kept = cache / f"{catalog.name}-{catalog.version}-{key}.pb"
    if kept.is_file():
        return kept.read_bytes()
    data: bytes = build(catalog).SerializeToString(deterministic=True)
    with suppress(OSError):  # where nothing can be kept, it is encoded each time
        cache.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_bytes(data)
        partial.replace(kept)
    return data


def schema_source(catalog: Catalog, cache: Path, types: Callable[[], Schemas]) -> Callable[[], bytes]:
    """What answers GetSchema: `types` is asked each time, because files may have changed since the last command."""

    @lru_cache(maxsize=1)
    def encoded(wanted: Schemas) -> bytes:
        if wanted is None:
            return encoded_schema(catalog, cache)
        data: bytes = build(replace(catalog, schema=only(catalog, wanted))).SerializeToString(deterministic=True)
        return data

    return lambda: encoded(types())


def build(catalog: Catalog) -> pb.GetSchemaResponse:
    response = pb.GetSchemaResponse(provider=_schema(catalog.schema["provider"]))
    # Without this Terraform asks for the whole schema again whenever it starts one more instance of the provider.
    response.server_capabilities.get_provider_schema_optional = True
    for type_, schema in catalog.schema["resource_schemas"].items():
        response.resource_schemas[type_].CopyFrom(_schema(schema))
    for type_, schema in catalog.schema["data_source_schemas"].items():
        response.data_source_schemas[type_].CopyFrom(_schema(schema))
    return response


def _schema(schema: Schema) -> pb.Schema:
    return pb.Schema(version=schema.get("version", 0), block=_block(schema["block"]))


def _block(block: Block) -> pb.Block:
    return pb.Block(
        attributes=[_attribute(name, a) for name, a in sorted(block.get("attributes", {}).items())],
        block_types=[
            pb.NestedBlock(
                type_name=name,
                nesting=NESTING[nested["nesting_mode"]],
                min_items=nested.get("min_items", 0),
                max_items=nested.get("max_items", 0),
                block=_block(nested["block"]),
            )
            for name, nested in sorted(block.get("block_types", {}).items())
        ],
        deprecated=block.get("deprecated", False),
    )


def _attribute(name: str, attribute: Mapping[str, Any]) -> pb.Attribute:
    flags = ("required", "optional", "computed", "sensitive", "deprecated", "write_only")
    type_ = json.dumps(attribute["type"], separators=(",", ":")).encode()
    return pb.Attribute(name=name, type=type_, **{flag: attribute.get(flag, False) for flag in flags})
