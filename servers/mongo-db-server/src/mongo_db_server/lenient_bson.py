"""Documents with a value that the driver refuses to decode, read all the same, value by value.

Databases hold such values: binaries of the old subtype 2 with a wrong length, booleans other than 0 and 1, types of a
newer version. The driver raises for the whole batch, so that one of them would hide every other document. Here what can
be decoded is, and each value that cannot be stands as `{"$undecodable": "…"}` with its type and bytes.

The sizes are those of the BSON specification 1.1 ("Specification Version 1.1", bsonspec.org).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError

_OBJECT, _ARRAY, _REGEX, _BINARY = 0x03, 0x04, 0x0B, 0x05
# Bytes of a value by its type; those with a length of their own are in `_size`.
_FIXED = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
_STRINGS = frozenset({0x02, 0x0D, 0x0E})  # a length without its own four bytes
_DBPOINTER = 0x0C
_WHOLE = frozenset({_OBJECT, _ARRAY, 0x0F})  # a length that counts its own four bytes
_LENGTH = struct.Struct("<i")
_SHOWN_BYTES = 32
_MAX_DEPTH = 100


def decode(raw: bytes, codec: CodecOptions[dict[str, Any]]) -> dict[str, Any]:
    """The document, with a stand-in for each value that the driver cannot decode. Never raises for stored bytes."""
    try:
        return bson.decode(raw, codec)
    except (BSONError, ValueError, TypeError, RecursionError):
        return _document(raw, codec, _MAX_DEPTH)


def _document(raw: bytes, codec: CodecOptions[dict[str, Any]], levels: int) -> dict[str, Any]:
    return {name: _value(kind, value, codec, levels) for kind, name, value in _elements(raw)}


def _value(kind: int | None, raw: bytes, codec: CodecOptions[dict[str, Any]], levels: int) -> Any:
    if kind is None:
        return _stand_in("the rest of the document", raw)
    try:
        return bson.decode(_LENGTH.pack(len(raw) + 8) + bytes([kind]) + b"v\0" + raw + b"\0", codec)["v"]
    except (BSONError, ValueError, TypeError, RecursionError):
        if kind not in (_OBJECT, _ARRAY) or not levels:
            return _stand_in(f"type 0x{kind:02x}", raw)
        inner = _document(raw, codec, levels - 1)
        return inner if kind == _OBJECT else list(inner.values())


def _stand_in(what: str, raw: bytes) -> dict[str, str]:
    more = "…" if len(raw) > _SHOWN_BYTES else ""
    return {"$undecodable": f"{what}, {len(raw)} bytes: {raw[:_SHOWN_BYTES].hex()}{more}"}


def _elements(raw: bytes) -> Iterator[tuple[int | None, str, bytes]]:
    """(type, name, bytes of the value) of each element. The type is None for whatever follows a value whose size
    cannot be known."""
    at, end = _LENGTH.size, len(raw) - 1
    while at < end:
        kind = raw[at]
        stop = raw.find(b"\0", at + 1, end)
        if stop < 0:
            yield None, "…", raw[at:end]
            return
        name, begin = raw[at + 1 : stop].decode(errors="replace"), stop + 1
        size = _size(kind, raw, begin, end)
        if size is None:
            yield None, name, raw[begin:end]
            return
        yield kind, name, raw[begin : begin + size]
        at = begin + size


def _size(kind: int, raw: bytes, begin: int, end: int) -> int | None:
    if kind == _REGEX:
        middle = raw.find(b"\0", begin, end)
        last = raw.find(b"\0", middle + 1, end) if middle >= 0 else -1
        return last + 1 - begin if last >= 0 else None
    size = _FIXED.get(kind)
    if size is None and begin + _LENGTH.size <= end:
        (length,) = _LENGTH.unpack_from(raw, begin)
        if length >= 0:
            size = _sized(kind, length)
    return size if size is not None and begin + size <= end else None


def _sized(kind: int, length: int) -> int | None:
    if kind in _STRINGS:
        return length + _LENGTH.size
    if kind == _BINARY:
        return length + _LENGTH.size + 1
    if kind == _DBPOINTER:
        return length + _LENGTH.size + 12
    return length if kind in _WHOLE and length > _LENGTH.size else None
