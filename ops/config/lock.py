"""One run per environment at a time. The lock dies with its process, so an interrupted run never blocks the next."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.errors import BusyError


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Hold `<home>/lock` for the block; BusyError names the process that has it."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)  # state, plans and logs below it hold secrets
    path = home / "lock"
    with path.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise BusyError(f"another run (process {holder}) is working on {home}; wait for it to finish") from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield
