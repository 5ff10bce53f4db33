"""Messages: read as the protocol says, answered in the form of the question, and refused when they are neither."""

from __future__ import annotations

import struct

import pytest
from bson import decode, encode

from emulators.mongodb.wire import OP_MSG, OP_QUERY, ProtocolError, encode_reply, message_length, parse


def op_msg(command, *, flags=0, sequence=None, tail=b""):
    body = struct.pack("<I", flags) + b"\0" + encode(command)
    if sequence:
        name, documents = sequence
        section = name.encode() + b"\0" + b"".join(map(encode, documents))
        body += b"\1" + struct.pack("<i", len(section) + 4) + section
    body += tail
    return struct.pack("<iiii", 16 + len(body), 7, 0, OP_MSG) + body


def test_a_command():
    message = parse(op_msg({"ping": 1, "$db": "admin"}))
    assert (message.request_id, message.command, message.silent) == (7, {"ping": 1, "$db": "admin"}, False)


def test_a_document_sequence_becomes_a_field():
    message = parse(op_msg({"insert": "c", "$db": "d"}, sequence=("documents", [{"a": 1}, {"a": 2}])))
    assert message.command == {"insert": "c", "$db": "d", "documents": [{"a": 1}, {"a": 2}]}


def test_a_checksum_is_skipped_and_more_to_come_is_noticed():
    assert parse(op_msg({"ping": 1}, flags=1, tail=b"\0\0\0\0")).command == {"ping": 1}
    assert parse(op_msg({"ping": 1}, flags=2)).silent is True


def test_a_reply_names_its_request():
    request = parse(op_msg({"ping": 1}))
    data = encode_reply(request, {"ok": 1.0})
    length, _, response_to, opcode = struct.unpack_from("<iiii", data)
    assert (length, response_to, opcode, decode(data[21:])) == (len(data), 7, OP_MSG, {"ok": 1.0})


def test_the_old_hello():
    body = struct.pack("<i", 0) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1) + encode({"isMaster": 1})
    message = parse(struct.pack("<iiii", 16 + len(body), 9, 0, OP_QUERY) + body)
    assert message.command == {"isMaster": 1, "$db": "admin"}
    data = encode_reply(message, {"ok": 1.0})
    assert decode(data[36:]) == {"ok": 1.0}


@pytest.mark.parametrize(
    "data",
    [
        op_msg({"ping": 1})[:-3],
        op_msg({"ping": 1}, flags=4),
        op_msg({}),
        struct.pack("<iiii", 20, 1, 0, 2012) + b"\0\0\0\0",
        struct.pack("<iiii", 16 + 9, 1, 0, OP_MSG) + b"\0\0\0\0" + b"\7\5\0\0\0",
        struct.pack("<iiii", 16 + 4, 1, 0, OP_MSG) + b"\0\0\0\0",
        struct.pack("<iiii", 16 + 9, 1, 0, OP_MSG) + b"\0\0\0\0" + b"\0\xff\xff\xff\x7f",
        struct.pack("<iiii", 16 + 9, 1, 0, OP_MSG) + b"\0\0\0\0" + b"\0\xff\xff\xff\xff",
        struct.pack("<iiii", 20, 1, 0, OP_QUERY) + b"\0\0\0\0",
    ],
)
def test_malformed_messages_end_the_connection(data):
    with pytest.raises(ProtocolError):
        parse(data)


@pytest.mark.parametrize("length", [0, 15, 16, -1, 48_000_001])
def test_impossible_lengths_end_the_connection(length):
    with pytest.raises(ProtocolError):
        message_length(struct.pack("<iiii", length, 1, 0, OP_MSG))


def test_a_header_that_has_not_arrived_is_waited_for():
    assert message_length(b"\x20\0\0") is None


@pytest.mark.parametrize(
    "data",
    [
        op_msg({"ping": 1}, tail=b"\0" + encode({"drop": "c"})),
        op_msg({"insert": "c", "documents": []}, sequence=("documents", [{"a": 1}])),
        op_msg({"ping": 1, "$db": "d"}, sequence=("$db", [{"a": 1}])),
    ],
    ids=["two bodies", "documents twice", "another database"],
)
def test_a_message_that_says_two_things_ends_the_connection(data):
    """Whoever checks one of them must not be followed by somebody who does the other."""
    with pytest.raises(ProtocolError):
        parse(data)
