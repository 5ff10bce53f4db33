"""Durability: an append-only log of changes, written before the reply: a killed process loses nothing it promised.

The file begins with a mark of its format and a number of its own; then comes a row of frames: length, CRC-32 of what
follows, CRC-32 of these two, then BSON documents that say what changed. Starting reads it, and writes a compact one in
its place (written aside, synced, renamed) where there is room. A frame cut off at the end is a write that was never
acknowledged: it is dropped, which the log says, and the file as it was stays beside the new one. Any other damage stops
the start. The header has a checksum of its own, because a damaged length can lead past the end just as a cut-off write
does; and how long the file was when it was compacted or closed stands in a second file, so that one which has lost its
end since is noticed. A write reaches the operating system before the reply; `{j: true}` also waits for the disk.
"""

from __future__ import annotations

import errno
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
_MARK = b"MDBLOG2\n"
_IDENTITY = 8
_START = len(_MARK) + _IDENTITY
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
        self.path = directory / "changes.log"
        self._known = directory / "changes.size"
        self._identity = b""
        self._lock = self._hold(directory / "lock")
        self._file: IO[bytes] | None = None
        self.size = self._whole = 0

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
        return self.path.exists()

    def read(self) -> Iterator[Change]:
        """Every change, oldest first."""
        if not self.path.exists():
            if self._known.exists():
                raise MongoError(f"{self.path} is gone; restore it, or remove {self._known.name} too to start empty")
            return
        data = self.path.read_bytes()
        if len(data) < _START or not data.startswith(_MARK):
            raise self._damaged(0)
        self._identity = data[len(_MARK) : _START]
        self._check_length(len(data))
        position = self._whole = _START
        while position < len(data):
            if position + _HEADER.size > len(data):
                self._drop_tail(len(data) - position)
                return
            length, checksum, of_header = _HEADER.unpack_from(data, position)
            if zlib.crc32(_FRAME.pack(length, checksum)) != of_header:
                raise self._damaged(position)
            payload = data[position + _HEADER.size : position + _HEADER.size + length]
            if len(payload) < length:
                self._drop_tail(len(data) - position)
                return
            if zlib.crc32(payload) != checksum:
                raise self._damaged(position)
            yield from decode_all(payload, CODEC)
            position += _HEADER.size + length
            self._whole = position

    def _check_length(self, size: int) -> None:
        """Refuses a file that is shorter than when it was last known to be whole; a restored one has another number."""
        try:
            identity, known = self._known.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return
        if identity == self._identity.hex() and size < int(known):
            raise MongoError(
                f"{self.path} has {size} bytes and had {known}: its end is lost; restore it, or remove "
                f"{self._known.name} to start with what is left"
            )

    def _remember_length(self) -> None:
        """The length may be lost on a full disk: then less is noticed, and nothing else."""
        try:
            with open(self._known, "w", encoding="ascii", opener=_private) as file:
                file.write(f"{self._identity.hex()} {self.size}\n")
        except OSError as error:
            _LOG.warning("%s cannot be written (%s)", self._known, error.strerror)

    def _damaged(self, position: int) -> MongoError:
        return MongoError(
            f"{self.path} is damaged at byte {position}; restore it, or remove it and "
            f"{self._known.name} to start empty (at byte 0 it may also be a log of version 0.1.0, which this "
            "version does not read)"
        )

    def _drop_tail(self, size: int) -> None:
        kept = self.path.with_suffix(".torn")
        kept.unlink(missing_ok=True)
        kept.hardlink_to(self.path)
        _LOG.warning(
            "%s ends in a write that was cut off: %s bytes, never acknowledged, are dropped; %s is the file as it was",
            self.path,
            size,
            kept,
        )

    def rewrite(self, changes: Iterable[Change]) -> None:
        """Replaces the log by these changes, all or nothing, and goes on appending to the new one."""
        partial = self.path.with_suffix(".partial")
        identity = os.urandom(_IDENTITY)
        try:
            size = self._write_compact(partial, identity, changes)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise OSError(error.errno, f"{self.path} cannot be written compact ({error.strerror})") from error
        self.close_file()
        partial.replace(self.path)
        _sync_directory(self.path.parent)
        self.size, self._identity = size, identity
        self._file = self.path.open("ab", buffering=0)
        self._remember_length()

    @staticmethod
    def _write_compact(partial: Path, identity: bytes, changes: Iterable[Change]) -> int:
        with open(partial, "wb", opener=_private) as file:
            file.write(_MARK + identity)
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
            return file.tell()

    def open_as_it_is(self) -> None:
        """Goes on appending to the file that is there, when a compact one has no room; it must not end torn."""
        if self._file is None:
            if not self.path.exists():
                raise MongoError(f"{self.path} cannot be made: free some space, or choose another data_dir")
            self._file = self.path.open("ab", buffering=0)
            self._file.truncate(self._whole)
            self.size = self._whole

    def append(self, changes: list[Change], *, sync: bool = False) -> None:
        """Hands the changes to the operating system, and with `sync` to the disk: all of them, or OSError and none."""
        if self._file is None:
            raise OSError(f"{self.path} is not open for writing")
        frame = _frame(changes)
        try:
            written = self._file.write(frame)
            if written != len(frame):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if sync:
                os.fsync(self._file.fileno())
        except OSError:
            # What was taken of the frame must not stand between this one and the next.
            self._file.truncate(self.size)
            raise
        self.size += len(frame)

    def close_file(self) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def close(self) -> None:
        if self._file is not None:
            self.close_file()
            self._remember_length()
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
