"""What a pipeline runs of others is a commit, not a tag that its owner can move."""

from __future__ import annotations

import re
from pathlib import Path

GITHUB = Path(__file__).parents[3] / ".github"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_actions_are_pinned_by_commit_and_say_their_version() -> None:
    """The comment is what Dependabot reads; the same action is the same commit everywhere."""
    used = {
        line.partition("uses: ")[2]
        for path in GITHUB.rglob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses: " in line and "uses: ./" not in line
    }
    assert len(used) > 4
    assert [one for one in used if not PINNED.fullmatch(one)] == []
    assert len({one.partition("@")[0] for one in used}) == len(used)
