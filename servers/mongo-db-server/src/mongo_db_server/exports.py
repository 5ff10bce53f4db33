"""Exports: a query as a resource. The address holds the whole query, so every slot can serve it, at any time, and
nothing is kept; reading it runs the query again, under the rules and limits of whoever reads."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

from mongo_db_server.errors import InvalidCallError, RefusedError

PREFIX = "mongodb-export://query/"
MIME_TYPE = "application/x-ndjson"
_MAX_QUERY = 256 * 1024  # characters of JSON
_MAX_ADDRESS = 16 * 1024


def address_of(arguments: dict[str, Any]) -> str:
    """The resource's URI. Raises RefusedError for a query that is too long for an address."""
    packed = zlib.compress(json.dumps(arguments, separators=(",", ":")).encode(), 9)
    encoded = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    if len(encoded) > _MAX_ADDRESS:
        raise RefusedError(f"The query is too long to be exported: its address would exceed {_MAX_ADDRESS} characters.")
    return PREFIX + encoded


def arguments_of(query: str) -> dict[str, Any]:
    """What `address_of` put into the address. Raises InvalidCallError for anything else."""
    try:
        packed = base64.b64decode(query.encode() + b"=" * (-len(query) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, _MAX_QUERY)
        if unpacker.unconsumed_tail:
            raise ValueError("too long")
        arguments = json.loads(text)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict) or len(query) > _MAX_ADDRESS:
        raise InvalidCallError("This is not the address of an export of this server.")
    return arguments
