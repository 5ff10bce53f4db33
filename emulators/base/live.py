"""Files that a running process takes over without a restart: written, announced by SIGHUP, confirmed by the process.

The process writes the digest of what it took over to `<file>.taken`, at its start and after each SIGHUP. So whoever
changed the file knows when the change counts, and a process that died meanwhile catches up by starting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from emulators.base.files import write_private


def write(files: Mapping[str, str]) -> None:
    """Path → text, private to their owner."""
    for path, text in files.items():
        write_private(Path(path), text)


def confirm(path: Path, text: str) -> None:
    """The process's part: from now on it does as `text` says."""
    write_private(_taken(path), _digest(text))


def is_taken(files: Mapping[str, str]) -> bool:
    """Whether the process has taken over every one of them as it is now."""
    return all(_read(_taken(Path(path))) == _digest(text) for path, text in files.items())


def _taken(path: Path) -> Path:
    return path.with_name(f"{path.name}.taken")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
