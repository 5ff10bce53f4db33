"""Values that the driver refuses to decode: no socket, only bytes."""

from __future__ import annotations

import struct
import time
from types import SimpleNamespace
from typing import Any

import bson
import pytest
from bson.binary import Binary
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st
from mongo_db_server import ejson, lenient_bson
from mongo_db_server.call import Call
from mongo_db_server.schema import Sample

NINE = {"$undecodable": "type 0x08, 1 bytes: 09"}


def document(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


BEFORE, AFTER = b"\x10before\0\1\0\0\0", b"\x02after\0\2\0\0\0x\0"
OLD_BINARY = b"\x05bad\0" + struct.pack("<i", 3) + b"\x02abc"
BOOLEAN = b"\x08bad\0\x02"


@pytest.mark.parametrize(
    ("element", "shown"),
    [
        (OLD_BINARY, {"$undecodable": "type 0x05, 8 bytes: 0300000002616263"}),
        (BOOLEAN, {"$undecodable": "type 0x08, 1 bytes: 02"}),
        (
            b"\x03bad\0" + document(b"\x08x\0\x09", AFTER),
            {"x": NINE, "after": "x"},
        ),
        (b"\x04bad\0" + document(b"\x080\0\x09", b"\x101\0\7\0\0\0"), [NINE, 7]),
    ],
    ids=["old binary", "boolean", "in an object", "in an array"],
)
def test_one_value_does_not_hide_the_others(element: bytes, shown: Any) -> None:
    """A value that cannot be decoded stands for itself; everything around it is read."""
    raw = document(BEFORE, element, AFTER)
    with pytest.raises(InvalidBSON):
        bson.decode(raw, ejson.CODEC)
    assert ejson.encode(RawBSONDocument(raw)) == {"before": 1, "bad": shown, "after": "x"}
    assert set(ejson.encode(RawBSONDocument(raw), "canonical")) == {"before", "bad", "after"}


def test_what_follows_an_unknown_type_is_said_to_be_lost() -> None:
    """The size of a type of a newer version cannot be known."""
    raw = document(BEFORE, b"\x15new\0", AFTER)
    shown = lenient_bson.decode(raw, ejson.CODEC)
    assert shown["before"] == 1
    assert shown["new"]["$undecodable"].startswith("the rest of the document, 13 bytes")


@given(st.binary(max_size=60))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    """Whatever is stored, the document is shown."""
    assert isinstance(lenient_bson.decode(document(BEFORE, body), ejson.CODEC), dict)


@pytest.mark.parametrize("subtype", [3, 4])
def test_a_binary_that_is_called_a_uuid_and_is_none_stays_a_binary(subtype: int) -> None:
    """Old drivers stored such; the driver would refuse the whole batch."""
    read = bson.decode(bson.encode({"a": Binary(b"abc", subtype)}), ejson.CODEC)
    assert ejson.encode(read) == {"a": {"$binary": {"base64": "YWJj", "subType": f"0{subtype}"}}}


def test_text_that_is_no_utf8_is_shown() -> None:
    """Replaced where it cannot be read, as everywhere else."""
    assert bson.decode(document(b"\x02a\0\3\0\0\0\xff\xfe\0"), ejson.CODEC) == {"a": "��"}


def test_a_schema_counts_such_a_document() -> None:
    sample = Sample(1000)
    assert sample.add(RawBSONDocument(document(BEFORE, BOOLEAN, AFTER)))
    assert [field["path"] for field in sample.describe()] == ["after", "bad", "bad.$undecodable", "before"]


async def test_a_read_is_tried_again_with_documents_as_they_came() -> None:
    """Only after the driver has refused one: the ordinary way stays as fast as it is."""

    class Source(SimpleNamespace):
        def with_options(self, codec_options: Any) -> Source:
            return Source(codec=codec_options)

    async def attempt(source: Any) -> Any:
        if source.codec is ejson.CODEC:
            raise InvalidBSON("invalid boolean value: 2")
        return RawBSONDocument(document(BEFORE, BOOLEAN))

    runtime: Any = SimpleNamespace(client=None, tier="reader", limits=None, rules=None)
    source: Any = Source(codec=ejson.CODEC)
    found = await Call(runtime, "find", time.monotonic() + 5).read(source, attempt)
    assert ejson.encode(found)["before"] == 1
