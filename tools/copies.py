"""Temporary copies of the repository, in which a text is changed and tests run: for mutations and for rules' proofs."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from emulators.base.rules import Edit

ROOT = Path(__file__).parents[1]
NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", ".nox", ".tools", ".twin", ".*_cache", ".terraform"),
    *("__pycache__", "node_modules", "results", "site", "*.tfstate*"),
)
_STAMPS = itertools.count(1)  # seconds since 1970: no file of a repository is that old


class DoesNotApply(Exception):
    """The edit and the tree have parted: the text to replace is not in the file exactly once."""


def copied(copy: Path) -> Path:
    """A new copy of the repository at this path, without what is installed, built or cached."""
    shutil.copytree(ROOT, copy, symlinks=True, ignore=NOT_COPIED)  # the stages link to terraform/shared
    (copy / "results").mkdir()
    return copy


def after(edits: Iterable[Edit], root: Path = ROOT) -> dict[str, str]:
    """The text of each edited file with all of its edits in it, by path; raises DoesNotApply."""
    texts: dict[str, str] = {}
    for edit in edits:
        path = root / edit.path
        if edit.path not in texts:
            texts[edit.path] = path.read_text(encoding="utf-8") if path.is_file() else ""
        found = texts[edit.path].count(edit.old)
        if found != 1 or edit.old == edit.new:
            raise DoesNotApply(f"its text is {found} times in {edit.path}, and must be there once: {edit.old[:80]!r}")
        texts[edit.path] = texts[edit.path].replace(edit.old, edit.new)
    return texts


@contextmanager
def edited(copy: Path, edits: Iterable[Edit]) -> Iterator[None]:
    """The copy with these edits in it, for as long as the block lasts; raises DoesNotApply.

    Each edited text has a time of its own: Python tells by time and size whether what it compiled is still the source.
    """
    texts = after(edits, copy)
    before = {path: ((copy / path).read_text(encoding="utf-8"), (copy / path).stat()) for path in texts}
    try:
        for path, text in texts.items():
            (copy / path).write_text(text, encoding="utf-8")
            os.utime(copy / path, times=(stamp := next(_STAMPS), stamp))
        yield
    finally:
        for path, (text, found) in before.items():
            (copy / path).write_text(text, encoding="utf-8")
            os.utime(copy / path, ns=(found.st_atime_ns, found.st_mtime_ns))


def environment(copy: Path) -> Mapping[str, str]:
    """Variables for a program that runs in a copy: quiet, and with its temporary files beside it."""
    temporary = copy.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, "LOG_LEVEL": "ERROR", "TMPDIR": str(temporary)}
