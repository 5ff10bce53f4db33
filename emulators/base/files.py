"""Files: private to their owner, replaced in one step, and logs that do not grow for ever."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

LOG_LIMIT = 5 * 1024 * 1024  # bytes; above it a log is rotated when its process starts


def write_private(path: Path, text: str) -> None:
    """Writes `text` so that readers see the old or the new file, never half of one, and only the owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def write_json(path: Path, value: Any) -> None:
    write_private(path, json.dumps(value, indent=1, sort_keys=True))


def read_json(path: Path) -> Any:
    """The file's JSON; None where there is no such file or an interrupted writer left nonsense in it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def read_object(path: Path) -> dict[str, Any]:
    """The file's JSON object; empty where there is none, whatever else is in the file."""
    found = read_json(path)
    return found if isinstance(found, dict) else {}


def make_folder(path: str) -> None:
    Path(path).mkdir(parents=True, exist_ok=True)


def remove(path: str) -> None:
    """Removes a file; "" and one that is not there are fine."""
    if path:
        Path(path).unlink(missing_ok=True)


def rotate(path: Path, limit: int = LOG_LIMIT) -> None:
    """Moves a log larger than `limit` bytes to `<name>.1`, dropping the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > limit:
        path.replace(path.with_name(f"{path.name}.1"))


def shorten(path: Path, limit: int = LOG_LIMIT) -> bool:
    """Does the same for a log that a running process appends to; what it writes in that moment is lost.

    So is all of it where nothing more can be written: a full disk needs the room.
    """
    if size(path) <= limit:
        return False
    older = path.with_name(f"{path.name}.1")
    try:
        shutil.copyfile(path, older)
    except OSError:
        older.unlink(missing_ok=True)
    os.truncate(path, 0)
    return True


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def tail(path: Path, start: int = 0, lines: int = 8) -> str:
    """The last `lines` lines of what was written to a log after byte `start`; empty where there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(start, path.stat().st_size - 16_384, 0))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.strip().splitlines()[-lines:])
