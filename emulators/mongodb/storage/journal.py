"""Durability: an append-only log of changes, written before the reply: a killed process loses nothing it promised.

The file is a row of frames: length, CRC-32 of what follows, CRC-32 of these two, then BSON documents that say what
changed. Starting reads it, and writes a
compact one in its place (written aside, synced, renamed). A frame cut off at the end is a write that was never
acknowledged, and is dropped, which the log says; damage anywhere else stops the start. The header has a checksum of its
own, because a damaged length can lead past the end just as a cut-off write does. A write reaches the operating system
before the reply; `{j: true}` also waits for the disk.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from bson import decode_all, encode

from emulators.mongodb.errors import MongoError
from emulators.mongodb.wire import CODEC

Change = dict[str, Any]
_FRAME = struct.Struct("<II")
_HEADER = struct.Struct("<III")
_BATCH = 1000
_LOG = logging.getLogger(__name__)


class Journal:
    """The log in one directory, which this process alone holds."""

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise MongoError(
                f"data_dir {directory} cannot be made ({error.strerror}); choose another folder"
            ) from error
        self._path = directory / "changes.log"
        self._lock = self._hold(directory / "lock")
        self._file: IO[bytes] | None = None
        self.size = 0

    @staticmethod
    def _hold(path: Path) -> int:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise MongoError(
                f"{path.parent} is in use by another MongoDB stand-in; stop it or choose another data_dir"
            ) from None
        return handle

    def exists(self) -> bool:
        return self._path.exists()

    def read(self) -> Iterator[Change]:
        """Every change, oldest first."""
        if not self._path.exists():
            return
        data = self._path.read_bytes()
        position = 0
        while position < len(data):
            if position + _HEADER.size > len(data):
                self._say_dropped(len(data) - position)
                return
            length, checksum, of_header = _HEADER.unpack_from(data, position)
            if zlib.crc32(_FRAME.pack(length, checksum)) != of_header:
                raise self._damaged(position)
            payload = data[position + _HEADER.size : position + _HEADER.size + length]
            if len(payload) < length:
                self._say_dropped(len(data) - position)
                return
            if zlib.crc32(payload) != checksum:
                raise self._damaged(position)
            yield from decode_all(payload, CODEC)
            position += _HEADER.size + length

    def _damaged(self, position: int) -> MongoError:
        return MongoError(
            f"{self._path} is damaged at byte {position}; restore it, or remove it to start empty (at byte 0 it may "
            "also be a log of version 0.1.0, which this version does not read)"
        )

    def _say_dropped(self, size: int) -> None:
        _LOG.warning("%s ends in a write that was cut off: %s bytes, never acknowledged, are dropped", self._path, size)

    def rewrite(self, changes: Iterable[Change]) -> None:
        """Replaces the log by these changes, all or nothing, and goes on appending to the new one."""
        partial = self._path.with_suffix(".partial")
        self.close_file()
        with open(partial, "wb", opener=_private) as file:
            batch: list[Change] = []
            for change in changes:
                batch.append(change)
                if len(batch) == _BATCH:
                    file.write(_frame(batch))
                    batch = []
            if batch:
                file.write(_frame(batch))
            file.flush()
            os.fsync(file.fileno())
            self.size = file.tell()
        partial.replace(self._path)
        _sync_directory(self._path.parent)
        self._file = self._path.open("ab", buffering=0)

    def append(self, changes: list[Change], *, sync: bool = False) -> None:
        """Hands the changes to the operating system, and with `sync` to the disk."""
        if self._file is None:
            raise MongoError(f"{self._path} is not open for writing")
        frame = _frame(changes)
        written = self._file.write(frame)
        if written != len(frame):
            raise MongoError(f"{self._path}: the disk took {written} of {len(frame)} bytes; free some space")
        self.size += len(frame)
        if sync:
            os.fsync(self._file.fileno())

    def close_file(self) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def close(self) -> None:
        self.close_file()
        os.close(self._lock)


def _frame(changes: list[Change]) -> bytes:
    payload = b"".join(encode(change, codec_options=CODEC) for change in changes)
    head = _FRAME.pack(len(payload), zlib.crc32(payload))
    return head + struct.pack("<I", zlib.crc32(head)) + payload


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
