"""Messages of the MongoDB wire protocol: OP_MSG, and OP_QUERY for the first hello. Pure functions on bytes."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import Any

from bson import CodecOptions, DatetimeConversion, InvalidBSON, decode, decode_all, encode
from bson.binary import UuidRepresentation

from emulators.mongodb.errors import MongoError
from emulators.mongodb.values import Document

OP_REPLY, OP_QUERY, OP_COMPRESSED, OP_MSG = 1, 2004, 2012, 2013
MAX_MESSAGE = 48_000_000
_CHECKSUM, _MORE_TO_COME, _EXHAUST_ALLOWED = 1, 2, 1 << 16
_HEADER = struct.Struct("<iiii")
_SECTION_SIZE = struct.Struct("<i")
_ids = itertools.count(1)

# Plain dicts, dates without a zone, out-of-range dates and UUIDs untouched: what is stored is what was sent.
CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict,
    tz_aware=False,
    uuid_representation=UuidRepresentation.UNSPECIFIED,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


class ProtocolError(MongoError):
    """Bytes that are no message of this protocol; the connection is closed."""


@dataclass(frozen=True)
class Message:
    """One request: its command document, and whether a reply is expected."""

    request_id: int
    opcode: int
    command: Document
    silent: bool = False


def message_length(buffer: bytes | bytearray) -> int | None:
    """Bytes of the first message in the buffer; None when its header is not there yet."""
    if len(buffer) < _HEADER.size:
        return None
    length = int(_SECTION_SIZE.unpack_from(buffer)[0])
    if not _HEADER.size < length <= MAX_MESSAGE:
        raise ProtocolError(f"a message of {length} bytes is outside the protocol's limit of {MAX_MESSAGE}")
    return length


def parse(data: bytes) -> Message:
    """One whole message. ProtocolError for an opcode or a form that is not supported."""
    _, request_id, _, opcode = _HEADER.unpack_from(data)
    try:
        if opcode == OP_MSG:
            return _parse_msg(data, request_id)
        if opcode == OP_QUERY:
            return _parse_query(data, request_id)
    except (InvalidBSON, struct.error, ValueError, IndexError) as error:
        raise ProtocolError(f"message {request_id} is malformed: {error}") from error
    raise ProtocolError(f"opcode {opcode} is not supported; this server speaks OP_MSG, without compression")


def _parse_msg(data: bytes, request_id: int) -> Message:
    flags = int.from_bytes(data[16:20], "little")
    if flags & 0xFFFF & ~(_CHECKSUM | _MORE_TO_COME):
        raise ProtocolError(f"OP_MSG flags {flags:#x} are not supported")
    position, end = 20, len(data) - (4 if flags & _CHECKSUM else 0)
    command: Document = {}
    sequences: Document = {}
    while position < end:
        kind, position = data[position], position + 1
        size = _SECTION_SIZE.unpack_from(data, position)[0]
        section = data[position : position + size]
        if size < 5 or len(section) != size:
            raise ValueError("a section ends early")
        if kind == 0:
            if command:
                raise ValueError("a message has one body")
            command = decode(section, CODEC)
        elif kind == 1:
            name_end = section.index(0, 4)
            sequences[section[4:name_end].decode()] = decode_all(section[name_end + 1 :], CODEC)
        else:
            raise ValueError(f"section kind {kind} is unknown")
        position += size
    if not command:
        raise ValueError("the command is empty")
    if command.keys() & sequences.keys():
        raise ValueError("a field stands in the body and beside it")
    return Message(request_id, OP_MSG, {**command, **sequences}, bool(flags & _MORE_TO_COME))


def _parse_query(data: bytes, request_id: int) -> Message:
    name_end = data.index(0, 20)
    namespace = data[20:name_end].decode()
    start = name_end + 9
    size = _SECTION_SIZE.unpack_from(data, start)[0]
    command = decode(data[start : start + size], CODEC)
    command = command.get("$query", command)
    command.setdefault("$db", namespace.partition(".")[0])
    return Message(request_id, OP_QUERY, command)


def encode_reply(request: Message, reply: Document) -> bytes:
    """The answer in the form of the question."""
    body = encode(reply, codec_options=CODEC)
    if request.opcode == OP_QUERY:
        head, opcode = struct.pack("<iqii", 8, 0, 0, 1), OP_REPLY
    else:
        head, opcode = b"\0\0\0\0\0", OP_MSG
    return _HEADER.pack(_HEADER.size + len(head) + len(body), next(_ids), request.request_id, opcode) + head + body
