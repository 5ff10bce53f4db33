"""Cursors for reading on: the place to go on from, good for the same query only, on any slot and after a restart.

A cursor is opaque to callers. It holds no secret and needs none: what it points at is what the same caller could read
with `skip`, and every rule is applied again. Between two pages other writers may move documents; a `sort` that decides
every tie (by `_id`, say) keeps the pages apart.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from mongo_db_server import ejson
from mongo_db_server.errors import InvalidCallError

_DIGEST, _OFFSET = 12, 6
# What may change from page to page: how much is shown of each document, and how many, but never which come next.
_FREE = {"cursor", "limit", "max_bytes", "max_time_ms", "projection", "ejson"}


def _digest(tool: str, arguments: dict[str, Any]) -> bytes:
    kept = {name: value for name, value in arguments.items() if name not in _FREE}
    return hashlib.sha256(ejson.canonical_text([tool, kept])).digest()[:_DIGEST]


def cursor_at(offset: int, tool: str, arguments: dict[str, Any]) -> str:
    """The cursor of the page that begins after `offset` documents."""
    return base64.urlsafe_b64encode(_digest(tool, arguments) + offset.to_bytes(_OFFSET, "big")).decode()


def offset_of(cursor: str | None, tool: str, arguments: dict[str, Any]) -> int:
    """Raises InvalidCallError for what is no cursor, or one of another query."""
    if cursor is None:
        return 0
    try:
        raw = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if len(raw) != _DIGEST + _OFFSET or raw[:_DIGEST] != _digest(tool, arguments):
        raise InvalidCallError(
            "`cursor` belongs to another query: give it with exactly the arguments of the call that returned it (only "
            "`limit`, `max_bytes`, `max_time_ms`, `projection` and `ejson` may change)."
        )
    return int.from_bytes(raw[_DIGEST:], "big")
