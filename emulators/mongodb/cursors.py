"""Open cursors: results that did not fit into the first batch."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bson import Int64, encode
from bson.raw_bson import RawBSONDocument

from emulators.mongodb.errors import CommandError
from emulators.mongodb.memory import collected
from emulators.mongodb.values import Document
from emulators.mongodb.wire import CODEC

FIRST_BATCH = 101
BATCH_BYTES = 16 * 1024 * 1024
RESULT_BYTES = BATCH_BYTES + 16 * 1024  # what MongoDB allows its own results above a stored document
IDLE_SECONDS = 600.0  # MongoDB's cursorTimeoutMillis
MAX_OPEN = 10_000
Encoder = Callable[[Document], bytes]


def to_bson(document: Document) -> bytes:
    return encode(document, codec_options=CODEC)


@dataclass
class _Cursor:
    namespace: str
    rest: Iterator[Document]
    owner: str
    used: float
    expires: bool
    encoded: Encoder
    gone: str | None = None  # why it cannot be read on


class Cursors:
    """Cursors by id. Each belongs to the user who opened it, and expires when nobody asks for ten minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[int, _Cursor] = {}

    def __len__(self) -> int:
        return len(self._open)

    def start(
        self,
        namespace: str,
        documents: Iterable[Document],
        owner: str,
        *,
        batch: int = FIRST_BATCH,
        single: bool = False,
        expires: bool = True,
        encoded: Encoder = to_bson,
        shared: bool = False,
    ) -> Document:
        """The reply to a command that opens a cursor: the first batch, and an id when there is more (0 when not).

        `shared`: the documents are those that are stored, and take no memory of their own.
        """
        rest = iter(documents)
        first, rest, more = _take(rest, batch, encoded)
        identity = 0
        if batch == 0 and not single:
            more = True  # a cursor is asked for, whether or not there is anything to read
        if more and not single:
            self.expire()
            if len(self._open) >= MAX_OPEN:
                raise CommandError(
                    1, f"too many open cursors: the limit is {MAX_OPEN}; read them to the end or kill them"
                )
            # The whole result is held: the documents a cursor will return are those of the moment it was opened.
            held = iter(list(rest if shared else collected(rest, "the result of a cursor")))
            identity = secrets.randbelow(2**62) + 1
            self._open[identity] = _Cursor(namespace, held, owner, self._clock(), expires, encoded)
        return {"cursor": {"firstBatch": first, "id": Int64(identity), "ns": namespace}, "ok": 1.0}

    def more(self, identity: int, namespace: str, owner: str, batch: int) -> Document:
        """The reply to getMore; `batch` 0 means as much as fits. CursorNotFound (43), Unauthorized (13)."""
        self.expire()
        cursor = self._open.get(identity)
        if cursor is None:
            raise CommandError(43, f"cursor id {identity} not found")
        if cursor.owner != owner:
            raise CommandError(13, f"cursor id {identity} was not created by the authenticated user")
        if cursor.namespace != namespace:
            raise CommandError(
                13,
                f"Requested getMore on namespace '{namespace}', but cursor belongs to a different namespace "
                f"{cursor.namespace}",
            )
        if cursor.gone is not None:
            del self._open[identity]
            raise CommandError(175, cursor.gone)
        cursor.used = self._clock()
        following, cursor.rest, more = _take(cursor.rest, batch or 2**31, cursor.encoded)
        if not more:
            del self._open[identity]
        return {"cursor": {"nextBatch": following, "id": Int64(identity if more else 0), "ns": namespace}, "ok": 1.0}

    def has(self, identity: int) -> bool:
        return identity in self._open

    def kill(self, identity: int, owner: str) -> bool:
        cursor = self._open.get(identity)
        if cursor is None or cursor.owner != owner:
            return False
        del self._open[identity]
        return True

    def close_namespace(self, namespace: str) -> None:
        """Ends the cursors of a dropped collection (`db.name`) or database (`db.`): who reads on hears why (175)."""
        for cursor in self._open.values():
            if cursor.namespace == namespace or (namespace.endswith(".") and cursor.namespace.startswith(namespace)):
                cursor.rest, cursor.gone = iter(()), f"collection dropped. namespace: {cursor.namespace}"

    def expire(self) -> None:
        limit = self._clock() - IDLE_SECONDS
        for identity, cursor in list(self._open.items()):
            if cursor.expires and cursor.used < limit:
                del self._open[identity]


def _take(
    rest: Iterator[Document], count: int, encoded: Encoder
) -> tuple[list[RawBSONDocument], Iterator[Document], bool]:
    """Up to `count` documents within a batch's size, the remaining iterator, and whether it has more."""
    taken: list[RawBSONDocument] = []
    size = 0
    for document in rest:
        data = encoded(document)
        if len(data) > RESULT_BYTES:
            raise CommandError(
                10334, f"BSONObj size: {len(data)} is invalid. A result may have up to {RESULT_BYTES} bytes"
            )
        if len(taken) >= count or (taken and size + len(data) > BATCH_BYTES):
            return taken, itertools.chain([document], rest), True
        taken.append(RawBSONDocument(data))
        size += len(data)
    return taken, rest, False
