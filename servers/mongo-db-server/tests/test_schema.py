from __future__ import annotations

import datetime
from typing import Any

import pytest
from bson.code import Code
from bson.int64 import Int64
from bson.objectid import ObjectId
from mongo_db_server.schema import MAX_DEPTH, MAX_FIELDS, Sample, type_name


def sample_of(*documents: dict[str, Any], max_bytes: int = 100_000) -> Sample:
    sample = Sample(max_bytes)
    for document in documents:
        sample.add(document)
    return sample


def test_paths_types_and_presence() -> None:
    """Each path is described once, with every type it has and the share of documents that have it."""
    sample = sample_of(
        {"a": 1, "b": {"c": "x"}, "tags": ["x", 1]},
        {"a": None, "b": {"c": Int64(1)}, "tags": []},
    )
    assert sample.describe() == [
        {"path": "a", "types": {"int": 1, "null": 1}, "presence": 1.0},
        {"path": "b", "types": {"object": 2}, "presence": 1.0},
        {"path": "b.c", "types": {"long": 1, "string": 1}, "presence": 1.0},
        {"path": "tags", "types": {"array": 2}, "presence": 1.0},
        {"path": "tags[]", "types": {"int": 1, "string": 1}, "presence": 0.5},
    ]


def test_no_value_is_shown() -> None:
    """A schema tells nothing about whom the documents are about."""
    assert "Ada" not in str(sample_of({"name": "Ada", "friends": ["Ada"]}).describe())


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (True, "bool"),
        (2**31, "long"),
        (1.0, "double"),
        (ObjectId(), "objectId"),
        (datetime.datetime.now(datetime.UTC), "date"),
        (b"", "binData"),
        (Code("f"), "javascript"),
        ({}, "object"),
    ],
)
def test_types_have_mongodbs_names(value: Any, name: str) -> None:
    """The names are those that `$type` takes."""
    assert type_name(value) == name


def test_fields_are_bounded() -> None:
    """Documents that use data as field names cannot exhaust memory, and what was left out is said."""
    sample = sample_of({f"f{number}": number for number in range(MAX_FIELDS + 1)})
    assert len(sample.describe()) == MAX_FIELDS
    assert sample.cut == f"Only the first {MAX_FIELDS} fields are described; there are more."


def test_depth_is_bounded() -> None:
    """Deep nesting is described down to a fixed depth."""
    value: Any = 1
    for _ in range(50):
        value = {"a": value}
    assert len(sample_of(value).describe()) == MAX_DEPTH + 1


def test_bytes_are_bounded() -> None:
    """A sample of huge documents ends early and says so."""
    sample = sample_of({"a": "x" * 100}, {"a": "x" * 100}, max_bytes=150)
    assert sample.documents == 1
    assert sample.cut is not None
    assert "MCP_BYTES_CEILING" in sample.cut
