"""What a release needs to know: the version, who else spells it, and its notes.

    python -m tools.release version           # the one version: [project] in pyproject.toml
    python -m tools.release check v0.2.0      # the tag is that version, every copy agrees, and the changelog is dated
    python -m tools.release notes v0.2.0      # that section of CHANGELOG.md
    python -m tools.release set 0.3.0         # writes the version and its copies

Some files cannot read pyproject.toml: an image holds a server's folder alone, Terraform reads its own variables, and a
README is text. `COPIES` lists them; `set` writes them, and tests/unit/project/test_release.py fails where one differs.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_NUMBER = r"\d+\.\d+\.\d+"
_PROJECT = rf'(?m)^version = "({_NUMBER})"$'
_IMAGE = rf'(?:mongodb-mcp:|repository = "mongodb-mcp", tag = ")({_NUMBER})'
#: Files (globs from the root), and what spells the version in them. A server of your own has a version of its own.
COPIES = (
    ("servers/mongo-db-server/pyproject.toml", _PROJECT),
    ("servers/mongo-db-server/src/mongo_db_server/__init__.py", rf'(?m)^__version__ = "({_NUMBER})"$'),
    ("servers/gateway-auth/pyproject.toml", _PROJECT),
    ("emulators/*/pyproject.toml", _PROJECT),
    ("README.md", _IMAGE),
    ("docs/*.md", _IMAGE),
    ("docs/diagrams/*.svg", _IMAGE),  # drawn from plans of environments
    ("terraform/modules/*/README.md", _IMAGE),
    ("terraform/environments/local/terraform.tfvars", _IMAGE),
    ("tests/plan/cases/*.tfvars", _IMAGE),  # planned, and quoted by docs/add-a-server.md
    ("tests/plan/inventories/*.yaml", _IMAGE),
)
#: What these deploy is their owner's choice: `set` moves them with the rest, and they may stay behind.
DEPLOYED = ("terraform/environments/*/terraform.tfvars", _IMAGE)


class ReleaseError(Exception):
    """One sentence: what does not fit, and how to mend it."""


@dataclass(frozen=True)
class Copy:
    """A place that spells the version: path from the root, line, and what it says."""

    path: str
    line: int
    version: str


def version(root: Path = ROOT) -> str:
    """Return the project's version, `1.2.3`; ReleaseError for anything else."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = str(project.get("version", ""))
    if not re.fullmatch(_NUMBER, found):
        raise ReleaseError(f"version in pyproject.toml is {found!r}; give it three numbers, such as 1.2.3")
    return found


def copies(root: Path, patterns: Sequence[tuple[str, str]] = COPIES) -> Iterator[Copy]:
    """Yield each place that spells a version, in the files and by the patterns given."""
    for files, spelling in patterns:
        for path in sorted(root.glob(files)):
            text = path.read_text(encoding="utf-8")
            for match in re.finditer(spelling, text):
                yield Copy(str(path.relative_to(root)), text.count("\n", 0, match.start(1)) + 1, match[1])


def notes(changelog: str, wanted: str) -> str:
    """Return the section of one version (Keep a Changelog 1.1.0), without its heading and without link definitions."""
    headings = list(re.finditer(r"^## \[(?P<name>[^\]]+)\](?P<date>.*)$", changelog, re.MULTILINE))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading["name"] != wanted:
            continue
        if not re.fullmatch(r" - \d{4}-\d{2}-\d{2}", heading["date"]):
            raise ReleaseError(f"CHANGELOG.md gives {wanted} no date; write `## [{wanted}] - YYYY-MM-DD`")
        section = changelog[heading.end() : following.start() if following else None]
        text = re.sub(r"^\[[^\]]+\]: \S+\n?", "", section, flags=re.MULTILINE).strip()
        if not text:
            raise ReleaseError(f"CHANGELOG.md says nothing about {wanted}; write what changed")
        return text + "\n"
    raise ReleaseError(f"CHANGELOG.md has no section {wanted}; rename Unreleased to `## [{wanted}] - YYYY-MM-DD`")


def check(tag: str, root: Path = ROOT) -> None:
    """Refuse, with ReleaseError, a tag that is not this tree's version, a copy that differs, or a missing section."""
    current = version(root)
    if tag != f"v{current}":
        raise ReleaseError(f"the tag is {tag} and the version in pyproject.toml {current}; tag v{current}, or set it")
    if other := [copy for copy in copies(root) if copy.version != current]:
        named = ", ".join(f"{copy.path}:{copy.line} says {copy.version}" for copy in other)
        raise ReleaseError(f"{named}, and the version is {current}; run `python -m tools.release set {current}`")
    notes((root / "CHANGELOG.md").read_text(encoding="utf-8"), current)


def write(wanted: str, root: Path = ROOT) -> list[str]:
    """Set the version and its copies; return the files that changed. An environment that stayed behind stays there."""
    if not re.fullmatch(_NUMBER, wanted):
        raise ReleaseError(f"{wanted!r} is no version of this project; give three numbers, such as 1.2.3")
    files, spelling = DEPLOYED
    deployed = (files, spelling.replace(_NUMBER, re.escape(version(root))))
    changed = []
    for pattern, spelled in (("pyproject.toml", _PROJECT), *COPIES, deployed):
        for path in sorted(root.glob(pattern)):
            text = path.read_text(encoding="utf-8")
            written = re.sub(spelled, lambda match: match[0].replace(match[1], wanted), text)
            if written != text:
                path.write_text(written, encoding="utf-8")
                changed.append(str(path.relative_to(root)))
    return changed


def main(arguments: list[str]) -> int:
    """Run one command; the exit code, 2 for a use that is not understood."""
    try:
        match arguments:
            case ["version"]:
                print(version())
            case ["check", tag]:
                check(tag)
            case ["notes", tag]:
                print(notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), tag.removeprefix("v")), end="")
            case ["set", wanted]:
                print(*write(wanted), sep="\n")
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
