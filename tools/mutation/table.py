"""The mutations: mutations/<class>.yaml, each one text replaced in one file, and what that breaks in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from emulators.base.rules import Edit
from tools import copies
from tools.copies import ROOT, DoesNotApply

__all__ = ["ROOT", "DoesNotApply", "Mutation", "chosen", "load"]
FOLDER = Path(__file__).parent / "mutations"


@dataclass(frozen=True)
class Mutation:
    """`gates` are where to look first; `class_` is the name of the file that the mutation stands in."""

    id: str
    class_: str
    file: str
    find: str
    replace: str
    breaks: str
    gates: tuple[str, ...]

    def applied(self, root: Path) -> str:
        """The file's text with the mutation in it; raises DoesNotApply."""
        try:
            return copies.after([self.edit], root)[self.file]
        except DoesNotApply as error:
            raise DoesNotApply(
                f"mutation {self.id}: {error}: change tools/mutation/mutations/{self.class_}.yaml"
            ) from error

    @property
    def edit(self) -> Edit:
        return Edit(self.file, self.find, self.replace)


def load() -> list[Mutation]:
    """All mutations in the order of the files."""
    return [mutation for path in sorted(FOLDER.glob("*.yaml")) for mutation in _of(path)]


def _of(path: Path) -> Iterable[Mutation]:
    for id_, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        gates = tuple(entry.get("gates", "").split())
        yield Mutation(id_, path.stem, entry["file"], entry["find"], entry["replace"], entry["breaks"], gates)


def chosen(names: Iterable[str], mutations: Iterable[Mutation]) -> list[Mutation]:
    """Those whose id or class is named; all where nothing is."""
    wanted = set(names)
    return [mutation for mutation in mutations if not wanted or wanted & {mutation.id, mutation.class_}]
