"""Where an image comes from: the commit that last changed its folder, and BuildKit's own provenance where it built."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "provenance.json"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Origin:
    """`commit` is the last that changed the folders, so other commits give the same image; `epoch` its date.

    `dirty`: a folder holds what no commit holds. `base_digest` is the registry's where the base came from one, else
    the engine's own id; both are "unknown" where no image was built.
    """

    commit: str
    epoch: int
    dirty: bool
    repository: str
    base: str = UNKNOWN
    base_digest: str = UNKNOWN

    @property
    def revision(self) -> str:
        return f"{self.commit}-dirty" if self.dirty else self.commit


def find_origin(folder: Path, *packages: Path) -> Origin:
    """Ask git about a server's folder and the `packages` that its image holds too.

    "unknown" and 1970 where they are in no repository or never committed.
    """
    where = (".", *(str(path.resolve()) for path in packages))
    last = _git(folder, "log", "-1", "--format=%H %ct", "--", *where).split()
    commit, epoch = last if len(last) == 2 else (UNKNOWN, "0")
    dirty = commit != UNKNOWN and bool(_git(folder, "status", "--porcelain", "--", *where))
    remote = _git(folder, "remote", "get-url", "origin")
    return Origin(commit, int(epoch), dirty, _without_user(remote))


def timestamp(epoch: int) -> str:
    """Return RFC 3339, in UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def statement(repository: str, digest: str, predicate: Mapping[str, Any]) -> str:
    """Return BuildKit's SLSA predicate as an in-toto statement about the pushed digest, as JSON.

    BuildKit gives the predicate alone, whose fields show its version ("SLSA Provenance", v0.2 and v1).
    """
    version = "v1" if "buildDefinition" in predicate else "v0.2"
    found = {
        "_type": "https://in-toto.io/Statement/v1" if version == "v1" else "https://in-toto.io/Statement/v0.1",
        "subject": [{"name": repository, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": f"https://slsa.dev/provenance/{version}",
        "predicate": predicate,
    }
    return json.dumps(found, indent=1) + "\n"


def _git(folder: Path, *arguments: str) -> str:
    try:
        answer = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _without_user(remote: str) -> str:
    """Drop the user part of an https address, which may hold a token."""
    scheme, separator, rest = remote.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else remote
