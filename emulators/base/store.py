"""The stand-in cloud: every object that Terraform applied, in one file of its owner's.

The file is replaced whole and under a lock, so that several Terraform runs, and whatever looks into it, can share it.
Object values hold keys and passwords, so the file is readable by its owner only.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulators.base.errors import StoreError

Values = dict[str, Any]  # one object: attribute and block names to values
Objects = dict[str, dict[str, Values]]  # {type: {id: values}}


class Store:
    """`path` need not exist; `None` keeps the cloud in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._objects: Objects = {}
        self._salt = ""
        self._seen: tuple[int, ...] | None = None  # the file's identity when it was last read or written
        self._inside = False

    def get(self, type_: str, id_: str) -> Values | None:
        with self._shared():
            return self._objects.get(type_, {}).get(id_)

    def of_type(self, type_: str) -> list[Values]:
        with self._shared():
            return list(self._objects.get(type_, {}).values())

    def types(self) -> list[str]:
        with self._shared():
            return sorted(self._objects)

    def holds_within(self, scope: str, types: Iterable[str]) -> bool:
        """Whether the id of any object of these types begins with that scope, such as a resource group's id."""
        prefix = f"{scope}/".lower()
        with self._shared():
            return any(f"{id_}/".lower().startswith(prefix) for type_ in types for id_ in self._objects.get(type_, ()))

    def put(self, type_: str, values: Mapping[str, Any], *, was: str | None = None) -> None:
        """Adds or replaces an object under its `id`; `was` is the id it had, where an update changed it."""
        with self._exclusive():
            held = self._objects.setdefault(type_, {})
            if was is not None:
                held.pop(was, None)
            held[values["id"]] = dict(values)

    def update(self, type_: str, id_: str, changes: Mapping[str, Any]) -> None:
        """Changes attributes of an object, as the cloud does on its own; an object that is gone stays gone."""
        with self._exclusive():
            if id_ in self._objects.get(type_, {}):
                self._objects[type_][id_] = {**self._objects[type_][id_], **changes}

    def remove(self, type_: str, id_: str) -> None:
        with self._exclusive():
            self._objects.get(type_, {}).pop(id_, None)

    @property
    def salt(self) -> bytes:
        """Random per store: it makes the keys that the stand-in hands out impossible to guess."""
        with self._shared():
            if self._salt:
                return self._salt.encode()
        with self._exclusive():
            return self._salt.encode()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Holds the file across several calls, for what must be read and written as one (allotting an address)."""
        with self._exclusive():
            yield

    @contextmanager
    def _shared(self) -> Iterator[None]:
        with self._lock:
            self._reload()
            yield

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._lock:
            if self.path is None or self._inside:
                self._salt = self._salt or secrets.token_hex(32)
                yield
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._reload()
                self._salt = self._salt or secrets.token_hex(32)
                self._inside = True
                yield
                self._write(self.path)
            except BaseException:
                self._seen = ()  # what is in memory was not written: read the file again
                raise
            finally:
                self._inside = False
                os.close(descriptor)

    def _reload(self) -> None:
        if self.path is None or self._inside:
            return
        try:
            status = self.path.stat()
        except FileNotFoundError:
            if self._seen is not None:
                self._objects, self._salt, self._seen = {}, "", None
            return
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            self._salt, self._objects = document["salt"], document["objects"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"the stand-in cloud at {self.path} cannot be read ({error}); delete it to start anew"
            ) from error
        self._seen = seen

    def _write(self, path: Path) -> None:
        partial = path.with_suffix(f".{os.getpid()}.partial")
        descriptor = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            # Not json.dump: that one writes piecemeal, in Python, and takes ten times as long.
            file.write(json.dumps({"salt": self._salt, "objects": self._objects}, separators=(",", ":")))
        partial.replace(path)
        status = path.stat()
        self._seen = (status.st_ino, status.st_mtime_ns, status.st_size)
