"""Where an image comes from: the commit, the lock, the base; and the statement that says so (in-toto, SLSA 1.0)."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BUILD_TYPE = "https://docs.docker.com/reference/dockerfile"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Origin:
    """`commit` is the last that changed the folder, so other commits give the same image; `epoch` its date.

    `dirty`: the folder holds what no commit holds. `base_digest` is the registry's where the base came from one, else
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


def look(folder: Path) -> Origin:
    """What git says about a server's folder; "unknown" and 1970 where it is in no repository or never committed."""
    last = _git(folder, "log", "-1", "--format=%H %ct", "--", ".").split()
    commit, epoch = last if len(last) == 2 else (UNKNOWN, "0")
    dirty = commit != UNKNOWN and bool(_git(folder, "status", "--porcelain", "--", "."))
    remote = _git(folder, "remote", "get-url", "origin")
    return Origin(commit, int(epoch), dirty, _without_user(remote))


def timestamp(epoch: int) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def statement(
    image: str, digest: str, origin: Origin, files: Mapping[str, bytes], parameters: Mapping[str, str]
) -> dict[str, Any]:
    """The provenance of one image. `files`: what it was built from, by name; `parameters`: the build's arguments."""
    sources = [{"uri": f"git+{origin.repository or 'local'}", "digest": {"gitCommit": origin.commit}}]
    locks = [{"name": name, "digest": {"sha256": hashlib.sha256(files[name]).hexdigest()}} for name in sorted(files)]
    base = [{"uri": f"docker://{origin.base}", "digest": {"sha256": origin.base_digest.removeprefix("sha256:")}}]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": image, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": dict(parameters),
                "internalParameters": {"uncommittedChanges": origin.dirty},
                "resolvedDependencies": [*sources, *locks, *(base if origin.base != UNKNOWN else [])],
            },
            # Level 1: it says how the image was made, and nobody has signed it.
            "runDetails": {"builder": {"id": "invoke push"}, "metadata": {"invocationId": f"{image}@{digest}"}},
        },
    }


def _git(folder: Path, *arguments: str) -> str:
    try:
        answer = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _without_user(remote: str) -> str:
    """An https address may hold a token."""
    scheme, separator, rest = remote.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else remote
