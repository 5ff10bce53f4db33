"""MongoDB Extended JSON v2 between the caller's JSON and BSON values.

Out: *relaxed* by default, because models read it best; *canonical* on request, which keeps every BSON type. Two
departures from the relaxed form, both still Extended JSON: integers that JavaScript clients would round (beyond 2^53)
are written as `$numberLong`, and UUIDs as `$uuid`.

Binaries are read as they are, whatever their subtype says about their length: only those that are a UUID read as one.

In: both forms. `$regex` stays the query operator it looks like; a regular expression as a *value* is
`$regularExpression`. UUID subtypes 3 and 4 stay what they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Literal
from uuid import UUID

from bson import json_util
from bson.binary import UUID_SUBTYPE, Binary, UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.dbref import DBRef
from bson.errors import BSONError
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument
from bson.tz_util import utc
from pydantic_core import to_json

from mongo_db_server import lenient_bson
from mongo_db_server.errors import InvalidCallError

Form = Literal["relaxed", "canonical"]

MAX_DEPTH = 100  # MongoDB's own limit for nested documents ("MongoDB Limits and Thresholds")
_ESCAPING = json.JSONEncoder(separators=(",", ":"))
_SAFE_INTEGER = 2**53
_EPOCH = 1970  # older dates are numbers in the relaxed form
_OFFSET = len("+00:00")

# What the driver would refuse to decode stays readable: dates beyond year 9999, text that is no UTF-8, and binaries
# that are called UUIDs and are none ("bson.codec_options", PyMongo documentation).
CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    uuid_representation=UuidRepresentation.UNSPECIFIED,
    unicode_decode_error_handler="replace",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
# Leaves documents as they came, for those that hold what the driver cannot decode; `encode` takes them too.
RAW: CodecOptions[RawBSONDocument] = CODEC.with_options(document_class=RawBSONDocument)
_UUID_BYTES = 16

_IN = json_util.JSONOptions(
    tz_aware=True,
    uuid_representation=UuidRepresentation.UNSPECIFIED,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
_RELAXED = json_util.JSONOptions(json_mode=json_util.JSONMode.RELAXED, uuid_representation=UuidRepresentation.STANDARD)
_CANONICAL = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, uuid_representation=UuidRepresentation.STANDARD
)
# The type wrappers of Extended JSON v2 that json_util reads, without the legacy `$regex`.
_WRAPPERS = frozenset(
    (
        *("$oid", "$uuid", "$binary", "$date", "$timestamp", "$regularExpression", "$code", "$symbol"),
        *("$numberInt", "$numberLong", "$numberDouble", "$numberDecimal"),
        *("$minKey", "$maxKey", "$undefined", "$ref", "$dbPointer"),
    )
)


# How those are written that callers get wrong.
_FORMS = {
    "$oid": '{"$oid": "65a1b2c3d4e5f60718293a4b"}',
    "$date": '{"$date": "2026-01-31T00:00:00Z"}',
    "$uuid": '{"$uuid": "00112233-4455-6677-8899-aabbccddeeff"}',
    "$binary": '{"$binary": {"base64": "YWJj", "subType": "00"}}',
    "$timestamp": '{"$timestamp": {"t": 1769817600, "i": 1}}',
    "$regularExpression": '{"$regularExpression": {"pattern": "^a", "options": "i"}}',
    **{f"$number{kind}": f'{{"$number{kind}": "12"}}' for kind in ("Int", "Long", "Double", "Decimal")},
}


def decode(value: Any, where: str, max_depth: int = MAX_DEPTH) -> Any:
    """JSON → BSON values. Raises InvalidCallError that names `where` for a malformed wrapper or too deep a nesting."""
    return _decode(value, where, max_depth)


def _decode(value: Any, where: str, levels: int) -> Any:
    if levels < 0:
        raise InvalidCallError(
            f"`{where}` is nested deeper than this server takes (`MCP_NESTING_DEPTH_CEILING`); MongoDB itself stores "
            f"{MAX_DEPTH} levels."
        )
    if isinstance(value, dict):
        decoded = {key: _decode(item, where, levels - 1) for key, item in value.items()}
        wrapper = next((key for key in decoded if key in _WRAPPERS), None)
        return decoded if wrapper is None else _unwrap(decoded, wrapper, where)
    if isinstance(value, list):
        return [_decode(item, where, levels - 1) for item in value]
    return value


def _unwrap(document: dict[str, Any], wrapper: str, where: str) -> Any:
    if "$regex" in document:
        return document
    try:
        return json_util.object_hook(document, _IN)
    except (BSONError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
        form = f", as in {_FORMS[wrapper]}" if wrapper in _FORMS else ""
        raise InvalidCallError(
            f"`{where}` holds a malformed Extended JSON value: `{wrapper}` does not have the form that "
            f"MongoDB Extended JSON v2 gives it{form}."
        ) from None


def encode(value: Any, form: Form = "relaxed") -> Any:
    """BSON values → what `json.dumps` writes without help."""
    if form == "relaxed":
        return _relaxed(value)
    return json.loads(json_util.dumps(readable(value), json_options=_CANONICAL))


def readable(value: Any) -> Any:
    """The value itself, or the document that was left as it came from the database."""
    return lenient_bson.decode(bytes(value.raw), CODEC) if isinstance(value, RawBSONDocument) else value


def _relaxed(value: Any) -> Any:
    """This runs for every value of every answer: one look-up by type finds what to do, and plain ones cost no call."""
    encoder = _BY_TYPE.get(type(value), _relaxed_rare)
    return value if encoder is None else encoder(value)


def _document(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: item if (encoder := _look_up(type(item), _relaxed_rare)) is None else encoder(item)
        for key, item in value.items()
    }


def _array(value: list[Any]) -> list[Any]:
    return [item if (encoder := _look_up(type(item), _relaxed_rare)) is None else encoder(item) for item in value]


def _integer(value: int) -> Any:
    return int(value) if -_SAFE_INTEGER < value < _SAFE_INTEGER else {"$numberLong": str(value)}


def _double(value: float) -> Any:
    return value if isfinite(value) else _relaxed_rare(value)


def _object_id(value: ObjectId) -> dict[str, str]:
    return {"$oid": str(value)}


def _binary(value: Binary) -> Any:
    if value.subtype == UUID_SUBTYPE and len(value) == _UUID_BYTES:
        return {"$uuid": str(value.as_uuid())}
    return _relaxed_rare(value)


def _date(value: datetime) -> Any:
    if value.tzinfo is not utc or value.year < _EPOCH:
        return _relaxed_rare(value)
    text = value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    return {"$date": f"{text[:-_OFFSET]}Z"}


def _relaxed_rare(value: Any) -> Any:
    if isinstance(value, UUID):
        return {"$uuid": str(value)}
    if isinstance(value, DBRef):
        return _relaxed(dict(value.as_doc()))
    if isinstance(value, Mapping):  # the driver's SON
        return {key: _relaxed(item) for key, item in value.items()}
    return json_util.default(value, _RELAXED)


# None: the value is its own form.
_BY_TYPE: dict[type, Callable[[Any], Any] | None] = {
    **dict.fromkeys((str, bool, type(None))),
    **{dict: _document, list: _array, int: _integer, Int64: _integer},
    **{float: _double, ObjectId: _object_id, datetime: _date, Binary: _binary},
    RawBSONDocument: lambda value: _document(readable(value)),
}
_look_up = _BY_TYPE.get


def dumps(value: Any) -> str:
    """Compact JSON text of an encoded value."""
    return to_json(value).decode()


def text(value: Any) -> str:
    """Compact JSON text of what is already JSON; half a surrogate pair that a caller sent is escaped."""
    try:
        return to_json(value).decode()
    except ValueError:
        return _ESCAPING.encode(value)


def canonical_text(value: Any) -> bytes:
    """JSON text by which two calls are compared. The order of keys counts, as in MongoDB; `1.0` is `1`, because JSON
    has one kind of number and many clients write it without the point (RFC 8259, section 6)."""
    try:
        return json.dumps(_plain_numbers(value), default=str).encode()
    except RecursionError:
        raise InvalidCallError("The arguments are nested too deeply (`MCP_NESTING_DEPTH_CEILING`).") from None


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain_numbers(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def loads(text: str) -> Any:
    """JSON text → JSON values, not yet BSON ones. Raises ValueError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
