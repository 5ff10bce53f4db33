from __future__ import annotations

import datetime
import json
import uuid
from typing import Any

import bson
import pytest
from bson import json_util
from bson.binary import Binary, UuidRepresentation
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from bson.tz_util import FixedOffset, utc
from hypothesis import given, settings
from hypothesis import strategies as st
from mongo_db_server import ejson
from mongo_db_server.errors import InvalidCallError

UUID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
SAME = object()  # the canonical form is the relaxed one
OID = ObjectId("0123456789abcdef01234567")

# (BSON value, relaxed, canonical), from the tables of "MongoDB Extended JSON (v2)"; `$uuid` and numbers beyond 2^53
# are this server's two departures.
VALUES: list[tuple[Any, Any, Any]] = [
    ("text é", "text é", "text é"),
    (True, True, True),
    (None, None, None),
    (7, 7, {"$numberInt": "7"}),
    (Int64(7), 7, {"$numberLong": "7"}),
    (Int64(2**53), {"$numberLong": "9007199254740992"}, {"$numberLong": "9007199254740992"}),
    (1.5, 1.5, {"$numberDouble": "1.5"}),
    (float("inf"), {"$numberDouble": "Infinity"}, {"$numberDouble": "Infinity"}),
    (Decimal128("1.10"), {"$numberDecimal": "1.10"}, {"$numberDecimal": "1.10"}),
    (OID, {"$oid": str(OID)}, {"$oid": str(OID)}),
    (
        datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.UTC),
        {"$date": "2026-01-02T03:04:05.678Z"},
        {"$date": {"$numberLong": "1767323045678"}},
    ),
    (DatetimeMS(2**50), {"$date": {"$numberLong": str(2**50)}}, {"$date": {"$numberLong": str(2**50)}}),
    (b"\0\1", {"$binary": {"base64": "AAE=", "subType": "00"}}, {"$binary": {"base64": "AAE=", "subType": "00"}}),
    (
        Binary(UUID.bytes, 3),
        {"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "03"}},
        {"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "03"}},
    ),
    (UUID, {"$uuid": str(UUID)}, {"$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "04"}}),
    (Regex("^a", "i"), {"$regularExpression": {"pattern": "^a", "options": "i"}}, SAME),
    (Timestamp(1, 2), {"$timestamp": {"t": 1, "i": 2}}, SAME),
    (Code("f()"), {"$code": "f()"}, SAME),
    (MinKey(), {"$minKey": 1}, SAME),
    (MaxKey(), {"$maxKey": 1}, SAME),
    (DBRef("c", OID, "d"), {"$ref": "c", "$id": {"$oid": str(OID)}, "$db": "d"}, SAME),
]


@pytest.mark.parametrize(("value", "relaxed", "canonical"), VALUES, ids=[type(v[0]).__name__ for v in VALUES])
def test_forms_are_the_documented_ones(value: Any, relaxed: Any, canonical: Any) -> None:
    """Every BSON type is written as MongoDB's documentation writes it."""
    assert ejson.encode({"v": [value]}, "relaxed") == {"v": [relaxed]}
    assert ejson.encode({"v": [value]}, "canonical") == {"v": [relaxed if canonical is SAME else canonical]}


@pytest.mark.parametrize(("value", "relaxed", "canonical"), VALUES, ids=[type(v[0]).__name__ for v in VALUES])
def test_every_type_survives_the_round_trip(value: Any, relaxed: Any, canonical: Any) -> None:
    """Database → caller → database keeps type and value in the canonical form."""
    native = ejson.CODEC.with_options(uuid_representation=UuidRepresentation.STANDARD)  # takes Python's own UUID
    stored = bson.encode({"v": value}, codec_options=native)
    read = bson.decode(stored, codec_options=ejson.CODEC)
    text = ejson.dumps(ejson.encode(read, "canonical"))
    assert bson.encode(ejson.decode(json.loads(text), "documents"), codec_options=ejson.CODEC) == stored


_json = st.recursive(
    st.none() | st.booleans() | st.text() | st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)  # a shared machine may pause a test
@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), _json, max_size=3))
def test_plain_json_is_plain(document: dict[str, Any]) -> None:
    """JSON without wrappers means itself, and comes back as itself up to the safe integers."""
    decoded = ejson.decode(document, "documents")
    assert decoded == document
    encoded = ejson.encode(decoded)
    assert json_util.loads(json.dumps(encoded)) == document


@pytest.mark.parametrize(
    "value",
    [
        {"$oid": "xyz"},
        {"$oid": 1},
        {"$oid": str(OID), "x": 1},
        {"$date": "yesterday"},
        {"$date": []},
        {"$uuid": "x"},
        {"$uuid": 1},
        {"$binary": {"base64": "!", "subType": "zz"}},
        {"$binary": 1},
        {"$numberLong": "many"},
        {"$numberDecimal": "1,1"},
        {"$timestamp": {"t": 1}},
        {"$regularExpression": {}},
        {"$date": {"$numberLong": "9" * 40}},
    ],
)
def test_malformed_wrapper_is_named(value: Any) -> None:
    """A wrapper that is not right says which, and in which argument."""
    name = next(iter(value))
    with pytest.raises(InvalidCallError, match="`filter` holds a malformed") as raised:
        ejson.decode({"a": [value]}, "filter")
    assert name in str(raised.value) or "$numberLong" in str(raised.value)


@settings(deadline=None)  # a shared machine may pause a test
@given(st.datetimes(timezones=st.just(utc)) | st.datetimes(timezones=st.just(FixedOffset(90, "x"))))
def test_dates_are_the_drivers(moment: datetime.datetime) -> None:
    """The short way for dates writes what the driver's own Extended JSON writes, before 1970 and elsewhere too."""
    stored = bson.decode(bson.encode({"d": moment}), ejson.CODEC)["d"]
    shown = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    for value in (stored, shown):
        assert ejson.encode(value) == json.loads(json_util.dumps(value, json_options=json_util.RELAXED_JSON_OPTIONS))


def test_regex_operator_stays_an_operator() -> None:
    """`$regex` with its companions is a query, not a value."""
    condition = {"name": {"$regex": "^a", "$options": "i", "$in": ["x"]}}
    assert ejson.decode(condition, "filter") == condition


def test_depth_is_limited() -> None:
    """Nesting that MongoDB does not store is refused before it costs anything."""
    value: Any = 1
    for _ in range(ejson.MAX_DEPTH + 2):
        value = [value]
    with pytest.raises(InvalidCallError, match="nested deeper"):
        ejson.decode(value, "filter")
